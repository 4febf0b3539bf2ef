"""The diffing driver leaves the same screen as plain Textual, cell for cell, with fewer bytes."""

from __future__ import annotations

import pytest

from tests.terminal.screen import Terminal

STEPS = (
    "jjj",
    "G",
    "g",
    "\r",
    "\x1b",
    "?",
    "\x1b",
    "S",
    "\x1b",
    "/search\r",
    "\x1b",
    "w",
    "w",
    "T",
    "F",
    "\x1b",
)


def play(driver: str, sizes: tuple[tuple[int, int], ...]) -> tuple[list[object], int]:
    """The screens after each step, and the bytes of all of them."""
    terminal = Terminal(*sizes[0], OPSROOM_SCENE_STILL="1", OPSROOM_DRIVER=driver)
    screens: list[object] = []
    try:
        terminal.shows("NEEDS YOU")
        terminal.settle()
        for keys in STEPS:
            terminal.type(keys)
            terminal.settle()
            screens.append(terminal.cells())
        for size in sizes[1:]:
            terminal.resize(*size)
            terminal.shows("help")
            terminal.settle()
            screens.append(terminal.cells())
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
    return screens, len(terminal.bytes)


@pytest.mark.timeout(90)
def test_every_screen_is_equal_to_plain_textual() -> None:
    sizes = ((100, 30), (80, 24), (120, 40))
    plain, plain_bytes = play("plain", sizes)
    ours, our_bytes = play("", sizes)
    for at, (one, other) in enumerate(zip(plain, ours, strict=True)):
        assert one == other, f"after step {at}"
    assert our_bytes < plain_bytes / 2
