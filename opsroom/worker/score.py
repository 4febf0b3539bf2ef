"""Measuring and judging: the one heavy part of a tick.

Fetches the newest steps of all running canaries, lets the judge read the window, and makes the feed's series of it.
Above a few hundred canaries the judge runs in a thread: numpy lets go of the interpreter, so the feed's beats and the
watches go on meanwhile. It must not know what is decided on the verdicts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from opsroom.analysis.window import Pair, Window
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Rollout
from opsroom.domain.series import Metric
from opsroom.domain.verdict import Verdict
from opsroom.errors import Unreachable
from opsroom.sources.align import Services
from opsroom.sources.aligned import Aligned
from opsroom.worker.picture import metrics_of

IN_THREAD_ABOVE = 200
"""Canaries; fewer are judged faster than a thread is worth."""


class Metrics(Protocol):
    """What the worker needs of a metrics source."""

    async def fetch(
        self,
        rollouts: Sequence[Rollout],
        now: float,
        step: float,
        window: int,
        services: Services | None = None,
        idle: float = 1.0,
    ) -> Aligned:
        """The last ``window`` closed steps of ``step`` seconds, both arms; ``idle``: a pod's CPU without requests."""
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

    async def fetch(self, *_asked: object, **_more: object) -> Aligned:
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
    """What came of one measurement."""

    verdict: Verdict
    metrics: tuple[Metric, ...]


async def score(
    metrics: Metrics,
    judge: Judging,
    rollouts: Sequence[Rollout],
    now: float,
    step: float,
    window: int,
    services: Services | None = None,
    idle: float = 1.0,
) -> dict[str, Scored]:
    """Measure and judge ``rollouts``; the answer by uid.

    Raises:
        OpsroomError: the metrics source does not answer.
    """
    aligned = await metrics.fetch(rollouts, now, step, window, services, idle)
    if len(aligned.uids) > IN_THREAD_ABOVE:
        return await asyncio.to_thread(_judged, judge, aligned, now)
    return _judged(judge, aligned, now)


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


def _judged(judge: Judging, aligned: Aligned, now: float) -> dict[str, Scored]:
    if not aligned.uids:
        return {}
    verdicts = judge.verdicts(window_of(aligned), now)
    series = metrics_of(aligned)
    return {uid: Scored(verdict, series.get(uid, ())) for uid, verdict in zip(aligned.uids, verdicts, strict=True)}
