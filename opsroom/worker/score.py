"""Measuring and judging: the one heavy part of a tick.

Fetches the newest steps of all running canaries, lets the judge read the window, and makes the feed's series of it.
Above a few hundred canaries the judge runs in a thread: numpy lets go of the interpreter, so the feed's beats and the
watches go on meanwhile. It must not know what is decided on the verdicts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from opsroom.analysis.window import Pair, Window
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Rollout
from opsroom.domain.series import Metric
from opsroom.domain.verdict import Verdict
from opsroom.errors import Unreachable
from opsroom.sources.aligned import Aligned, Look
from opsroom.worker.picture import metrics_of

IN_THREAD_ABOVE = 200
"""Canaries; fewer are judged faster than a thread is worth."""


class Metrics(Protocol):
    """What the worker needs of a metrics source."""

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        """The last closed steps that ``look`` asks for, both arms.

        Raises:
            OpsroomError: there is nobody to ask.
        """
        ...

    def states(self) -> tuple[SourceState, ...]:
        """How the source is."""
        ...

    async def aclose(self) -> None:
        """Close every socket."""
        ...


class Missing:
    """The metrics source where there is none to ask: everything stays UNKNOWN, and why is on screen."""

    def __init__(self, error: str) -> None:
        self._error = error

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        """Nothing, whatever is asked.

        Raises:
            Unreachable: always.
        """
        raise Unreachable(self._error)

    def states(self) -> tuple[SourceState, ...]:
        """The reason."""
        return (SourceState(name="prometheus", interval=10.0, error=self._error),)

    async def aclose(self) -> None:
        """Nothing is open."""


class Judging(Protocol):
    """What the worker needs of a judge."""

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        """One verdict a rollout of the window, in its order."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """What one measurement says of one rollout."""

    verdict: Verdict
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What came of one measurement."""

    of: dict[str, Scored]
    """By uid."""
    cpu: float
    """Seconds of CPU that judging took; waiting for answers and for a processor is none of it."""


async def score(metrics: Metrics, judge: Judging, rollouts: Sequence[Rollout], look: Look) -> Scores:
    """Measure and judge ``rollouts``.

    Raises:
        OpsroomError: the metrics source does not answer.
    """
    aligned = await metrics.fetch(rollouts, look)
    if len(aligned.uids) > IN_THREAD_ABOVE:
        return await asyncio.to_thread(_judged, judge, aligned, look.now)
    return _judged(judge, aligned, look.now)


def window_of(aligned: Aligned) -> Window:
    """The judge's window of what ``sources`` aligned."""
    return Window(
        uids=aligned.uids,
        times=aligned.times,
        step=aligned.step,
        metrics={name: Pair(*arms) for name, arms in aligned.metrics.items()},
        requests=Pair(*aligned.requests),
        errors=Pair(*aligned.errors),
        started=aligned.started,
        concurrent=aligned.concurrent,
        quantile_steps=aligned.quantile_steps,
    )


def _judged(judge: Judging, aligned: Aligned, now: float) -> Scores:
    if not aligned.uids:
        return Scores({}, 0.0)
    began = time.thread_time()
    verdicts = judge.verdicts(window_of(aligned), now)
    series = metrics_of(aligned)
    found = {uid: Scored(verdict, series.get(uid, ())) for uid, verdict in zip(aligned.uids, verdicts, strict=True)}
    return Scores(found, time.thread_time() - began)
