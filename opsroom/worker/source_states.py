"""How every source of this worker is, as its picture says it: as old as it is, and counted when it stops answering."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from opsroom.domain.freshness import SourceState
from opsroom.worker.outside import Outside
from opsroom.worker.score import Metrics
from opsroom.worker.set_clock import SetClock

NOT_ASKED = SourceState(name="prometheus", interval=10.0)
"""Shown until the metrics source is there: one behind the API server's proxy waits for the connection."""

log = logging.getLogger(__name__)


class SourceStates:
    """The states of the cluster, the metrics source and the worker's own parts."""

    def __init__(self, outside: Outside) -> None:
        self.metrics: Metrics | None = None
        self._outside = outside
        self._clock = SetClock()
        self._down: set[str] = set()

    def clock_was_set(self, now: float) -> bool:
        """Whether somebody has set the wall clock since the last look; ``now`` in epoch seconds."""
        return self._clock.look(now, self._told())

    def all(
        self, now: float, troubles: Mapping[str, str], interval: float, errors: Counter[str]
    ) -> tuple[SourceState, ...]:
        """Every state at ``now``, ``troubles`` of our own (by name) with those; ``errors`` counts what went down."""
        states = [self._clock.dated(state, now) for state in self._told()]
        states += [SourceState(name=name, interval=interval, error=error) for name, error in troubles.items()]
        for state in states:
            if state.error and state.name not in self._down:
                errors[state.name] += 1
                log.warning("source %s: %s", state.name, state.error)
        self._down = {state.name for state in states if state.error}
        return tuple(states)

    def _told(self) -> tuple[SourceState, ...]:
        asked = self.metrics.states() if self.metrics is not None else (NOT_ASKED,)
        return (*self._outside.states(), *asked)
