"""What the baseline's CPU would be at the canary's load. Pure.

CPU a pod can only be compared at equal load, and a canary's pods rarely have it: 5 % of the traffic on one pod of five
is a quarter of what a stable pod bears. A pod's CPU is taken as idle use plus work, the work in proportion to its
requests: with load ratio r = (canary requests a pod) / (stable requests a pod) and the idle share i of a stable pod,

    expected = baseline * (i + (1 - i) * r)    for r < 1
    expected = baseline * r                    for r >= 1

Both sides err towards the canary: a busier canary is allowed all the CPU its requests could cost, a less busy one the
full idle use. With i = 1 pods are compared as they are, with i = 0 by CPU a request. A canary that bears next to
nothing (r < 1/20) says nothing about CPU: those steps are gaps, or the first traffic would look like a jump. Where
nobody counted requests, pods are compared as they are.
"""

from __future__ import annotations

import numpy as np

from opsroom.sources.aligned import Arms

LEAST_LOAD = 0.05
"""Of a stable pod's requests; below, a pod's CPU is start-up and idling."""


def at_equal_load(cpu: Arms, requests: Arms, pods: Arms, idle: float) -> Arms:
    """``cpu`` (cores a pod, R × T) with the baseline brought to the canary's load.

    ``requests`` are counts a step over all pods, taken over the same window as ``cpu``; ``pods`` the number of pods.
    """
    stable, canary = (
        counts / np.where(number > 0, number, np.nan) for counts, number in zip(requests, pods, strict=True)
    )
    ratio = np.divide(canary, stable, out=np.full(stable.shape, np.nan), where=stable > 0)
    expected = np.where(ratio < 1.0, idle + (1.0 - idle) * ratio, ratio)
    idling = ratio < LEAST_LOAD
    baseline = cpu[0] * np.where(np.isfinite(expected), expected, 1.0)
    return np.where(idling, np.nan, baseline), np.where(idling, np.nan, cpu[1])
