"""Shell completion: made from the parser, valid for its shell, complete."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from opsroom.cli import COMMANDS, main
from opsroom.cli.completion import words
from opsroom.cli.parser import build


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def offered(text: str, *typed: str) -> set[str]:
    """What bash offers after these words."""
    line = " ".join(f"'{word}'" for word in typed)
    ask = f'{text}\nCOMP_WORDS=({line}); COMP_CWORD={len(typed) - 1}; _opsroom; printf "%s\\n" "${{COMPREPLY[@]}}"'
    run = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return set(run.stdout.split())


def test_every_command_is_offered_and_hidden_options_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    text = script("bash", capsys)
    assert {name for name in COMMANDS if name} <= offered(text, "opsroom", "")
    assert offered(text, "opsroom", "pro") == {"promote"}
    assert "--own" not in text
    assert "--served" not in text


def test_options_and_choices_of_a_command_are_offered(capsys: pytest.CaptureFixture[str]) -> None:
    text = script("bash", capsys)
    assert {"--full", "--yes", "--reason", "--context"} <= offered(text, "opsroom", "--context", "a", "promote", "--")
    assert {"bash", "zsh", "fish"} <= offered(text, "opsroom", "completion", "")
    assert offered(text, "opsroom", "queue", "dr") == {"drain"}


def test_files_are_offered_where_one_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    text = script("bash", capsys)
    assert "opsroom" in offered(text, "opsroom", "--record", "ops")


def test_no_word_can_break_out_of_the_script() -> None:
    for name, found in words(build()).items():
        for word in (name, *found.options, *found.choices):
            assert all(char.isalnum() or char in "-_" for char in word)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_it_too(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert "promote" in text
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)
    assert (text.count("'") - text.count("\\'")) % 2 == 0
