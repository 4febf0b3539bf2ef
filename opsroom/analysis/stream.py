"""The judge's running state: one column of samples in, the harm of every rollout out.

Batch, one by one and restarted are the same calls in the same order, so they give the same answer. The work of a step
does not depend on how many came before. It must not know scores or thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsroom.analysis.budget import Budget, Direction
from opsroom.analysis.counts import CountEvidence
from opsroom.analysis.guards import Restarts, Traffic
from opsroom.analysis.harm import Harm, JointEvidence
from opsroom.analysis.pairing import Tail
from opsroom.analysis.ratio import Pace, RatioEvidence
from opsroom.analysis.tuning import FAMILIES, OTHER, Tuning
from opsroom.analysis.window import Flags, Floats

NOT_RATIOS = ("error_rate", "restarts")


@dataclass(frozen=True, slots=True)
class Column:
    """One step of R rollouts: logs of M ratio metrics (M, R), counts (R,); NaN where there is no sample."""

    base: Floats
    canary: Floats
    bias: Floats
    """Log bias of the canary's latency against its baseline's, from the number of requests (R,)."""
    noise: Floats
    """Noise that the baseline's latency should have at its number of requests (R,)."""
    counts: tuple[Floats, Floats, Floats, Floats]
    """Errors of baseline and canary, requests of baseline and canary, as the error test reads them."""
    requests: tuple[Floats, Floats] | None
    """Requests as they were counted; None where nobody does."""
    restarts: tuple[Floats, Floats] | None


class Stream:
    """Running state of R rollouts with the same metrics and step length."""

    __slots__ = (
        "_bias_rows",
        "_joint",
        "_tail",
        "_tail_row",
        "_tuning",
        "counts",
        "elapsed",
        "metrics",
        "ratios",
        "restarts",
        "seen",
        "steps",
        "traffic",
    )

    def __init__(self, metrics: tuple[str, ...], rollouts: int, step: float, budget: Budget, tuning: Tuning) -> None:
        self.metrics = tuple(m for m in metrics if m not in NOT_RATIOS)
        families = [FAMILIES.get(m, OTHER) for m in self.metrics]
        margins = np.log1p(np.array([budget.margin(m).innocent for m in self.metrics], dtype=np.float64))
        pace = Pace.of(step, tuning)
        self._tuning = tuning
        self._bias_rows = np.array([m == "latency_p99" for m in self.metrics], dtype=bool).reshape(-1, 1)
        self._tail_row = self.metrics.index("latency_p99") if "latency_p99" in self.metrics else None
        self._tail = Tail(rollouts, tuning.tail_weight)
        self.ratios = RatioEvidence(families, margins, rollouts, pace, tuning)
        self.counts = CountEvidence(budget.innocent_rise, rollouts, pace, tuning)
        self._joint = JointEvidence(families, rollouts, tuning)
        self.restarts = Restarts(rollouts, step)
        self.traffic = Traffic(rollouts)
        self.seen = np.zeros(rollouts, dtype=bool)
        """Who has shown a sample of both arms."""
        self.elapsed = np.zeros(rollouts)
        """Steps since that first sample, it included."""
        self.steps = np.zeros(rollouts)
        """Steps with a sample of both arms in some metric."""

    def advance(self, column: Column) -> None:
        """Take one step."""
        owed = self._tuning.small_sample * column.bias * self._tail.factor()
        bias = np.where(self._bias_rows, owed, 0.0)
        self.ratios.advance(column.base, column.canary, bias)
        self.counts.advance(*column.counts)
        self._joint.advance(self.ratios, self.counts)
        if column.restarts is not None:
            self.restarts.advance(*column.restarts)
        if column.requests is not None:
            self.traffic.advance(*column.requests)
        if self._tail_row is not None:
            self._tail.advance(column.base[self._tail_row], column.noise)
        some = self.ratios.ok.any(axis=0) | self.counts.ok
        self.seen |= some
        self.elapsed += self.seen
        self.steps += some

    def harm(self) -> Harm:
        """Evidence for harm after the last step."""
        return self._joint.harm(self.ratios, self.counts)

    def came_later(self) -> Flags:
        """Whose withheld level difference was not there from the start, (R,)."""
        return self._joint.came_later(self.ratios)


def signs(metrics: tuple[str, ...], budget: Budget) -> Floats:
    """+1 where more is worse, -1 where less is, (M,)."""
    return np.array(
        [-1.0 if budget.margin(m).direction is Direction.DOWN else 1.0 for m in metrics if m not in NOT_RATIOS]
    )
