"""Why: what each metric says about one canary, as figures a person can check against a chart.

Effects with intervals, since when, how strong, how many steps and requests; strongest first. Sentences are made in
``view``. It must not change a score.
"""

from __future__ import annotations

import math

import numpy as np

from opsroom.analysis.guards import CERTAIN
from opsroom.analysis.harm import Harm
from opsroom.analysis.scoring import LOGIT
from opsroom.analysis.stream import Stream
from opsroom.analysis.window import Floats, Window
from opsroom.domain.verdict import Evidence

Z95 = 1.96
QUIET = -0.5
"""Nats below which a metric has nothing to say; its harm began at the step after."""


class Onsets:
    """Since which step each metric has been saying something; M metrics × R rollouts, errors as the last row."""

    __slots__ = ("at",)

    def __init__(self, metrics: int, rollouts: int) -> None:
        self.at = np.zeros((metrics + 1, rollouts), dtype=np.int64)

    def advance(self, harm: Harm, t: int) -> None:
        """Take the evidence after step ``t``."""
        rows = np.concatenate([harm.by_metric, harm.by_errors[None]], axis=0)
        self.at[rows < QUIET] = t + 1


def strength(nats: float, low: float, roll_back: float) -> float:
    """Evidence in nats as 0..1; 0.8 where it alone would roll back."""
    half = max(0.5 * (roll_back - low), 1e-6)
    return 1.0 / (1.0 + math.exp(-max(min(LOGIT * (nats - 0.5 * (roll_back + low)) / half, 60.0), -60.0)))


class Reasons:
    """Makes the evidence of single rollouts from the state after the last step."""

    def __init__(self, stream: Stream, harm: Harm, onsets: Onsets, signs: Floats, low: float, roll_back: float) -> None:
        self._stream = stream
        self._harm = harm
        self._onsets = onsets
        self._signs = signs
        self._low = low
        self._roll_back = roll_back
        noise = stream.ratios.noise
        phi = noise.phi()
        self._error = noise.error(phi, noise.scale(phi))
        self._level = stream.ratios.pairing.level
        self._rates = stream.counts.rates()
        self._spread = stream.counts.spread()

    def of(self, row: int, window: Window) -> tuple[Evidence, ...]:
        """Evidence about rollout ``row`` of the stream; ``window`` tells the time of a step."""
        found = [self._ratio(i, row, window) for i in range(len(self._stream.metrics))]
        found = [e for e in found if e.steps]
        if self._stream.counts.steps[row]:
            found.append(self._errors(row, window))
        found.extend(self._guards(row))
        return tuple(sorted(found, key=lambda e: (-e.harm, e.metric)))

    def _since(self, index: int, row: int, window: Window, harm: float) -> float | None:
        at = int(self._onsets.at[index, row])
        return float(window.times[at]) if harm >= 0.5 and at < len(window.times) else None

    def _ratio(self, index: int, row: int, window: Window) -> Evidence:
        noise, sign = self._stream.ratios.noise, float(self._signs[index])
        steps = int(noise.n[index, row])
        harm = strength(float(self._harm.by_metric[index, row]) - self._share, self._low, self._roll_back)
        if not steps:
            return Evidence(metric=self._stream.metrics[index], harm=0.0)
        mean, error = float(noise.mean[index, row]), float(self._error[index, row])
        ends = sorted(math.exp(sign * _bounded(mean + z * error)) for z in (-Z95, Z95))
        base = sign * float(self._level[index, row])
        requests = float(self._stream.counts.requests[row])
        return Evidence(
            metric=self._stream.metrics[index],
            harm=harm,
            effect=math.exp(sign * _bounded(mean)),
            low=ends[0],
            high=ends[1],
            canary=math.exp(_bounded(base + sign * mean)),
            baseline=math.exp(_bounded(base)),
            since=self._since(index, row, window, harm),
            steps=steps,
            requests=requests if self._counted(row, window) else None,
        )

    def _errors(self, row: int, window: Window) -> Evidence:
        base, canary = (float(rate[row]) for rate in self._rates)
        spread = Z95 * float(self._spread[row])
        harm = strength(float(self._harm.by_errors[row]) - self._share, self._low, self._roll_back)
        counted = self._counted(row, window)
        return Evidence(
            metric="error_rate",
            harm=harm,
            effect=canary - base,
            low=max(canary - base - spread, -1.0),
            high=min(canary - base + spread, 1.0),
            canary=canary,
            baseline=base,
            since=self._since(len(self._stream.metrics), row, window, harm),
            steps=int(self._stream.counts.steps[row]),
            requests=float(self._stream.counts.requests[row]) if counted else None,
        )

    def _guards(self, row: int) -> list[Evidence]:
        found = []
        restarts = self._stream.restarts
        if restarts.harm()[row] >= CERTAIN:
            found.append(
                Evidence(metric="restarts", harm=1.0, effect=float(restarts.excess()[row]), guard="crash_loop")
            )
        if self._stream.traffic.lost()[row]:
            found.append(Evidence(metric="requests", harm=0.5, guard="no_traffic"))
        return found

    def _counted(self, row: int, window: Window) -> bool:
        pair = window.requests
        return pair is not None and bool(np.isfinite(pair.canary[row]).any())

    @property
    def _share(self) -> float:
        return math.log(self._harm.share)


def _bounded(value: float) -> float:
    return max(min(value, 80.0), -80.0)
