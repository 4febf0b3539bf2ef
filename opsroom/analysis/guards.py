"""Hard guards: facts that need no statistics, beside the evidence and stronger than it.

A crash loop is harm whatever the latency of the surviving pods; a canary without traffic, or one that lost it, cannot
be shown to be safe. It must not know distributions.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.window import Flags, Floats

LOOP = 3
"""Restarts of the canary beyond its baseline's, within the memory, that are a crash loop."""
LOOP_MEMORY_SECONDS = 3600.0
LOST_SHARE = 0.3
"""Traffic has been lost when the canary's share falls below this part of what it was …"""
LOST_STEPS = 4
"""… for so many steps in a row."""
CERTAIN = 8.0
"""Nats of a guard that has spoken."""


class Restarts:
    """Counts restarts of both arms; R rollouts. Cumulative counters and counts per step are both understood."""

    __slots__ = ("_keep", "_last", "_per_step", "_recent")

    def __init__(self, rollouts: int, step: float) -> None:
        self._keep = float(np.exp(-step / LOOP_MEMORY_SECONDS))
        self._last = np.full((2, rollouts), np.nan)
        self._per_step = np.zeros((2, rollouts), dtype=bool)
        self._recent = np.zeros((2, rollouts))

    def advance(self, base: Floats, canary: Floats) -> None:
        """Take the restart figures of one step (R,); NaN where unknown."""
        now = np.stack([base, canary])
        known = np.isfinite(now)
        seen = known & np.isfinite(self._last)
        step = np.where(seen, now - self._last, 0.0)
        # A counter that falls without a reset to nothing was never a counter.
        self._per_step |= seen & (step < 0) & (self._last > 0)
        new = np.where(self._per_step & known, now, np.maximum(step, 0.0))
        self._recent = self._recent * self._keep + np.minimum(new, 20.0)
        self._last = np.where(known, now, self._last)

    def excess(self) -> Floats:
        """Recent restarts of the canary beyond its baseline's."""
        found: Floats = self._recent[1] - self._recent[0]
        return found

    def harm(self) -> Floats:
        """Nats; minus infinity while there is no crash loop."""
        return np.where(self.excess() >= LOOP - 0.5, CERTAIN, -np.inf)


class Traffic:
    """Watches the canary's share of the requests; R rollouts."""

    __slots__ = ("_counted", "_low", "_served", "_share", "_steps")

    def __init__(self, rollouts: int) -> None:
        self._share = np.full(rollouts, np.nan)
        self._low = np.zeros(rollouts)
        self._steps = np.zeros(rollouts)
        self._counted = np.zeros(rollouts, dtype=bool)
        self._served = np.zeros(rollouts)

    def advance(self, base: Floats, canary: Floats) -> None:
        """Take requests of one step (R,); NaN where nobody counted."""
        known = np.isfinite(base) & (base > 0)
        total = np.where(known, base, 0.0) + np.nan_to_num(canary)
        share = np.where(known, np.nan_to_num(canary) / np.maximum(total, 1.0), np.nan)
        fallen = known & (self._steps >= LOST_STEPS) & (share < LOST_SHARE * self._share) & (total >= 10)
        self._low = np.where(known, np.where(fallen, self._low + 1, 0), self._low)
        usual = np.where(np.isfinite(self._share), self._share, share)
        self._share = np.where(known & ~fallen, usual + (share - usual) / 10.0, self._share)
        self._steps += known
        self._counted |= known & np.isfinite(canary)
        self._served += np.where(known, np.nan_to_num(canary), 0.0)

    def none(self) -> Flags:
        """Whose canary has served nothing, though its requests are counted."""
        found: Flags = self._counted & (self._served == 0)
        return found

    def lost(self) -> Flags:
        """Whose canary had traffic and lost it."""
        return self._low >= LOST_STEPS
