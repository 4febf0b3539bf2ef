"""The diffing driver leaves the same screen as plain Textual, cell for cell, with fewer bytes."""

from __future__ import annotations

import pytest

from tests.terminal.screen import Terminal

STEPS = ("jjjG", "g\r", "\x1b", "?", "\x1b", ":", "\x1b", "/search\r", "\x1b", "w", "wT")
SIZES = ((80, 24), (120, 40))


def settle(*terminals: Terminal) -> None:
    """Wait until nothing more is written to any of them."""
    quiet = 0
    while quiet < 3:
        before = [len(terminal.bytes) for terminal in terminals]
        for terminal in terminals:
            terminal.pump(0.06)
        quiet = quiet + 1 if before == [len(terminal.bytes) for terminal in terminals] else 0


@pytest.mark.timeout(90)
def test_every_screen_is_equal_to_plain_textual() -> None:
    plain = Terminal(100, 30, OPSROOM_SCENE_STILL="1", OPSROOM_DRIVER="plain")
    ours = Terminal(100, 30, OPSROOM_SCENE_STILL="1")
    try:
        for terminal in (plain, ours):
            terminal.shows("NEEDS YOU")
        for keys in STEPS:
            for terminal in (plain, ours):
                terminal.type(keys)
            settle(plain, ours)
            assert ours.cells() == plain.cells(), f"after {keys!r}"
        for size in SIZES:
            for terminal in (plain, ours):
                terminal.resize(*size)
            settle(plain, ours)
            assert ours.cells() == plain.cells(), f"at {size}"
        for terminal in (plain, ours):
            terminal.type("q")
            assert terminal.end() == 0
        assert len(ours.bytes) < len(plain.bytes) / 2
    finally:
        plain.close()
        ours.close()
