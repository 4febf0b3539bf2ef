"""The two arms made comparable: one log-ratio a step in which what both arms share cancels.

Full pairing (canary minus baseline of the same step) cancels shared load but doubles noise that is not shared. So the
baseline's deviation from its own recent level is subtracted only as far as the canary is seen to follow it (a control
variate): x = c - level - beta * deviation. Deviations beyond a few standard deviations are subtracted whole: a
spike of both arms must cancel at its first step. So are those that last, as far as the canary goes the same way: a load
that rises for both, however slowly, is no news. The same correlation says whether the arms share their load at all.
It must not know what is harmful.
"""

from __future__ import annotations

import math

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


class Level:
    """The recent level of one arm, and what of its deviations from it lasts; M metrics × R rollouts."""

    __slots__ = ("_pace", "at", "lasting")

    def __init__(self, shape: tuple[int, int], tuning: Tuning) -> None:
        self._pace = tuning.lasting_pace
        self.at = np.full(shape, np.nan)
        """Log units; NaN before the first sample."""
        self.lasting = np.zeros(shape)
        """Recent mean of the deviations, log units."""

    def away(self, values: Floats) -> Floats:
        """Deviation of one step (NaN: a gap), 0 where there is none; it enters ``lasting``."""
        found: Floats = values - self.at
        np.copyto(found, 0.0, where=np.isnan(found))
        self.lasting += (found - self.lasting) * self._pace
        return found

    def follow(self, values: Floats, away: Floats, pace: Floats) -> None:
        """Learn the step: a part ``pace`` of its deviation."""
        pull = away * pace
        self.at += pull
        np.copyto(self.at, values, where=np.isnan(self.at))
        self.lasting -= pull


class Pairing:
    """Running state of M metrics × R rollouts."""

    __slots__ = ("_base", "_canary", "_cross", "_n", "_own", "_own_level", "_their_level", "_theirs", "_tuning", "_var")

    def __init__(self, scale: Floats, rollouts: int, tuning: Tuning) -> None:
        shape = (len(scale), rollouts)
        self._tuning = tuning
        self._n = np.zeros(shape)
        self._own_level = Level(shape, tuning)
        self._their_level = Level(shape, tuning)
        self._base = np.full(shape, np.nan)
        self._canary = np.full(shape, np.nan)
        self._var = np.broadcast_to(scale[:, None] ** 2, shape).copy()
        self._cross = np.zeros(shape)
        self._own = np.zeros(shape)
        self._theirs = np.zeros(shape)

    @property
    def level(self) -> Floats:
        """The baseline's recent level, log units."""
        return self._own_level.at

    def shared(self) -> Floats:
        """How far the arms are seen to move together, 0..1, shrunk towards little."""
        k = self._tuning
        both = np.sqrt(self._own * self._theirs)
        seen = (k.share_prior * k.share_weight + self._cross) / (k.share_weight + both)
        return np.clip(seen, 0.0, 1.0)

    def surely_shared(self) -> Flags:
        """Whether they move together by more than chance would have it."""
        both = np.sqrt(self._own * self._theirs)
        return np.asarray(self._cross > self._tuning.share_sure * np.sqrt(both), dtype=np.bool_)

    def advance(self, base: Floats, canary: Floats) -> Floats:
        """Take the logs of one step (M, R), NaN for a gap; return the paired log-ratio, NaN where either is missing."""
        k = self._tuning
        there, present = np.isfinite(base), np.isfinite(canary)
        away, follows = self._own_level.away(base), self._their_level.away(canary)
        sd = np.sqrt(self._var)
        beta = np.clip((k.pair_weight + self._cross) / (k.pair_weight + self._own), 0.0, 1.0)
        moved = self._moved(sd)
        rest = away - moved
        near = np.clip(rest, -k.pair_clip * sd, k.pair_clip * sd)
        known = np.isfinite(self.level)
        ratio: Floats = canary - np.where(known, self.level + moved + beta * near + (rest - near), base)
        ratio[~there] = np.nan
        self._learn(base, canary, sd)
        pace = np.maximum(1.0 / k.pair_memory, 1.0 / (self._n + 1.0))
        self._own_level.follow(base, away, pace)
        self._their_level.follow(canary, follows, pace)
        self._base = np.where(there, base, self._base)
        self._canary = np.where(present, canary, self._canary)
        self._n += there & present
        return ratio

    def _moved(self, sd: Floats) -> Floats:
        """What lasts of the baseline's deviations and is seen in the canary as well."""
        k = self._tuning
        lasting = self._own_level.lasting
        noise = sd * math.sqrt(k.lasting_pace / (2.0 - k.lasting_pace))
        moved = lasting * np.clip(np.abs(lasting) / noise - k.lasting_from, 0.0, 1.0)
        # Where the canary does not go the same way, the two are not the same minutes, or the baseline is ill.
        return np.clip(self._their_level.lasting, np.minimum(moved, 0.0), np.maximum(moved, 0.0))

    def _learn(self, base: Floats, canary: Floats, sd: Floats) -> None:
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
