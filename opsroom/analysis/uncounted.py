"""How many requests stand behind error rates where nobody counted them.

An error is at least one request, so a rate of 1/11 came from eleven requests or more; and a rate that jumps between 0
and 1/11 came from about as many, because a proportion of n varies by p (1 - p) / n. Both are read off the baseline
only, for both arms: a canary's own errors must never make them count for less. It must not know the judge.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.window import Floats

USUAL_REQUESTS = 100.0
"""A step is taken for so many requests while the baseline has shown no error …"""
USUAL_WEIGHT = 5.0
"""… which counts as so many steps afterwards."""


def behind_rates(baseline: Floats) -> Floats:
    """Requests of an arm at each step, T × R, from the baseline's error rates up to it (NaN where unknown)."""
    known = np.isfinite(baseline)
    rate = np.where(known, baseline, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.fmax.accumulate(np.where(rate > 0, 1.0 / rate, np.nan), axis=0)
        steps = np.cumsum(known, axis=0)
        mean = np.cumsum(rate, axis=0) / np.maximum(steps, 1)
        # Differences of neighbours, because a lasting rise must not look like noise.
        square = 0.5 * np.diff(rate, axis=0, prepend=0.0) ** 2
        single = mean * (1.0 - mean)
        seen = np.cumsum(square * known, axis=0) + USUAL_WEIGHT * single / USUAL_REQUESTS
        spread = np.minimum(single * (steps + USUAL_WEIGHT) / seen, USUAL_REQUESTS)
    found: Floats = np.nan_to_num(np.fmax(least, spread), nan=USUAL_REQUESTS)
    return found
