"""When a waiting rollout will start, by playing the queue forward.

Lengths of rollouts are drawn from what the same service took before; sixteen plays with a fixed seed give the middle
and the ninetieth percentile. Only the first few hundred are played: nobody reads the time of the thousandth. Limits
that cannot bind are left out, and of those that run only the ones that may end first are drawn: the others just
occupy their slots.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opsroom.control.slots import Key
from opsroom.domain.rollout import Uid

PLAYS = 16
PLAYED = 300
NEAR = 2 * PLAYED
"""Of each limit, how many of those that run may end before the last one that is played has started."""

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


@dataclass(slots=True)
class _Stage:
    """What all plays have in common."""

    now: float
    lengths: Mapping[str, tuple[float, ...]]
    known: Sequence[float]
    sizes: dict[Key, int]
    """Slots of each limit that can bind, without those that are occupied for as long as the play lasts."""
    near: list[tuple[Runner, list[Key]]] = field(default_factory=list)

    def drawn(self, service: str, chance: random.Random) -> float:
        """How long a rollout of ``service`` takes in this play."""
        found = self.lengths.get(service) or self.known
        return found[int(chance.random() * len(found))]


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
    stage = _stage(running, line, sizes, lengths, typical, now)
    wanted = [(one, [key for key in one.keys if key in stage.sizes]) for one in line]
    starts: dict[Uid, list[float]] = {one.uid: [] for one in line}
    for play in range(PLAYS):
        chance = random.Random(play)  # noqa: S311 - plays, not secrets; a fixed seed keeps the times from flickering
        ends = _ends(stage, chance)
        for one, keys in wanted:
            start = max(now, one.not_before)
            for key in keys:
                heap = ends[key]
                over = len(heap) - stage.sizes[key]
                if over >= 0 and heap:
                    start = max(start, heapq.nsmallest(min(over + 1, len(heap)), heap)[-1] if over else heap[0])
            starts[one.uid].append(start)
            end = start + stage.drawn(one.service, chance)
            for key in keys:
                if len(ends[key]) >= stage.sizes[key] and ends[key]:
                    heapq.heapreplace(ends[key], end)
                else:
                    heapq.heappush(ends[key], end)
    return {uid: (sorted(found)[_P50], sorted(found)[_P90]) for uid, found in starts.items()}


def expected_end(one: Runner, lengths: Mapping[str, tuple[float, ...]], usual: float, now: float) -> float:
    """When a running rollout is expected to end (epoch seconds), never before a moment from now."""
    return max(now + MIN_LEFT, usual_end(one, lengths, usual))


def usual_end(one: Runner, lengths: Mapping[str, tuple[float, ...]], usual: float) -> float:
    """When it ends if it takes as long as usual (epoch seconds), perhaps passed; ``usual`` as ``usual_length`` has it.

    It does not move with the clock, so a row that shows it does not change with every look.
    """
    if one.ends is not None:
        return one.ends
    found = lengths.get(one.service)
    return one.since + (_middle(found) if found else usual)


def usual_length(lengths: Mapping[str, tuple[float, ...]], typical: float) -> float:
    """Seconds that a rollout of a service takes of which none was seen: the middle of all that were."""
    known = _all(lengths)
    return _middle(known) if known else typical


def _all(lengths: Mapping[str, tuple[float, ...]]) -> list[float]:
    return [length for each in lengths.values() for length in each]


def _middle(found: Iterable[float]) -> float:
    ordered = sorted(found)
    return ordered[len(ordered) // 2]


def _stage(
    running: Sequence[Runner],
    line: Sequence[Runner],
    sizes: Mapping[str, int],
    lengths: Mapping[str, tuple[float, ...]],
    typical: float,
    now: float,
) -> _Stage:
    holders: defaultdict[Key, list[int]] = defaultdict(list)
    for at, one in enumerate(running):
        for key in one.keys:
            holders[key].append(at)
    wanted = Counter(key for one in line for key in one.keys)
    tight = {key: sizes[key[0]] for key, more in wanted.items() if len(holders[key]) + more > sizes[key[0]]}
    usual, ends, near = usual_length(lengths, typical), dict[int, float](), defaultdict[int, list[Key]](list)
    for key in tight:
        found = holders[key]
        if len(found) > NEAR:
            for at in found:
                if at not in ends:
                    ends[at] = expected_end(running[at], lengths, usual, now)
            tight[key] -= len(found) - NEAR
            found = heapq.nsmallest(NEAR, found, key=ends.__getitem__)
        for at in found:
            near[at].append(key)
    chosen = [(running[at], keys) for at, keys in sorted(near.items())]
    return _Stage(now, lengths, _all(lengths) or [typical], tight, chosen)


def _ends(stage: _Stage, chance: random.Random) -> dict[Key, list[float]]:
    ends: dict[Key, list[float]] = {key: [] for key in stage.sizes}
    for one, keys in stage.near:
        drawn = one.since + stage.drawn(one.service, chance)
        end = max(stage.now + MIN_LEFT, drawn if one.ends is None else one.ends)
        for key in keys:
            ends[key].append(end)
    for heap in ends.values():
        heapq.heapify(heap)
    return ends
