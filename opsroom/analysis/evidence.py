"""Why: what each metric says about one canary, as figures a person can check against a chart.

Effects with intervals, since when, how strong, how many steps and requests; strongest first. Sentences are made in
``view``. It must not change a score.
"""

from __future__ import annotations

import math

import numpy as np

from opsroom.analysis.guards import CERTAIN
from opsroom.analysis.harm import Harm
from opsroom.analysis.ratio import Z95
from opsroom.analysis.scoring import LOGIT
from opsroom.analysis.stream import Stream
from opsroom.analysis.uncounted import USUAL_REQUESTS, behind_rates
from opsroom.analysis.window import Floats, Window
from opsroom.domain.verdict import Evidence

QUIET = 0.6
"""Odds below which a metric has nothing to say; its harm began at the step after."""
LOUD = 3.0
"""Standard errors at which a metric carries the whole of what all metrics say together."""


class Onsets:
    """Since which step each row has been saying something; M metrics, errors, all together, × R rollouts."""

    __slots__ = ("at",)

    def __init__(self, metrics: int, rollouts: int) -> None:
        self.at = np.zeros((metrics + 2, rollouts), dtype=np.int64)

    def advance(self, harm: Harm, t: int) -> None:
        """Take the evidence after step ``t``."""
        rows = np.concatenate([harm.metric_odds, harm.error_odds[None], harm.joint_odds[None]], axis=0)
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
        self._nats = harm.by_metric
        self._joint = harm.joint
        self._rates = stream.counts.rates()
        self._spread = stream.counts.spread()
        self._temper = stream.counts.temper()

    def of(self, row: int, window: Window) -> tuple[Evidence, ...]:
        """Evidence about rollout ``row`` of the stream; ``window`` tells the time of a step."""
        found = [self._ratio(i, row, window) for i in range(len(self._stream.metrics))]
        found = [e for e in found if e.steps]
        if self._stream.counts.steps[row]:
            found.append(self._errors(row, window))
        found.extend(self._guards(row))
        return tuple(sorted(found, key=lambda e: (-e.harm, e.metric)))

    def _harm_of(self, index: int, row: int, nats: float, z: float, window: Window) -> tuple[float, float | None]:
        """Strength of one metric and since when; a metric also carries its part of what all say together."""
        own = strength(nats - self._share, self._low, self._roll_back)
        together = strength(float(self._joint[row]) - self._share, self._low, self._roll_back)
        carried = together * min(max(z, 0.0) / LOUD, 1.0)
        harm = max(own, carried)
        at = int(self._onsets.at[index if own >= carried else -1, row])
        return harm, float(window.times[at]) if harm >= 0.5 and at < len(window.times) else None

    def _ratio(self, index: int, row: int, window: Window) -> Evidence:
        name, noise, sign = self._stream.metrics[index], self._stream.ratios.noise, float(self._signs[index])
        steps = int(noise.n[index, row])
        if not steps:
            return Evidence(metric=name, harm=0.0)
        mean, error = sign * float(noise.mean[index, row]), float(self._error[index, row])
        base = sign * float(self._level[index, row])
        harm, since = self._harm_of(index, row, float(self._nats[index, row]), sign * mean / error, window)
        if since is not None:
            recent = _log_levels(window, name, row, since)
            if recent is not None:
                base, mean = recent[0], recent[1] - recent[0]
                error *= math.sqrt(max(float(noise.weight[index, row]), 1.0) / recent[2])
        requests = float(self._stream.counts.requests[row])
        return Evidence(
            metric=name,
            harm=harm,
            effect=math.exp(_bounded(mean)),
            low=math.exp(_bounded(mean - Z95 * error)),
            high=math.exp(_bounded(mean + Z95 * error)),
            canary=math.exp(_bounded(base + mean)),
            baseline=math.exp(_bounded(base)),
            since=since,
            steps=steps,
            requests=requests if self._counted(row, window) else None,
        )

    def _errors(self, row: int, window: Window) -> Evidence:
        base, canary = (float(rate[row]) for rate in self._rates)
        error = max(float(self._spread[row]), 1e-9)
        nats = float(self._harm.by_errors[row])
        harm, since = self._harm_of(-2, row, nats, (canary - base) / error, window)
        if since is not None:
            recent = _error_rates(window, row, since)
            if recent is not None:
                base, canary = recent[:2]
                error = recent[2] * float(self._temper[row])
        counted = self._counted(row, window)
        return Evidence(
            metric="error_rate",
            harm=harm,
            effect=canary - base,
            low=max(canary - base - Z95 * error, -1.0),
            high=min(canary - base + Z95 * error, 1.0),
            canary=canary,
            baseline=base,
            since=since,
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


def _log_levels(window: Window, name: str, row: int, since: float) -> tuple[float, float, int] | None:
    """Mean logs of baseline and canary from ``since`` on and the number of steps; None without a common step."""
    at = int(np.searchsorted(window.times, since))
    pair = window.metrics[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        base, canary = np.log(pair.baseline[row, at:]), np.log(pair.canary[row, at:])
    both = np.isfinite(base) & np.isfinite(canary)
    if not both.any():
        return None
    return float(base[both].mean()), float(canary[both].mean()), int(both.sum())


def _error_rates(window: Window, row: int, since: float) -> tuple[float, float, float] | None:
    """Error rates of baseline and canary from ``since`` on and the standard error of their difference, if known."""
    at = int(np.searchsorted(window.times, since))
    sums = []
    guess = np.full(len(window.times), USUAL_REQUESTS)
    if "error_rate" in window.metrics:
        guess = behind_rates(window.metrics["error_rate"].baseline[row, :, None])[:, 0]
    for side in ("baseline", "canary"):
        served = guess[at:]
        if window.requests is not None:
            known = getattr(window.requests, side)[row, at:]
            served = np.where(np.isfinite(known), known, served)
        failed = np.full_like(served, np.nan)
        if "error_rate" in window.metrics:
            failed = getattr(window.metrics["error_rate"], side)[row, at:] * served
        if window.errors is not None:
            known = getattr(window.errors, side)[row, at:]
            failed = np.where(np.isfinite(known), known, failed)
        there = np.isfinite(failed) & (served > 0)
        sums.append((float(failed[there].sum()), float(served[there].sum())))
    (kb, nb), (kc, nc) = sums
    if not nb or not nc:
        return None
    return kb / nb, kc / nc, math.sqrt((kb + 0.5) / nb**2 + (kc + 0.5) / nc**2)
