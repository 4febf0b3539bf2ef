"""Votes across rollouts: is it the change, or something that happens to everybody?

A canary whose harm began in the middle of its watch, at the same moment as that of several others which have nothing
in common but the moment, is probably an innocent bystander (the vote). Harm that begins with the canary itself has a
better explanation (the veto). A baseline that degrades with its canary votes as well. The idea of votes and vetoes is
Gandalf's (Li et al., NSDI 2020). It must not change a score; ``control`` decides what a shared symptom means.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from opsroom.analysis.window import Flags, Floats

NEAR_STEPS = 2
"""Harms that begin within so many steps of each other begin together."""
START_STEPS = 8
"""Harm that begins within so many steps of the canary's start is the canary's own (warm-up may hide it so long)."""
USUAL = 0.005
"""Harms per canary and step that are expected anyway."""
CHANCE = 0.01
"""A coincidence less likely than this is none."""


def together(harmed: Flags, since: NDArray[np.int64], started: NDArray[np.int64]) -> Flags:
    """Whose harm is shared, (R,): ``harmed`` now, ``since`` which step, on a canary ``started`` at which step."""
    late = harmed & (since > started + START_STEPS)
    shared = np.zeros(len(harmed), dtype=bool)
    others = len(harmed) - 1
    moments = since[late]
    for row in np.nonzero(late)[0]:
        same = int((np.abs(moments - since[row]) <= NEAR_STEPS).sum()) - 1
        shared[row] = same > 0 and at_least(same, others, USUAL * (2 * NEAR_STEPS + 1)) < CHANCE
    return shared


def at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) for X binomial(n, p)."""
    log_p, log_q = math.log(p), math.log1p(-p)
    below = 0.0
    for i in range(min(k, n + 1)):
        ways = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
        below += math.exp(ways + i * log_p + (n - i) * log_q)
    return max(0.0, 1.0 - below)


def baseline_moved(baseline: Floats, canary: Floats, since: int) -> bool:
    """Did the baseline's level rise from step ``since`` on by at least half of what the canary's rose by?

    One metric of one rollout, both arms (T,), in units where more is worse. False with fewer than three samples on
    either side of ``since``.
    """
    rises = []
    for arm in (baseline, canary):
        before, after = arm[:since], arm[since:]
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        if len(before) < 3 or len(after) < 3:
            return False
        middle = float(np.median(before))
        noise = 1.4826 * float(np.median(np.abs(before - middle))) / math.sqrt(len(after))
        rises.append((float(np.median(after)) - middle, noise))
    (own, noise), (theirs, _) = rises
    return own > 3.0 * noise and own > 0 and theirs > 0 and own >= 0.5 * theirs
