"""The two arms made comparable: one log-ratio a step in which what both arms share cancels.

Full pairing (canary minus baseline of the same step) cancels shared load but doubles noise that is not shared. So the
baseline's deviation from its own recent level is subtracted only as far as the canary is seen to follow it (a control
variate): x = c - level - beta * deviation. Deviations beyond a few standard deviations are subtracted whole: a
spike of both arms must cancel at its first step. The same correlation says whether the arms share their load at all.
It must not know what is harmful.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Flags, Floats

BIAS_AT = np.log([10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0])
BIAS = np.array([-0.415, -0.163, -0.094, -0.041, -0.010, 0.0])
NOISE = np.array([0.30, 0.25, 0.16, 0.10, 0.06, 0.02])
"""Log bias and standard deviation of an estimated p99 from so many requests (lognormal, sigma 0.5)."""


def small_sample(requests: Floats) -> tuple[Floats, Floats]:
    """Log bias and noise of a p99 from ``requests`` a step; 0 and NaN where nobody counted."""
    size = np.log(np.maximum(requests, 1.0))
    known = np.isfinite(requests)
    bias = np.where(known, np.interp(size, BIAS_AT, BIAS), 0.0)
    return bias, np.where(known, np.interp(size, BIAS_AT, NOISE), np.nan)


class Pairing:
    """Running state of M metrics × R rollouts."""

    __slots__ = ("_base", "_canary", "_cross", "_n", "_own", "_theirs", "_tuning", "_var", "level")

    def __init__(self, scale: Floats, rollouts: int, tuning: Tuning) -> None:
        shape = (len(scale), rollouts)
        self._tuning = tuning
        self._n = np.zeros(shape)
        self.level = np.full(shape, np.nan)
        """The baseline's recent level, log units."""
        self._base = np.full(shape, np.nan)
        self._canary = np.full(shape, np.nan)
        self._var = np.broadcast_to(scale[:, None] ** 2, shape).copy()
        self._cross = np.zeros(shape)
        self._own = np.zeros(shape)
        self._theirs = np.zeros(shape)

    def shared(self) -> Floats:
        """How far the arms are seen to move together, 0..1, shrunk towards little."""
        k = self._tuning
        both = np.sqrt(self._own * self._theirs)
        seen = (k.share_prior * k.share_weight + self._cross) / (k.share_weight + both)
        return np.clip(seen, 0.0, 1.0)

    def advance(self, base: Floats, canary: Floats) -> Floats:
        """Take the logs of one step (M, R), NaN for a gap; return the paired log-ratio, NaN where either is missing."""
        k = self._tuning
        there = np.isfinite(base)
        known = np.isfinite(self.level)
        away = np.where(known & there, base - self.level, 0.0)
        sd = np.sqrt(self._var)
        beta = np.clip((k.pair_weight + self._cross) / (k.pair_weight + self._own), 0.0, 1.0)
        near = np.clip(away, -k.pair_clip * sd, k.pair_clip * sd)
        ratio: Floats = canary - np.where(known, self.level + beta * near + (away - near), base)
        ratio[~there] = np.nan
        self._learn(base, canary, there, known, away, sd)
        return ratio

    def _learn(
        self,
        base: Floats,
        canary: Floats,
        there: Flags,
        known: Flags,
        away: Floats,
        sd: Floats,
    ) -> None:
        step_b, step_c = base - self._base, canary - self._canary
        both = np.isfinite(step_b) & np.isfinite(step_c)
        step_b = np.where(both, step_b, 0.0)
        square = np.minimum(0.5 * step_b * step_b, 9.0 * self._var)
        self._var += np.where(both, (square - self._var) / (self._n + 3.0), 0.0)
        np.maximum(self._var, 1e-4, out=self._var)
        own = np.clip(step_b / sd, -4.0, 4.0)
        theirs = np.clip(np.where(both, step_c, 0.0) / sd, -4.0, 4.0)
        self._cross += own * theirs
        self._own += own * own
        self._theirs += theirs * theirs
        pace = np.maximum(1.0 / self._tuning.pair_memory, 1.0 / (self._n + 1.0))
        self.level = np.where(known, self.level + away * pace, base)
        self._base = np.where(there, base, self._base)
        present = np.isfinite(canary)
        self._canary = np.where(present, canary, self._canary)
        self._n += there & present


class Tail:
    """How heavy the latency tail is, against the table: learned from the baseline's own noise; R rollouts."""

    __slots__ = ("_last", "_seen", "_sum")

    def __init__(self, rollouts: int, weight: float) -> None:
        self._sum = np.full(rollouts, weight)
        self._seen = np.full(rollouts, weight)
        self._last = np.full(rollouts, np.nan)

    def factor(self) -> Floats:
        """What the table's bias is to be multiplied with."""
        found: Floats = np.clip(np.sqrt(self._sum / self._seen), 0.7, 2.0)
        return found

    def advance(self, base: Floats, noise: Floats) -> None:
        """Take the baseline's log p99 and the table's noise for its requests (R,)."""
        step = base - self._last
        known = np.isfinite(step) & np.isfinite(noise)
        square = np.where(known, 0.5 * (step / np.where(known, noise, 1.0)) ** 2, 0.0)
        self._sum += np.minimum(square, 9.0 * self._sum / self._seen)
        self._seen += known
        self._last = np.where(np.isfinite(base), base, self._last)
