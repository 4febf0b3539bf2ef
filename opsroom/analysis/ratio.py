"""Evidence from metrics of which only ratios mean anything: latency, CPU, memory.

The paired log-ratio cancels load, drift and shared spikes. Beyond the margin it is whitened, scaled, clipped and bet
on; bets are mixed over sizes and start times. Rows are (metric, rollout); one call a step advances all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsroom.analysis.window import Floats


@dataclass(frozen=True, slots=True)
class RatioTuning:
    """Constants of the method, shared by all metrics."""

    bets: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    clip: float = 3.0
    phi_prior: float = 0.4
    phi_weight: float = 12.0
    phi_max: float = 0.8
    scale_weight: float = 4.0
    winsor: float = 3.0
    rms_share: float = 0.5
    memory: float = 24.0


class RatioState:
    """Running state of M metrics × R rollouts."""

    __slots__ = (
        "E",
        "n",
        "mean",
        "prev",
        "prod",
        "rms",
        "sq",
        "t",
        "var",
        "w",
        "tuning",
        "prior",
        "last_e",
        "margin",
    )

    def __init__(self, margin: Floats, prior: Floats, rollouts: int, tuning: RatioTuning) -> None:
        shape = (margin.shape[0], rollouts)
        self.tuning = tuning
        self.margin = margin
        self.prior = prior
        self.n = np.zeros(shape)
        self.prev = np.zeros(shape)
        self.mean = np.zeros(shape)
        self.w = np.zeros(shape)
        self.var = np.broadcast_to(prior**2, shape).copy()
        self.rms = self.var.copy()
        self.prod = np.zeros(shape)
        self.sq = np.zeros(shape)
        self.last_e = np.zeros(shape)
        self.E = np.zeros((len(tuning.bets), *shape))
        self.t = np.zeros(shape)

    def advance(self, x: Floats, cap: Floats) -> None:
        """Take one step: ``x`` log-ratios (M, R), NaN where either arm is missing; ``cap`` the most that one step may say."""
        k = self.tuning
        ok = np.isfinite(x)
        x = np.where(ok, x, self.prev)
        seen = self.n > 0
        scale2 = np.maximum(self.var, k.rms_share**2 * self.rms)
        phi = np.clip((k.phi_prior * k.phi_weight + self.prod) / (k.phi_weight + self.sq), 0.0, k.phi_max)
        sd = np.sqrt(scale2 / (1 - phi))
        e = (x - self.margin) / sd
        inno = np.where(seen, e - phi * self.last_e, e * (1 - phi)) / np.sqrt(1 - phi * phi)
        y = np.clip(inno, -k.clip, k.clip)
        start = ok * (1.0 / (self.t + 12.0) ** 1.5 * 1.75)
        for j, bet in enumerate(k.bets):
            grow = np.exp(np.minimum(bet * y - 0.5 * bet * bet, cap)) * ok + (1 - ok)
            self.E[j] = np.minimum((self.E[j] + start) * grow, 1e15)
        d2 = np.where(seen & ok, 0.5 * (x - self.prev) ** 2, 0)
        gain = np.where(seen & ok, 1.0 / (self.n + k.scale_weight), 0.0)
        self.var += gain * (np.minimum(d2, k.winsor**2 * self.var) - self.var)
        self.rms += gain * (np.minimum(d2, 0.5) - self.rms)
        np.maximum(self.var, 1e-4, out=self.var)
        keep = np.where(ok, 1 - 1 / k.memory, 1.0)
        self.w = self.w * keep + ok
        self.mean += np.where(ok, (np.clip(x, -1.5, 1.5) - self.mean) / np.maximum(self.w, 1), 0.0)
        c = np.clip((x - self.mean) / sd, -3, 3)
        cp = np.clip((self.prev - self.mean) / sd, -3, 3)
        self.prod += np.where(seen & ok, c * cp, 0)
        self.sq += np.where(seen & ok, c * c, 0)
        self.last_e = np.where(ok, np.clip(e, -4, 4), self.last_e)
        self.prev = x
        self.n = self.n + ok
        self.t = self.t + 1

    def harm(self) -> Floats:
        """Natural log of the mixed evidence for harm, (M, R)."""
        return np.log(self.E.mean(axis=0) + 1e-3)

    def effect(self) -> tuple[Floats, Floats]:
        """Recent mean log-ratio and its standard error, (M, R)."""
        phi = np.clip(
            (self.tuning.phi_prior * self.tuning.phi_weight + self.prod) / (self.tuning.phi_weight + self.sq),
            0,
            self.tuning.phi_max,
        )
        var = np.maximum(self.var, self.tuning.rms_share**2 * self.rms) / (1 - phi)
        se = np.sqrt(var * (1 + phi) / (1 - phi) / np.maximum(self.w, 1))
        return self.mean, np.where(self.n > 0, se, np.inf)
