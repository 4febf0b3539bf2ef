"""Nothing moves on its own: while a person reads, not one byte goes to the terminal."""

from __future__ import annotations

import time

from tests.terminal.screen import SECONDS, Terminal

SILENCE = 1.5
"""Three times as long as a cursor takes to blink, in seconds."""


def falls_silent(terminal: Terminal, what: str) -> None:
    """Wait for a silence; what blinks never has one."""
    last, begun, written = time.monotonic(), time.monotonic(), len(terminal.bytes)
    while time.monotonic() - last < SILENCE:
        assert terminal.pump(0.05), f"ended while {what} was open"
        if len(terminal.bytes) != written:
            last, written = time.monotonic(), len(terminal.bytes)
        assert time.monotonic() - begun < SECONDS, f"{what} is never still"


def is_gone(terminal: Terminal, words: str) -> None:
    terminal.until(lambda: words not in terminal.text, f"no more {words!r}")


def test_an_open_palette_and_an_open_filter_write_nothing() -> None:
    terminal = Terminal(100, 30, "board", OPSROOM_SCENE_STILL="1")
    try:
        terminal.shows("NEEDS YOU")
        for key, shown, what in ((":", "next theme", "the palette"), ("/", "keep the filter", "the filter")):
            terminal.type(key)
            terminal.shows(shown)
            falls_silent(terminal, what)
            terminal.type("\x1b")
            is_gone(terminal, shown)
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
