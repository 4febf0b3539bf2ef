"""Evidence from error counts: given an error, which arm did it come from?

Conditional on the total of a step, the canary's errors are binomial with its share of the requests, whatever the
common, moving error rate: shared incidents cancel. Bets are on how many times more likely the canary fails. Bursts
make errors come in clumps: the exponent is divided by the dispersion, learned from steps in which the *baseline* had
the clump, so that the canary's own harm never excuses itself. It must not know other metrics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsroom.analysis.bets import CEILING, odds
from opsroom.analysis.ratio import Pace
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Floats


class CountEvidence:
    """Running state of R rollouts."""

    __slots__ = (
        "_bets",
        "_dispersion",
        "_events",
        "_pace",
        "_points",
        "_recent",
        "_seen",
        "_tuning",
        "_wealth",
        "ok",
        "requests",
        "steps",
        "won",
    )

    def __init__(self, points: float, rollouts: int, pace: Pace, tuning: Tuning) -> None:
        self._tuning = tuning
        self._pace = pace
        self._points = points
        self._bets = np.array(tuning.error_bets)[:, None]
        self._wealth = np.zeros((len(tuning.error_bets), rollouts))
        self._seen = np.zeros((2, rollouts))
        self._recent = np.zeros((4, rollouts))
        self._dispersion = np.full(rollouts, tuning.dispersion * tuning.dispersion_weight)
        self._events = np.full(rollouts, tuning.dispersion_weight)
        self.ok = np.zeros(rollouts, dtype=bool)
        self.won = np.zeros((len(tuning.error_bets), rollouts))
        """What each bet gained or lost at the last step."""
        self.steps = np.zeros(rollouts)
        self.requests = np.zeros(rollouts)
        """Requests of the canary so far."""

    def advance(self, kb: Floats, kc: Floats, nb: Floats, nc: Floats) -> None:
        """Take errors and requests of baseline and canary of one step (R,); NaN where nobody knows."""
        k = self._tuning
        with np.errstate(invalid="ignore"):
            ok = np.isfinite(kb) & np.isfinite(kc) & (nb > 0) & (nc > 0)
        kb, kc, nb, nc = (np.where(ok, v, 0.0) for v in (kb, kc, nb, nc))
        self.ok = ok
        self._recent *= 1.0 - 1.0 / k.error_memory
        for row, v in zip(self._recent, (kb, kc, nb, nc), strict=True):
            row += v
        self.won = np.zeros_like(self._wealth)
        active = np.nonzero(ok & (kb + kc > 0))[0]
        if len(active):
            self._bet(active, kb[active], kc[active], nb[active], nc[active])
        self._wealth *= 1.0 - k.restart * ok
        self._wealth += k.restart * ok
        if len(active):
            self._wealth[:, active] *= np.exp(self.won[:, active])
            np.minimum(self._wealth, CEILING, out=self._wealth)
        self._seen += (kb + kc, nb + nc)
        self.steps += ok
        self.requests += nc

    def _bet(self, at: NDArray[np.intp], kb: Floats, kc: Floats, nb: Floats, nc: Floats) -> None:
        k, cap = self._tuning, self._pace.per_step_errors
        usual = (self._seen[0, at] + 0.5) / (self._seen[1, at] + 500.0)
        slack = np.minimum(1.0 + self._points / usual, k.error_slack)
        odds = nc * slack / nb
        share = odds / (1.0 + odds)
        temper = self._dispersion[at] / self._events[at]
        total = kb + kc
        gain = kc * np.log(self._bets) - total * np.log1p(share * (self._bets - 1.0))
        # What was learned must not temper what acquits, or more errors could make an earlier step acquit more.
        gain /= np.where(gain > 0, temper, k.dispersion)
        gain = np.clip(gain, -2.0 * cap, cap)
        matters = np.clip(self.rise()[at] / self._points - 1.0, 0.0, 1.0)
        self.won[:, at] = np.where(gain > 0, gain * matters, gain)
        fair = nc / (nb + nc)
        short = np.minimum(kc - total * fair, 0.0)
        clump = np.maximum(short * short / np.maximum(total * fair * (1.0 - fair), 1e-9), 1.0)
        self._dispersion[at] += np.minimum(2.0 * clump - 1.0, 9.0 * temper)
        self._events[at] += 1.0

    def rates(self) -> tuple[Floats, Floats]:
        """Recent error rates of baseline and canary, 0..1."""
        kb, kc, nb, nc = self._recent
        return kb / np.maximum(nb, 1.0), kc / np.maximum(nc, 1.0)

    def spread(self) -> Floats:
        """Standard error of the difference of the recent rates."""
        kb, kc, nb, nc = self._recent
        temper = self.temper()
        var = (kb + 0.5) / np.maximum(nb, 1.0) ** 2 + (kc + 0.5) / np.maximum(nc, 1.0) ** 2
        found: Floats = temper * np.sqrt(var)
        return found

    def temper(self) -> Floats:
        """Factor on standard errors for clumped errors."""
        found: Floats = np.sqrt(self._dispersion / self._events)
        return found

    def rise(self) -> Floats:
        """Recent error rate of the canary minus that of the baseline."""
        base, canary = self.rates()
        return canary - base

    def odds(self) -> Floats:
        """Odds that the canary fails more often, (R,)."""
        return odds(self._wealth)
