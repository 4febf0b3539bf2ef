"""The diffing driver leaves the same screen as plain Textual, cell for cell, with fewer bytes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence

import pytest

from tests.terminal.screen import SECONDS, Terminal

STEPS = (
    ("jjjG", ">ok  feature-flags"),
    ("g\r", "goes on to step"),
    ("\x1b", "NEEDS YOU"),
    ("?", "Keys that act"),
    ("\x1b", "NEEDS YOU"),
    ("S", "expected every"),
    ("\x1b", "NEEDS YOU"),
    ("J", "Deeds"),
    ("\x1b", "NEEDS YOU"),
    ("e", "All others"),
    ("\x1b", "NEEDS YOU"),
    ("Q", "Queue"),
    ("\x1b", "NEEDS YOU"),
    ("l", "12:04:59"),
    ("g", "12:04:01"),
    ("\x1b", "NEEDS YOU"),
    ("y", "kind: Rollout"),
    ("\x06", "field40"),
    ("\x1b", "NEEDS YOU"),
    (":", "next theme"),
    ("\x1b", "NEEDS YOU"),
    ("/search\r", "1 shown"),
    ("\x1b", "NEEDS YOU"),
    ("w", "DONE"),
    ("wT", "theme "),
)
SIZES = ((80, 24), (50, 10), (120, 40))


def same(ours: Terminal, plain: Terminal, after: object) -> None:
    """Wait until both show the same, and stay so."""
    end, equal = time.monotonic() + SECONDS, 0
    while equal < 2:
        before = len(ours.bytes) + len(plain.bytes)
        for terminal in (ours, plain):
            terminal.pump(0.02)
        quiet = before == len(ours.bytes) + len(plain.bytes)
        equal = equal + 1 if quiet and ours.cells() == plain.cells() else 0
        if time.monotonic() > end:
            assert ours.text == plain.text, f"after {after!r}"
            assert ours.cells() == plain.cells(), f"after {after!r}"


def put_away(terminal: Terminal) -> None:
    """Suspend it, as ctrl+z does, and let it go on."""
    terminal.kill(signal.SIGTSTP)
    terminal.until(lambda: b"\x1b[?1049l" in terminal.bytes, "the main screen")
    os.waitpid(terminal.pid, os.WUNTRACED)
    terminal.kill(signal.SIGCONT)
    terminal.until(lambda: terminal.bytes.count(b"\x1b[?1049h") == 2, "the alternate screen again")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("scene", "steps"), [("board", STEPS), ("wide", STEPS[1:3]), ("wall", ())])
def test_every_screen_is_equal_to_plain_textual(scene: str, steps: Sequence[tuple[str, str]]) -> None:
    plain = Terminal(100, 30, scene, OPSROOM_SCENE_STILL="1", OPSROOM_DRIVER="plain")
    ours = Terminal(100, 30, scene, OPSROOM_SCENE_STILL="1")
    both = (ours, plain)
    try:
        for terminal in both:
            terminal.shows("checkout-api")
        same(ours, plain, "the first frame")
        for keys, words in steps:
            for terminal in both:
                terminal.type(keys)
            for terminal in both:
                terminal.shows(words)
            same(ours, plain, keys)
        for size in SIZES:
            for terminal in both:
                terminal.resize(*size)
            same(ours, plain, size)
        for terminal in both:
            put_away(terminal)
        same(ours, plain, "put away")
        for terminal in both:
            terminal.type("q")
            if scene == "wall":
                terminal.kill(signal.SIGTERM)
            assert terminal.end() == (128 + signal.SIGTERM if scene == "wall" else 0)
        assert len(ours.bytes) < len(plain.bytes) / 2
    finally:
        plain.close()
        ours.close()
