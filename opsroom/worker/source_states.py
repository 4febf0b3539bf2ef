"""How every source of this worker is, as its picture says it: as old as it is, and counted when it stops answering."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from opsroom.clock import awake_or_not
from opsroom.domain.freshness import SourceState
from opsroom.worker.outside import Outside
from opsroom.worker.score import Metrics
from opsroom.worker.situation import INTERVAL, JUDGE, Situation

NOT_ASKED = SourceState(name="prometheus", interval=10.0)
"""Shown until the metrics source is there: one behind the API server's proxy waits for the connection."""

log = logging.getLogger(__name__)


class SourceStates:
    """The states of the cluster, the metrics source and the worker's own parts."""

    def __init__(self, outside: Outside, clock: Callable[[], float] = awake_or_not) -> None:
        """``clock`` is that of the sources: what they heard keeps its age whoever sets the wall clock."""
        self.metrics: Metrics | None = None
        self._outside = outside
        self._clock = clock
        self._down: set[str] = set()

    def all(self, now: float, situation: Situation, step: float) -> tuple[SourceState, ...]:
        """Every state at ``now``: what we read, the judge who looks at each ``step``, and our own troubles.

        What went down is counted.
        """
        troubles = dict(situation.troubles)
        asked = self.metrics.states() if self.metrics is not None else (NOT_ASKED,)
        judge = SourceState(name=JUDGE, interval=step, at=situation.judged, error=troubles.pop(JUDGE, ""))
        states = [self._dated(state, now) for state in (*self._outside.states(), *asked, judge)]
        states += [SourceState(name=name, interval=INTERVAL, error=error) for name, error in troubles.items()]
        for state in states:
            if state.error and state.name not in self._down:
                situation.tally.source_errors[state.name] += 1
                log.warning("source %s: %s", state.name, state.error)
        self._down = {state.name for state in states if state.error}
        return tuple(states)

    def _dated(self, state: SourceState, now: float) -> SourceState:
        if state.at is None:
            return state
        return msgspec.structs.replace(state, at=now - max(0.0, self._clock() - state.at))
