"""Evidence from metrics of which only ratios mean anything: latency, CPU, memory, custom ones.

Two questions a metric. *Level*: is the canary above its baseline by more than the margin (and a fading allowance for
warm-up)? *Change*: is it above its own past, whatever the baseline says? The second finds a fault where the first
cannot be trusted, because the baseline is history or its pods are unlike. Both bet on whitened, clipped deviations;
no step may say more than its share, so that a blip cannot decide. Rows are (metric, rollout).
It must not know counts, and not what other metrics say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from opsroom.analysis.bets import CEILING, grow, odds
from opsroom.analysis.noise import Noise
from opsroom.analysis.pairing import Pairing
from opsroom.analysis.tuning import Family, Tuning
from opsroom.analysis.window import Flags, Floats

CHANGE_AFTER = 8
"""Steps of its own past that a canary needs before a change can be told."""
Z95 = 1.96
SPIKE = 0.25
SPIKE_SCALES = 2.5
"""A step is a spike beyond so many standard deviations, at least so much (log units), and twice what is innocent."""
SPIKE_LATER = 0.05
SPIKE_UP = np.array([0.75, 0.9])[:, None, None]
"""Bets on the part of the spikes that are the canary's; half of them are, where the arms are alike."""
SPIKE_WON, SPIKE_LOST = 2.0 * SPIKE_UP, 2.0 - 2.0 * SPIKE_UP


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast evidence may grow, which depends on how long a step lasts."""

    clip: float
    per_step: float
    per_step_errors: float
    warm_steps: float

    @classmethod
    def of(cls, step: float, tuning: Tuning) -> Pace:
        """For steps of ``step`` seconds: up to a minute a blip may last three of them, at five minutes none."""
        slow = float(np.clip(np.log(step / 60.0) / np.log(5.0), 0.0, 1.0))
        hot = tuning.hot_steps + slow * (tuning.hot_steps_slow - tuning.hot_steps)
        errors = tuning.hot_errors + slow * (tuning.hot_errors_slow - tuning.hot_errors)
        return cls(
            clip=tuning.clip + slow * (tuning.clip_slow - tuning.clip),
            per_step=tuning.full / hot,
            per_step_errors=tuning.full / errors,
            warm_steps=tuning.warm_steps * (1.0 - 0.75 * slow),
        )


class RatioEvidence:
    """Running state of M metrics × R rollouts."""

    __slots__ = (
        "_bets",
        "_change",
        "_change_by",
        "_change_last",
        "_far_down",
        "_far_up",
        "_last",
        "_level",
        "_margin",
        "_pace",
        "_spikes",
        "_tuning",
        "_warm",
        "excess",
        "noise",
        "ok",
        "pairing",
        "won",
    )

    def __init__(self, families: list[Family], margins: Floats, rollouts: int, pace: Pace, tuning: Tuning) -> None:
        shape = (len(families), rollouts)
        bets = (len(tuning.bets), *shape)
        scale = np.array([f.scale for f in families])
        self._tuning = tuning
        self._pace = pace
        self._bets = np.array(tuning.bets)[:, None, None]
        self._margin = margins[:, None]
        self._warm = np.array([f.warm for f in families]).reshape(-1, 1)
        self._change_by = np.array([f.change for f in families]).reshape(-1, 1)
        self.pairing = Pairing(scale, rollouts, tuning)
        floor, phi = np.array([f.floor for f in families]), np.array([f.phi for f in families])
        self.noise = Noise(scale, floor, phi, rollouts, tuning)
        self._level = np.zeros(bets)
        self._change = np.zeros(bets)
        self._spikes = np.zeros((len(SPIKE_UP), *shape))
        self._far_up = np.zeros(shape, dtype=bool)
        self._far_down = np.zeros(shape, dtype=bool)
        self._last = np.zeros(shape)
        self._change_last = np.zeros(shape)
        self.ok = np.zeros(shape, dtype=bool)
        self.excess = np.zeros(shape)
        """By how much the last step exceeds what is innocent."""
        self.won = np.zeros(bets)
        """What each bet on the level gained or lost at the last step."""

    def advance(self, base: Floats, canary: Floats, bias: Floats) -> None:
        """Take the logs of one step (M, R), NaN for a gap; ``bias`` is what the canary owes to few requests."""
        k, noise = self._tuning, self.noise
        ratio = self.pairing.advance(base, canary) - bias
        ok = np.isfinite(ratio)
        x = np.where(ok, ratio, noise.last)
        phi = noise.phi()
        scale = noise.scale(phi)
        whiten = 1.0 / np.sqrt(1.0 - phi * phi)
        self.ok = ok
        self.excess = x - self._margin - self._warm * np.exp(-noise.n / self._pace.warm_steps)
        deviation = self.excess / scale
        first = noise.n == 0
        fresh = np.where(first, deviation * (1.0 - phi), deviation - phi * self._last) * whiten
        self.won = self._gain(fresh, ok)
        grow(self._level, self.won, np.where(ok, k.restart, 0.0))
        self._last = np.where(ok, np.clip(deviation, -4.0, 4.0), self._last)
        self._advance_change(x, ok, phi, scale, whiten)
        self._advance_spikes(x, ok, scale)
        noise.advance(x, ok, scale)

    def _advance_spikes(self, x: Floats, ok: Flags, scale: Floats) -> None:
        far = np.maximum(np.maximum(SPIKE_SCALES * scale, SPIKE), 2.0 * self._margin)
        up, down = ok & (x > far), ok & (x < -far)
        # A spike of several steps is one accident, so its later steps count for little.
        won = np.where(up, np.where(self._far_up, SPIKE_WON**SPIKE_LATER, SPIKE_WON), 1.0)
        lost = np.where(down, np.where(self._far_down, SPIKE_LOST**SPIKE_LATER, SPIKE_LOST), 1.0)
        stake = np.where(ok, self._tuning.restart, 0.0)
        self._spikes *= 1.0 - stake
        self._spikes += stake
        self._spikes *= won * lost
        np.minimum(self._spikes, CEILING, out=self._spikes)
        self._far_up = np.where(ok, up, self._far_up)
        self._far_down = np.where(ok, down, self._far_down)

    def _advance_change(self, x: Floats, ok: Flags, phi: Floats, scale: Floats, whiten: Floats) -> None:
        noise = self.noise
        ready = ok & (noise.n >= CHANGE_AFTER)
        spread = scale * np.sqrt(1.0 + (1.0 + phi) / (1.0 - phi) / np.maximum(noise.weight, 1.0))
        deviation = (x - noise.past[3] - self._change_by) / spread
        gain = self._gain((deviation - phi * self._change_last) * whiten, ready)
        grow(self._change, gain, np.where(ready, self._tuning.restart, 0.0))
        self._change_last = np.where(ready, np.clip(deviation, -4.0, 4.0), self._change_last)

    def _gain(self, fresh: Floats, ok: Flags) -> Floats:
        y = np.clip(fresh, -self._pace.clip, self._pace.clip)
        gain = np.minimum(self._bets * y - 0.5 * self._bets**2, self._pace.per_step)
        gain *= ok
        return gain

    def level(self) -> Floats:
        """Odds that the canary is worse than its baseline, (M, R)."""
        return odds(self._level)

    def change(self) -> Floats:
        """Odds that the canary is worse than it was, or that single steps of it are far too high, (M, R)."""
        k = self._tuning
        own = odds(self._change) * math.exp(-k.change_penalty)
        found: Floats = np.maximum(own, odds(self._spikes) * math.exp(-k.spike_penalty))
        return found

    def shown_worse(self) -> Flags:
        """Whether the 95 % interval of some metric's recent mean lies beyond its margin, (R,).

        Only where the arms surely share their load: elsewhere a difference of level says nothing.
        """
        noise = self.noise
        phi = noise.phi()
        least = noise.mean - Z95 * noise.error(phi, noise.scale(phi))
        worse = (least > self._margin) & self.pairing.surely_shared() & (noise.n > 0)
        return np.asarray(worse.any(axis=0), dtype=np.bool_)
