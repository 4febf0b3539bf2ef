"""The public function: judge one canary from two mappings of metric to series.

The very engine that the worker runs. It must not do I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from opsroom.analysis.judge import Judge
from opsroom.analysis.window import Floats, Pair, Window
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE, Verdict

Values = Sequence[float | None]


class Analysis(StrEnum):
    """What the score asks for at the default thresholds."""

    ROLLBACK = "rollback"
    PROMOTE = "promote"
    CONTINUE = "continue_monitoring"


@dataclass(frozen=True, slots=True)
class CanaryAnalysis:
    """A decision and the verdict behind it."""

    decision: Analysis
    verdict: Verdict

    @property
    def score(self) -> float | None:
        """0 (surely fine) … 1 (surely harmful); None when nothing may be concluded."""
        return self.verdict.score


def analyze_canary_metrics(
    baseline_metrics: Mapping[str, Values],
    canary_metrics: Mapping[str, Values],
    *,
    step_seconds: float = 30.0,
    requests: tuple[Values, Values] | None = None,
    judge: Judge | None = None,
) -> CanaryAnalysis:
    """Compare a canary with its baseline: roll back above 0.8, promote below 0.2, else continue monitoring.

    Both mappings hold one series a metric, oldest first, evenly spaced by ``step_seconds``, None or NaN for a gap;
    ``requests`` are counts per step (baseline, canary). Raises ValueError for series of different lengths.
    """
    names = [m for m in baseline_metrics if m in canary_metrics]
    if not names:
        raise ValueError("no metric is given for both arms")
    pairs = {m: _pair(m, baseline_metrics[m], canary_metrics[m]) for m in names}
    steps = {p.canary.shape[1] for p in pairs.values()}
    if len(steps) != 1:
        raise ValueError("metrics of different lengths")
    count = steps.pop()
    window = Window(
        uids=("canary",),
        times=np.arange(count) * float(step_seconds),
        step=float(step_seconds),
        metrics=pairs,
        requests=_pair("requests", *requests) if requests else None,
    )
    verdict = (judge or Judge()).verdicts(window, float(count * step_seconds))[0]
    decision = Analysis.CONTINUE
    if verdict.score is not None and verdict.score > ROLL_BACK_ABOVE:
        decision = Analysis.ROLLBACK
    elif verdict.score is not None and verdict.score < PROMOTE_BELOW:
        decision = Analysis.PROMOTE
    return CanaryAnalysis(decision, verdict)


def _pair(name: str, baseline: Values, canary: Values) -> Pair:
    if len(baseline) != len(canary):
        raise ValueError(f"{name}: series of different lengths")
    return Pair(_row(baseline), _row(canary))


def _row(values: Values) -> Floats:
    return np.array([values], dtype=np.float64)
