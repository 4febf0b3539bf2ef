"""Policy, settings, keymap and themes that somebody mistyped or tampered with: one sentence, or a file that works."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.cli import main
from opsroom.config.keymap import check_keymap
from opsroom.config.policy_file import parse_policy, write_policy
from opsroom.config.settings import load_settings
from opsroom.domain.policy import out_of_bounds
from opsroom.errors import ConfigError
from opsroom.ui.actions import GUARDED, default_keys
from opsroom.ui.theme_file import read
from opsroom.view.line import Ground, Role
from opsroom.worker.policy import PolicyInForce
from tests.feed.mutations import changes, tampered

ROOT = Path(__file__).parents[2]

POLICY = """
step = 10.0
window = 60
idle_cpu = 0.3
[[rows]]
name = "tier 0"
match = { tier = "0" }
promote_below = 0.1
max_seconds = 1800.0
person = true
[[rows]]
name = "everything else"
[rails]
rollbacks = 10
[queue]
slots = 6
[judge]
false_rollbacks = 5.0
[judge.metrics.queue_depth]
matters = 0.25
worse = "up"
"""

SETTINGS = """
context = "prod-eu"
namespaces = ["shop", "payments"]
read_only = true
[prometheus]
url = "http://prometheus:9090"
timeout = 5.0
[prometheus.queries]
queue_depth = "sum by (namespace, rs) (depth)"
[screen]
theme = "day"
bell = true
promote_countdown = 3.0
[screen.keymap]
"rollout.promote" = "P"
"""

THEME = (ROOT / "themes" / "night.toml").read_text(encoding="utf-8")


def a_policy(text: str) -> None:
    policy = parse_policy(text, "policy.toml")
    assert out_of_bounds(policy) == []
    assert parse_policy(write_policy(policy), "again.toml") == policy


def settings_of(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.toml"
        file.write_text(text, encoding="utf-8")
        found = load_settings(str(file), {})
        check_keymap(found.screen.keymap, default_keys(), GUARDED, str(file))


def a_theme(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "theme.toml"
        file.write_text(text, encoding="utf-8")
        theme = read(file)
        for ground in Ground:
            for role in Role:
                theme.style(role, ground)


FILES: list[tuple[str, Callable[[str], None]]] = [(POLICY, a_policy), (SETTINGS, settings_of), (THEME, a_theme)]
files = pytest.mark.parametrize(("text", "use"), FILES, ids=["policy", "settings", "theme"])


def refused_or_used(text: str, use: Callable[[str], None]) -> None:
    try:
        use(text)
    except ConfigError as error:
        assert error.fix  # noqa: PT017 - refused or used, both are right


def without_none(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {str(key): without_none(one) for key, one in value.items() if one is not None}
    return [without_none(one) for one in value if one is not None] if isinstance(value, list) else value


@files
@settings(derandomize=True, deadline=None, max_examples=100)
@given(wishes=changes)
def test_other_values_are_refused_in_a_sentence_or_work(
    text: str, use: Callable[[str], None], wishes: list[Any]
) -> None:
    refused_or_used(tomli_w.dumps(without_none(tampered(tomllib.loads(text), wishes))), use)


@files
@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    place=st.integers(0, 10**4), length=st.integers(0, 9), put=st.text(max_size=6) | st.sampled_from(["[[", "=", '"'])
)
def test_other_letters_are_refused_in_a_sentence_or_work(
    text: str, use: Callable[[str], None], place: int, length: int, put: str
) -> None:
    at = place % len(text)
    put = put.encode(errors="replace").decode()
    refused_or_used(text[:at] + put + text[at + length :], use)


@pytest.mark.parametrize("use", [use for _, use in FILES], ids=["policy", "settings", "theme"])
@pytest.mark.parametrize("text", ["", "\0", "a" * 100_000, "[" * 3000, "a = " + "[" * 3000, "a.b." * 2000 + "c = 1"])
def test_hopeless_files_are_refused_in_a_sentence_or_work(text: str, use: Callable[[str], None]) -> None:
    refused_or_used(text, use)


def test_a_broken_policy_of_the_cluster_leaves_the_last_one_in_force_and_one_printable_sentence() -> None:
    told = ["step = 20.0"]
    policy = PolicyInForce(None, lambda: told[-1])
    assert policy.look()
    for text in ("a = " + "[" * 3000, '"\u202e\\u001b[2J" = 1', "step = 0.0", "\x00", "a = '" + "x" * 5000):
        told.append(text)
        policy.look()
        assert policy.policy.step == 20.0
        assert policy.note.isprintable()
        assert 0 < len(policy.note) <= 512


def test_an_error_that_quotes_a_file_does_not_reach_the_terminal_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text('"\\u001b[2J\\u202e" = 1\n')
    assert main(["ls", "--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.rstrip("\n").isprintable()
    assert "is not a setting" in said
