"""Accidents at the keyboard, in a real terminal: bursts, pastes and the wrong window never act."""

from __future__ import annotations

import pytest

from tests.terminal.screen import Terminal


@pytest.mark.parametrize(
    "burst",
    [
        "\x1b[200~x\x1b[201~",
        "xxxxxxxx",
        "pppppppp",
        "exit\rx\rp\r",
        "echo xp > x\r",
        "rdu\x04\x0b",
    ],
    ids=["bracketed paste", "held x", "held p", "shell words", "shell line", "reflexes"],
)
def test_a_burst_arms_nothing(burst: str) -> None:
    terminal = Terminal(100, 30, OPSROOM_SCENE_STILL="1")
    try:
        terminal.shows("NEEDS YOU")
        terminal.type(burst)
        terminal.settle()
        assert "esc stops it" not in terminal.text
        assert "Journalled" not in terminal.text
    finally:
        terminal.close()


def test_letters_of_a_filter_are_never_keys_however_fast_they_come() -> None:
    terminal = Terminal(100, 30, OPSROOM_SCENE_STILL="1")
    try:
        terminal.shows("NEEDS YOU")
        terminal.type("/search")
        terminal.settle()
        assert "search-gateway" in terminal.text
        assert "1 shown" in terminal.text
        assert "by score" not in terminal.text
    finally:
        terminal.close()
