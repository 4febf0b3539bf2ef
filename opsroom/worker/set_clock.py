"""What becomes of ages when somebody (a person, NTP, a resumed virtual machine) sets the wall clock.

What was dated before can then look young or old by any amount, so it has no age at all until it is learned anew. It
must not know what is dated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from opsroom.clock import awake_or_not
from opsroom.domain.freshness import SourceState

SET = 1.0
"""Seconds between two looks by which the wall clock must have moved by itself; NTP's slewing stays far below."""


class SetClock:
    """Compares the wall clock with one that nobody can set. A machine that slept moves both."""

    def __init__(self, steady: Callable[[], float] = awake_or_not) -> None:
        self._steady = steady
        self._offset: float | None = None
        self._before: dict[str, float] = {}
        """Dates of the sources' last answers by the clock as it was before it was set."""

    def look(self, now: float, states: Iterable[SourceState]) -> bool:
        """Whether the clock was set since the last look; ``states`` as their readers left them, ``now`` epoch s."""
        offset, last = now - self._steady(), self._offset
        self._offset = offset
        if last is None or abs(offset - last) <= SET:
            return False
        self._before = {state.name: state.at for state in states if state.at is not None}
        return True

    def dated(self, state: SourceState, now: float) -> SourceState:
        """``state`` without the date of its last answer where that is of another clock, or of the future."""
        if state.at is None or (state.at <= now + 1.0 and state.at != self._before.get(state.name)):
            return state
        return msgspec.structs.replace(state, at=None)
