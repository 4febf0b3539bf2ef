"""When a waiting rollout will start, by playing the queue forward.

Lengths of rollouts are drawn from what the same service took before; sixteen plays with a fixed seed give the middle
and the ninetieth percentile. Only the first few hundred are played: nobody reads the time of the thousandth.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsroom.control.slots import Key
from opsroom.domain.rollout import Uid

PLAYS = 16
PLAYED = 300
_P50, _P90 = 7, 14
"""Index into the sorted plays."""

MIN_LEFT = 5.0
"""Seconds: what has outlived its expectation ends "soon", never in the past."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A rollout in a slot, or in line for one."""

    uid: Uid
    service: str
    keys: Sequence[Key]
    since: float = 0.0
    """Of a running one: when it began (epoch seconds)."""
    not_before: float = 0.0
    """Of a waiting one: the end of its freeze window."""
    ends: float | None = None
    """Of a running one that waits for a person: when it gives its slot back at the latest."""


def forecast(
    running: Sequence[Runner],
    waiting: Sequence[Runner],
    sizes: Mapping[str, int],
    lengths: Mapping[str, tuple[float, ...]],
    typical: float,
    now: float,
) -> dict[Uid, tuple[float, float]]:
    """(p50, p90) of the start of each of the first ``waiting`` ones, in their order (epoch seconds)."""
    line = waiting[:PLAYED]
    starts: dict[Uid, list[float]] = {one.uid: [] for one in line}
    known = [length for each in lengths.values() for length in each] or [typical]
    for play in range(PLAYS):
        chance = random.Random(play)  # noqa: S311 - plays, not secrets; a fixed seed keeps the times from flickering
        ends = _ends(running, lengths, known, chance, now)
        for one in line:
            start = max(now, one.not_before)
            for key in one.keys:
                heap = ends.setdefault(key, [])
                over = len(heap) - sizes[key[0]]
                if over >= 0:
                    start = max(start, heapq.nsmallest(over + 1, heap)[-1] if over else heap[0])
            starts[one.uid].append(start)
            _occupy(ends, one, start + _drawn(one.service, lengths, known, chance), sizes)
    return {uid: (sorted(found)[_P50], sorted(found)[_P90]) for uid, found in starts.items()}


def expected_end(one: Runner, lengths: Mapping[str, tuple[float, ...]], typical: float, now: float) -> float:
    """When a running rollout is expected to end (epoch seconds)."""
    if one.ends is not None:
        return max(now + MIN_LEFT, one.ends)
    known = [length for each in lengths.values() for length in each] or [typical]
    found = sorted(lengths.get(one.service) or known)
    return max(now + MIN_LEFT, one.since + found[len(found) // 2])


def _ends(
    running: Sequence[Runner],
    lengths: Mapping[str, tuple[float, ...]],
    known: Sequence[float],
    chance: random.Random,
    now: float,
) -> dict[Key, list[float]]:
    ends: dict[Key, list[float]] = {}
    for one in running:
        drawn = one.since + _drawn(one.service, lengths, known, chance)
        end = max(now + MIN_LEFT, drawn if one.ends is None else one.ends)
        for key in one.keys:
            heapq.heappush(ends.setdefault(key, []), end)
    return ends


def _occupy(ends: dict[Key, list[float]], one: Runner, end: float, sizes: Mapping[str, int]) -> None:
    for key in one.keys:
        heap = ends[key]
        if len(heap) >= sizes[key[0]]:
            heapq.heapreplace(heap, end)
        else:
            heapq.heappush(heap, end)


def _drawn(
    service: str, lengths: Mapping[str, tuple[float, ...]], known: Sequence[float], chance: random.Random
) -> float:
    return chance.choice(lengths.get(service) or known)
