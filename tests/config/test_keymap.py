"""Own keys: unknown ids, nonsense keys, clashes and reflex keys are refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.config.keymap import check_keymap
from opsroom.errors import ConfigError

DEFAULT = {"rollout.promote": "p", "rollout.rollback": "x", "app.quit": "q", "list.down": "j,down"}
GUARDED = frozenset({"rollout.promote", "rollout.rollback"})


def test_own_keys_are_laid_over_the_default() -> None:
    assert check_keymap({"rollout.promote": "P"}, DEFAULT, GUARDED, "f") == {**DEFAULT, "rollout.promote": "P"}


@pytest.mark.parametrize(
    ("own", "what"),
    [
        ({"rollout.promot": "P"}, "is not an action"),
        ({"rollout.promote": "x"}, "also the key of"),
        ({"rollout.promote": ""}, "is not a key"),
        ({"rollout.rollback": "r"}, "motion or reflex"),
        ({"rollout.rollback": "ctrl+k"}, "motion or reflex"),
        ({"app.quit": "hyper+q"}, "is not a key"),
    ],
)
def test_a_bad_map_is_refused(own: dict[str, str], what: str, tmp_path: Path) -> None:
    action, keys = next(iter(own.items()))
    file = tmp_path / "opsroom.toml"
    file.write_text(f'[screen.keymap]\n"{action}" = "{keys}"\n')
    with pytest.raises(ConfigError, match=what) as error:
        check_keymap(own, DEFAULT, GUARDED, str(file))
    assert f"{file}:2" in str(error.value)
