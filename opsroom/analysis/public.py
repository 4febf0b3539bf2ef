"""The public function: judge one canary from two mappings of metric to series.

The very engine that the worker runs. It must not do I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from opsroom.analysis.judge import Judge
from opsroom.analysis.window import MAX_STEPS, Floats, Pair, Window
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE, Verdict

Values = Sequence[float | None] | Floats


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
    concurrent: bool = True,
    judge: Judge | None = None,
) -> CanaryAnalysis:
    """Compare a canary with its baseline: roll back above 0.8, promote below 0.2, else continue monitoring.

    Both mappings hold one series a metric, oldest value first, both arms at the same times, ``step_seconds`` apart;
    None, NaN, and what no measurement can be (negative, infinite) are gaps. ``latency_p99``, ``latency_p95``,
    ``latency_p50``, ``error_rate`` (0..1), ``cpu_usage``, ``memory_bytes`` and ``restarts`` are known by name; of any
    other metric more is taken for worse (a ``Judge`` with a ``Budget`` can say otherwise). A metric that only one
    arm has is left out. ``requests`` are counts per step, (baseline, canary); with them errors are tested as counts,
    which may also be given as such: a metric ``errors``, failed requests per step.
    ``concurrent=False`` says that the baseline is history: more is demanded then.

    Raises:
        ValueError: series of different lengths, no metric of both arms, a step that is not positive, an error rate
            above 1, ``errors`` without ``requests``, ``requests`` among the metrics, or more than 20,000 steps.
    """
    window = _window(baseline_metrics, canary_metrics, float(step_seconds), requests, concurrent)
    verdict = (judge or Judge()).verdicts(window, float(window.times[-1]) if len(window.times) else 0.0)[0]
    return CanaryAnalysis(decide(verdict.score), verdict)


def decide(score: float | None) -> Analysis:
    """What ``score`` asks for at the default thresholds."""
    if score is not None and score > ROLL_BACK_ABOVE:
        return Analysis.ROLLBACK
    if score is not None and score < PROMOTE_BELOW:
        return Analysis.PROMOTE
    return Analysis.CONTINUE


def _window(
    baseline: Mapping[str, Values],
    canary: Mapping[str, Values],
    step: float,
    requests: tuple[Values, Values] | None,
    concurrent: bool,
) -> Window:
    if not 0 < step < float("inf"):
        raise ValueError("step_seconds must be positive")
    names = [m for m in baseline if m in canary]
    if not names:
        raise ValueError("no metric is given for both arms")
    pairs = {m: _pair(m, baseline[m], canary[m]) for m in names}
    if "requests" in pairs:
        raise ValueError("requests: they stand beside the metrics: requests=(baseline, canary)")
    if "errors" in pairs and requests is None:
        raise ValueError("errors: counts of failed requests need requests=(baseline, canary); a rate is error_rate")
    counts = _pair("requests", *requests) if requests is not None else None
    lengths = {p.canary.shape[1] for p in [*pairs.values(), *([counts] if counts else [])]}
    if len(lengths) != 1:
        raise ValueError("series of different lengths")
    steps = lengths.pop()
    if steps > MAX_STEPS:
        raise ValueError(f"{steps} steps; at most {MAX_STEPS} can be judged")
    return Window(
        uids=("canary",),
        times=np.arange(steps, dtype=np.float64) * step,
        step=step,
        metrics={name: pair for name, pair in pairs.items() if name != "errors"},
        requests=counts,
        errors=pairs.get("errors"),
        concurrent=np.array([concurrent]),
    )


def _pair(name: str, baseline: Values, canary: Values) -> Pair:
    if len(baseline) != len(canary):
        raise ValueError(f"{name}: series of different lengths")
    return Pair(_row(name, baseline), _row(name, canary))


def _row(name: str, values: Values) -> Floats:
    try:
        row = np.array([values], dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name}: not a series of numbers") from problem
    with np.errstate(invalid="ignore"):
        row[~(row >= 0) | np.isinf(row)] = np.nan
        if name == "error_rate" and (row > 1.0).any():
            raise ValueError("error_rate: above 1 (rates are 0..1, not percent)")
    return row
