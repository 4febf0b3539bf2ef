"""Evidence from error counts: given an error, which arm did it come from?

Conditional on the total, the canary's share of errors does not depend on the common, moving rate: shared incidents
cancel. Bets on how many times more likely the canary fails are mixed with start times as in ``ratio``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsroom.analysis.window import Floats


@dataclass(frozen=True, slots=True)
class CountTuning:
    """Constants of the method."""

    bets: tuple[float, ...] = (1.5, 2.5, 6.0, 20.0)
    dispersion_prior: float = 1.3
    dispersion_weight: float = 6.0


class CountState:
    """Running state of R rollouts."""

    __slots__ = ("E", "disp", "dw", "kb", "kc", "nb", "nc", "points", "t", "tuning")

    def __init__(self, points: float, rollouts: int, tuning: CountTuning) -> None:
        self.tuning = tuning
        self.points = points
        self.kb = np.zeros(rollouts)
        self.kc = np.zeros(rollouts)
        self.nb = np.zeros(rollouts)
        self.nc = np.zeros(rollouts)
        self.disp = np.full(rollouts, tuning.dispersion_prior * tuning.dispersion_weight)
        self.dw = np.full(rollouts, tuning.dispersion_weight)
        self.E = np.zeros((len(tuning.bets), rollouts))
        self.t = np.zeros(rollouts)

    def advance(self, kb: Floats, kc: Floats, nb: Floats, nc: Floats, cap: Floats) -> None:
        """Take one step of counts (R,); NaN where there is no sample."""
        k = self.tuning
        ok = np.isfinite(kb) & np.isfinite(kc) & (nb > 0) & (nc > 0)
        kb, kc, nb, nc = (np.where(ok, v, 0.0) for v in (kb, kc, nb, nc))
        rate = (self.kb + self.kc + 0.5) / (self.nb + self.nc + 500.0)
        base = (self.kb + 0.5) / (self.nb + 500.0)
        slack = 1.0 + self.points / np.maximum(base, 1e-6)
        slack = np.minimum(slack, 3.0)
        ratio = np.where(ok, nc * slack / np.maximum(nb, 1e-9), 1.0)
        q = ratio / (1 + ratio)
        temper = self.disp / self.dw
        start = ok * (1.0 / (self.t + 12.0) ** 1.5 * 1.75)
        for j, r in enumerate(k.bets):
            qr = q * r / (1 - q + q * r)
            ll = (kc * np.log(qr / q) + kb * np.log((1 - qr) / (1 - q))) / temper
            self.E[j] = np.minimum((self.E[j] + start) * np.exp(np.clip(ll, -cap, cap)), 1e15)
        tot = kb + kc
        q0 = np.where(ok, nc / np.maximum(nb + nc, 1e-9), 0.5)
        share = np.where(self.kb + self.kc > 0, (self.kc + q0) / (self.kb + self.kc + 1), q0)
        v = (kc - tot * share) ** 2 / np.maximum(tot * share * (1 - share), 1e-9)
        act = tot > 0
        self.disp += np.where(act, np.minimum(v, 9 * self.disp / self.dw), 0)
        self.dw += act
        self.kb += kb
        self.kc += kc
        self.nb += nb
        self.nc += nc
        self.t += 1
        del rate

    def harm(self) -> Floats:
        """Natural log of the mixed evidence for harm, (R,)."""
        return np.log(self.E.mean(axis=0) + 1e-3)
