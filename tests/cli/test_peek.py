"""The glance at the command line: a splash for what draws a screen, for nothing else, and never a wrong guess."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from opsroom.cli import COMMANDS
from opsroom.cli.parser import build
from opsroom.cli.peek import BARE, SCREENS, VALUED, screen_of
from opsroom.errors import OpsroomError

ENTERED = b"\x1b[?1049h"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", "board"),
        ("--context prod -n shop -n pay", "board"),
        ("--feed=unix:/run/a.sock --record a.rec", "board"),
        ("demo", "demo"),
        ("demo --services 12 --seed=3", "demo"),
        ("wall --feed https://there", "wall"),
        ("wall --allow-quit", "wall"),
        ("replay a.rec --speed 4", "replay"),
        ("--config opsroom.toml demo", "demo"),
    ],
)
def test_what_draws_is_seen_at_a_glance(words: str, command: str) -> None:
    assert screen_of(words.split()) == command
    build().parse_args(words.split())


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "-h",
        "--plain",
        "--version",
        "demo --help",
        "demo --headless 5",
        "wall --serve localhost:8000",
        "replay",
        "replay a b",
        "--feed",
        "--feed --read-only",
        "demo -n",
        "demo wall",
        "--unknown",
        "-nshop",
        "demo --",
        *(str(command) for command in COMMANDS if command and command not in SCREENS),
        *(f"--context prod {command} checkout" for command in COMMANDS if command and command not in SCREENS),
    ],
)
def test_no_splash_where_nothing_or_nobody_knows_what_will_be_drawn(words: str) -> None:
    assert screen_of(words.split()) is None


def test_the_glance_knows_only_options_that_the_parser_knows() -> None:
    for option in sorted(VALUED):
        for command in ([], ["demo"], ["wall"], ["replay", "a"]):
            try:
                build().parse_args([*command, option, "1"])
                break
            except OpsroomError:
                continue
        else:
            pytest.fail(f"no command that draws takes {option} VALUE")
    assert all(option.startswith("--") for option in BARE)


def test_without_a_terminal_nothing_is_painted() -> None:
    run = subprocess.run([sys.executable, "-m", "opsroom", "demo"], capture_output=True, check=False, timeout=30)
    assert run.returncode == 2
    assert ENTERED not in run.stderr + run.stdout
    assert b"needs a terminal" in run.stderr


def test_an_error_after_the_splash_gives_the_terminal_back_before_it_speaks() -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "opsroom", "demo", "--services", "none"],
        stdin=slave,
        stderr=slave,
        stdout=slave,
        env={**os.environ, "TERM": "xterm-256color"},
    ) as process:
        os.close(slave)
        said = b""
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:
                break
            said += data
        assert process.wait(30) == 2
    os.close(master)
    assert said.index(ENTERED) < said.index(b"\x1b[?1049l") < said.index(b"--services")
