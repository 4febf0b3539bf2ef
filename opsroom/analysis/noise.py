"""How noisy a log-ratio is and how long its noise lasts: robust scale, shrunk autocorrelation, recent mean.

The scale comes from first differences (a level shift touches one of them), winsorised; the autocorrelation from
deviations from the recent mean, with Kendall's correction for the mean being estimated, shrunk towards the family's
first guess. Everything is read before the step is learned, so a step is judged by the steps before it.
It must not know what is harmful.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Flags, Floats

EARLY_STEPS = 8
"""The first steps of a canary, as far as what was there from the start is concerned."""


class Noise:
    """Running state of M metrics × R rollouts."""

    __slots__ = (
        "_cross",
        "_floor",
        "_found",
        "_phi",
        "_square",
        "_tuning",
        "_var",
        "_young",
        "early",
        "last",
        "mean",
        "n",
        "past",
        "weight",
    )

    def __init__(self, scale: Floats, floor: Floats, phi: Floats, rollouts: int, tuning: Tuning) -> None:
        shape = (len(scale), rollouts)
        self._tuning = tuning
        self._floor = floor[:, None] ** 2
        self._phi = phi[:, None]
        self._var = np.broadcast_to(scale[:, None] ** 2, shape).copy()
        self._cross = np.zeros(shape)
        self._square = np.zeros(shape)
        self._found: Floats | None = None
        """The autocorrelation after the last step, once somebody asked."""
        self.last = np.zeros(shape)
        self.n = np.zeros(shape)
        self.weight = np.zeros(shape)
        self.mean = np.zeros(shape)
        self._young = True
        """Whether anybody is still at the first steps."""
        self.early = np.zeros(shape)
        """The mean of the first steps."""
        self.past = [np.zeros(shape) for _ in range(4)]
        """The recent mean as it was 1..4 steps ago."""

    def phi(self) -> Floats:
        """Autocorrelation from step to step."""
        if self._found is None:
            k = self._tuning
            raw = self._cross / np.maximum(self._square, 1e-9)
            lost = k.phi_bias * np.clip((1.0 + 3.0 * raw) / np.maximum(self.weight, 4.0), 0.0, 0.35)
            found = self._phi * k.phi_weight + self._cross + self._square * lost
            self._found = np.clip(found / (k.phi_weight + self._square), 0.0, k.phi_max)
        return self._found

    def wander(self) -> Floats:
        """Autocorrelation again, shrunk towards much: is the level itself adrift?"""
        k = self._tuning
        found: Floats = (k.wander_prior * k.wander_weight + self._cross) / (k.wander_weight + self._square)
        return found

    def scale(self, phi: Floats) -> Floats:
        """Standard deviation of one step's log-ratio."""
        found: Floats = np.sqrt(np.maximum(self._var, self._floor) / (1.0 - phi))
        return found

    def error(self, phi: Floats, scale: Floats) -> Floats:
        """Standard error of the recent mean."""
        found: Floats = scale * np.sqrt((1.0 + phi) / (1.0 - phi) / np.maximum(self.weight, 1.0))
        return found

    def advance(self, x: Floats, ok: Flags, scale: Floats) -> None:
        """Learn one step's log-ratio (finite everywhere, meaningful where ``ok``)."""
        k = self._tuning
        self._found = None
        started = self.n > 0
        both = ok & started
        step = np.where(both, x - self.last, 0.0)
        gain = np.where(both, np.minimum(k.scale_gain / (self.n + k.scale_weight), 0.5), 0.0)
        self._var += gain * (np.minimum(0.5 * step * step, k.winsor**2 * self._var) - self._var)
        np.maximum(self._var, 1e-4, out=self._var)
        self.weight = np.where(ok, self.weight * (1.0 - 1.0 / k.memory) + 1.0, self.weight)
        away = x - self.mean
        pull = np.where(started, np.clip(away, -1.0, 1.0), away)
        self.mean = np.where(ok, self.mean + pull / np.maximum(self.weight, 1.0), self.mean)
        now = np.clip((x - self.mean) / scale, -3.0, 3.0)
        before = np.clip((self.last - self.mean) / scale, -3.0, 3.0)
        self._cross += np.where(both, now * before, 0.0)
        self._square += np.where(both, now * now, 0.0)
        if self._young:
            young = self.n < EARLY_STEPS
            self.early = np.where(young, self.mean, self.early)
            self._young = bool(young.any())
        newer = [self.mean, *self.past[:3]]
        self.past = [np.where(ok, new, old) for new, old in zip(newer, self.past, strict=True)]
        self.last = np.where(ok, x, self.last)
        self.n += ok
