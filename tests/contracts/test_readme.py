"""What the README says can be done as it says: its commands parse, its files load, the tests it names are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from opsroom.cli.parser import build
from opsroom.config.policy_file import load_policy
from opsroom.config.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="this is not a checkout")


def blocks(language: str) -> list[str]:
    """The code blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """The words of every command of ours, without what a shell would do around it."""
    found = []
    for line in "".join(blocks("sh")).splitlines():
        for part in re.split(r"\s\|\s|&&", line):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "opsroom":
                found.append(words[1:])
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_one_that_opsroom_takes(words: list[str]) -> None:
    assert vars(build().parse_args(words))


def test_the_settings_that_are_shown_are_settings(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks("toml") if "[screen]" in block)
    file = tmp_path / "opsroom.toml"
    file.write_text(shown)
    settings = load_settings(str(file), {})
    assert settings.namespaces == ("shop", "payments")


def test_the_policy_that_is_shown_is_a_policy(tmp_path: Path) -> None:
    shown = [block for block in blocks("toml") if "[screen]" not in block]
    file = tmp_path / "policy.toml"
    file.write_text("\n".join(shown))
    policy = load_policy(file)
    assert [row.name for row in policy.rows] == ["tier 0", "everything else"]
    assert "queue_depth" in policy.judge.metrics


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:tests/|\.ci/)[\w./-]+)`", README.read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
