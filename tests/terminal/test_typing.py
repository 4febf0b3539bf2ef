"""Accidents at the keyboard, in a real terminal: bursts, pastes and the wrong window never act."""

from __future__ import annotations

import re
import time

import pytest

from tests.terminal.screen import Terminal


def second_second(terminal: Terminal) -> None:
    """Wait until a single x would be accepted: the row has been under the cursor for long enough."""
    terminal.until(lambda: re.search(r"k8s (stale )?([2-9]|\d\d+)s", terminal.text) is not None, "the second second")


@pytest.mark.parametrize(
    ("burst", "said"),
    [
        ("\x1b[200~x\x1b[201~j", ">!   ledger-writer"),
        ("xxxxxxxx", "faster than a person types"),
        ("pppppppp", "faster than a person types"),
        ("exit\rx\rp\r", "All others"),
        ("rdu\x04\x0b", "does nothing here"),
    ],
    ids=["bracketed paste", "held x", "held p", "shell words", "reflexes"],
)
def test_a_burst_sends_nothing(burst: str, said: str) -> None:
    terminal = Terminal(100, 30)
    try:
        terminal.shows("NEEDS YOU")
        second_second(terminal)
        terminal.type(burst)
        terminal.shows(said)
        terminal.pump(0.5)
        assert "esc stops it" not in terminal.text
        assert "ournalled" not in terminal.text
    finally:
        terminal.close()


def test_a_single_x_is_accepted_at_that_moment() -> None:
    terminal = Terminal(100, 30)
    try:
        terminal.shows("NEEDS YOU")
        second_second(terminal)
        terminal.type("x")
        # A machine that stands still for a moment makes the board refuse, rightly; a person then presses again.
        again = ("stood still", "could take it", "moment ago")
        for _ in range(5):
            terminal.until(
                lambda: "Done: roll back checkout-api" in terminal.text or any(word in terminal.text for word in again),
                "an answer",
            )
            if "Done" in terminal.text:
                break
            terminal.until(lambda: not any(word in terminal.text for word in again), "the end of the refusal")
            terminal.type("x")
        assert "Done: roll back checkout-api" in terminal.text
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


def test_a_countdown_that_nobody_can_see_sends_nothing() -> None:
    terminal = Terminal(100, 30, "many")
    try:
        terminal.shows("NEEDS YOU")
        for _ in range(40):
            terminal.type("\x1b[6~")
            time.sleep(0.02)
        terminal.type("g")
        time.sleep(0.8)  # nothing is read here, so no event can be waited for
        terminal.type("x")
        time.sleep(2.5)
        refused = ("stood still during the countdown", "before the screen could take it")
        terminal.until(lambda: any(words in terminal.text for words in refused), "the refusal")
        terminal.pump(0.5)
        assert "Done" not in terminal.text
    finally:
        terminal.close()
