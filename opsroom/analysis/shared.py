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
FEWEST = 3
"""Samples on either side of the moment at which a baseline is said to have moved."""
SURE = 3.0
SURE_FEW = 4.0
"""Standard errors of a rise that is no noise: ``SURE`` in a long series, ``SURE_FEW`` / samples more in a short one."""
MEMORY_MAX = 0.8
"""Beyond it, noise and a new level cannot be told apart in a window of this length."""


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
    either side of ``since``, and while the baseline's rise may be its own noise: a canary that is alone in its harm is
    looked at again and again, and one wrong vote keeps it from being rolled back. The noise is that of a difference of
    means in an autoregressive series (variance inflated by (1 + r) / (1 - r)); error rates of few requests are mostly
    zeros, so neither medians nor absolute deviations would do.
    """
    before, after = _sides(baseline, since)
    theirs_before, theirs_after = _sides(canary, since)
    if min(len(before), len(after), len(theirs_before), len(theirs_after)) < FEWEST:
        return False
    own = float(after.mean() - before.mean())
    theirs = float(theirs_after.mean() - theirs_before.mean())
    sure = (SURE + SURE_FEW / len(after)) * _noise(before, after)
    return own > sure and own > 0.0 and theirs > 0.0 and own >= 0.5 * theirs


def _sides(arm: Floats, since: int) -> tuple[Floats, Floats]:
    before, after = arm[:since], arm[since:]
    return before[np.isfinite(before)], after[np.isfinite(after)]


def _noise(before: Floats, after: Floats) -> float:
    """Standard error of the difference of the two means, with the series' own memory taken into account."""
    rests = (before - before.mean(), after - after.mean())
    squares = sum(float(rest @ rest) for rest in rests)
    if squares <= 0.0:
        return 0.0
    n = len(before) + len(after)
    products = sum(float(rest[1:] @ rest[:-1]) for rest in rests)
    memory = products / squares
    # An estimate from few steps is too low by about this much (Kendall 1954).
    memory = min(MEMORY_MAX, max(0.0, memory + (1.0 + 4.0 * memory) / n))
    variance = squares / (n - 2) * (1.0 + memory) / (1.0 - memory)
    return math.sqrt(variance * (1.0 / len(before) + 1.0 / len(after)))
