"""Whether somebody (a person, NTP, a resumed virtual machine) has set the wall clock.

It must not know what hangs on it.
"""

from __future__ import annotations

from collections.abc import Callable

from opsroom.clock import awake_or_not

SET = 1.0
"""Seconds between two looks by which the wall clock must have moved by itself; NTP's slewing stays far below."""


class SetClock:
    """Compares the wall clock with one that nobody can set. A machine that slept moves both."""

    def __init__(self, steady: Callable[[], float] = awake_or_not) -> None:
        self._steady = steady
        self._offset: float | None = None

    def look(self, now: float) -> bool:
        """Whether the clock was set since the last look; ``now`` in epoch seconds."""
        offset, last = now - self._steady(), self._offset
        self._offset = offset
        return last is not None and abs(offset - last) > SET
