"""How many pods each side of an update should have: surge limits, canary shares, rolling steps.

Pure arithmetic after k8s.io pkg/controller/deployment/util (ResolveFenceposts, NewRSNewReplicas) and
argo-rollouts utils/replicaset/canary.go. It knows numbers, not objects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

DEFAULT_SHARE = "25%"


@dataclass(frozen=True, slots=True)
class Fence:
    """How far an update may go above and below the wanted number of pods."""

    surge: int
    unavailable: int


def fence(replicas: int, max_surge: int | str | None, max_unavailable: int | str | None) -> Fence:
    """Resolve both limits: surge rounds up, unavailable rounds down, never both zero."""
    surge = _resolve(max_surge, replicas, round_up=True)
    unavailable = _resolve(max_unavailable, replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        return Fence(0, 1)
    return Fence(surge, min(unavailable, replicas))


def _resolve(value: int | str | None, replicas: int, *, round_up: bool) -> int:
    chosen = DEFAULT_SHARE if value is None else value
    if isinstance(chosen, int):
        return chosen
    share = Fraction(replicas * int(chosen.rstrip("%")), 100)
    return math.ceil(share) if round_up else math.floor(share)


def rolling_new_count(wanted: int, current_new: int, current_all: int, surge: int) -> int:
    """The next size of the new ReplicaSet in a rolling update (all sizes are `spec.replicas`)."""
    if current_new >= wanted:
        return wanted
    room = wanted + surge - current_all
    return current_new if room <= 0 else current_new + min(room, wanted - current_new)


def routed_canary_count(wanted: int, weight: int) -> int:
    """Pods that carry `weight` percent where a router splits the traffic (stable keeps all of its own)."""
    return math.ceil(Fraction(wanted * weight, 100))


def basic_canary_split(wanted: int, weight: int, surge: int) -> tuple[int, int]:
    """(canary, stable) whose ratio comes closest to `weight` percent, using surge where that helps.

    Of two equally close splits the one with fewer pods wins. Neither side is emptied at weights 1-99.
    Source: argo-rollouts approximateWeightedCanaryStableReplicaCounts.
    """
    if wanted == 0:
        return 0, 0
    if weight <= 0:
        return 0, wanted
    if weight >= 100:
        return wanted, 0
    lone = wanted == 1 and surge == 0
    best: tuple[Fraction, int, int] | None = None
    for size in range(wanted, wanted + surge + 1):
        for canary in {math.ceil(Fraction(size * weight, 100)), size * weight // 100}:
            if not lone and (canary == 0 or canary >= size):
                continue
            distance = abs(Fraction(canary * 100, size) - weight)
            if best is None or (distance, size, -canary) < best:
                best = (distance, size, -canary)
    if best is None:
        return 1, wanted
    return -best[2], best[1] + best[2]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Current sizes of a basic canary: `spec.replicas` of each side, and how many pods are available."""

    canary: int
    stable: int
    others: int
    canary_available: int
    stable_available: int


def basic_canary_step(wanted: int, split: tuple[int, int], now: Sizes, limits: Fence) -> tuple[int, int]:
    """The next (canary, stable) sizes on the way to `split`, one direction at a time, inside the fence."""
    want_canary, want_stable = split
    room = wanted + limits.surge - (now.canary + now.stable + now.others)
    if now.canary < want_canary and room > 0:
        return min(want_canary, now.canary + room), now.stable
    if now.stable < want_stable and room > 0:
        return now.canary, min(want_stable, now.stable + room)
    return _shrink(wanted, split, now, limits)


def _shrink(wanted: int, split: tuple[int, int], now: Sizes, limits: Fence) -> tuple[int, int]:
    want_canary, want_stable = split
    spare = now.canary_available + now.stable_available - max(0, wanted - limits.unavailable)
    canary, stable = now.canary, now.stable
    if canary > want_canary:
        unready = canary - now.canary_available
        step = min(canary - want_canary, max(spare, 0) + unready)
        canary -= step
        spare -= max(0, step - unready)
    if stable > want_stable:
        unready = stable - now.stable_available
        stable -= min(stable - want_stable, max(spare, 0) + unready)
    return canary, stable


def spread(target: int, sizes: list[int]) -> list[int]:
    """Scale several ReplicaSets to `target` pods in all, in proportion to their sizes; largest first.

    The leftover of rounding goes to the first. Source: Deployment controller, proportional scaling.
    """
    before = sum(sizes)
    if before == 0:
        return sizes
    scaled = [round(Fraction(size * target, before)) for size in sizes]
    if scaled:
        scaled[0] = max(0, scaled[0] + target - sum(scaled))
    return scaled
