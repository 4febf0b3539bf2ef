"""The queue at one tick: who runs, who may start now, who waits for what, and until when.

Admission is first in, first out within lanes, with everybody passed over whose own limits are full: a service of a
crowded tier does not hold up the others, and keeps its place. What waits is never failed and never forgotten; what
runs is never interrupted. It must not know how a rollout is held or released.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from opsroom.control.adaptive import adapted, limit_now
from opsroom.control.entrant import Admission, Entrant, Place, QueueMemory
from opsroom.control.lanes import lane_of, order
from opsroom.control.line import Item, Line, Wait
from opsroom.control.queue_picture import running_entries, waiting_entries, with_forecasts
from opsroom.control.slots import Slots
from opsroom.domain.policy import matches
from opsroom.domain.queue import Lane, Queue, QueueState, WaitReason
from opsroom.domain.queue_policy import QueuePolicy
from opsroom.domain.rollout import Phase, Rollout, Uid
from opsroom.domain.window import Window, open_until

RELEASE_SECONDS = 30.0
"""A release that shows no effect for so long is wanted again."""

LEARNING = 30.0
"""Seconds after the first tick in which whatever runs has the right to run."""

LENGTHS = 8
"""Lengths that are remembered of a service."""

SERVICES = 5_000
"""Services whose lengths are remembered; where each branch has a namespace of its own they never end."""


def admit(
    entrants: Sequence[Entrant],
    policy: QueuePolicy,
    memory: QueueMemory,
    now: float,
    *,
    state: QueueState = QueueState.RUNNING,
    rolled_back: int = 0,
    may_release: bool = True,
) -> tuple[Queue, Admission, QueueMemory]:
    """The queue as it is shown, what to release (and hold) now, and the memory for the next tick.

    ``now`` in epoch seconds. ``rolled_back``: roll backs since the last tick. ``may_release``: this worker decides
    here; else the picture is the same, and what could start waits for the decider.
    """
    memory = adapted(memory, policy, rolled_back, now)
    learning = memory.begun is None or now - memory.begun <= LEARNING
    present = [one for one in entrants if one.rollout.under_way or _held(one)]
    slots = Slots(policy, limit_now(memory, policy))
    line = Line(policy, now, state, slots, _open_windows(policy, now), _places(present, memory, now), may_release)
    _sort(line, present, memory, late=not learning)
    waits = _walk(line)
    lengths = _lengths(line.places, memory, now)
    memory = msgspec.structs.replace(
        memory, begun=now if memory.begun is None else memory.begun, places=line.places, lengths=lengths
    )
    memory = with_forecasts(line, waits, memory)
    queue = Queue(
        state=state,
        limit=limit_now(memory, policy),
        full_limit=policy.slots,
        windows=tuple(window.name for window, _until in line.windows),
        waiting=len(line.waiting),
        running=len(line.running),
        entries=(*running_entries(line, memory), *waiting_entries(line, waits, memory)),
    )
    return queue, Admission(release=tuple(line.release), hold=tuple(line.hold)), memory


def _held(entrant: Entrant) -> bool:
    return entrant.rollout.held or entrant.gated or entrant.rollout.phase is Phase.HELD


def _open_windows(policy: QueuePolicy, now: float) -> list[tuple[Window, float]]:
    found = ((window, open_until(window, now)) for window in policy.windows)
    return [(window, until) for window, until in found if until is not None]


def version_of(rollout: Rollout) -> str:
    """What a place is for: the canary's hash, or what else tells it from others while it has none."""
    canary = rollout.canary
    return "" if canary is None else canary.hash or canary.version or ",".join(canary.images)


def _places(present: Sequence[Entrant], memory: QueueMemory, now: float) -> dict[Uid, Place]:
    """The place of everybody who is there: kept, begun, or taken over by a newer version with its age."""
    places: dict[Uid, Place] = {}
    for entrant in present:
        rollout = entrant.rollout
        old, held, version = memory.places.get(rollout.uid), _held(entrant), version_of(rollout)
        if old is None or (old.running and not held and old.version != version):
            since = entrant.since if entrant.since is not None else rollout.started if not held else None
            place = Place(since=min(now, since if since is not None else now), version=version, running=not held)
        elif held and old.running and old.holding is None:
            # A new version was held while the one before it still ran: it is a new wish.
            place = Place(since=now, version=version)
        elif held:
            superseded = old.superseded if old.version == version else old.version
            # Admitted in the future: the clock was set back, and the release may be long lost.
            fresh = old.admitted is not None and 0.0 <= now - old.admitted < RELEASE_SECONDS and old.version == version
            admitted = old.admitted if fresh else None
            place = Place(since=old.since, version=version, superseded=superseded, admitted=admitted)
        elif not old.running:
            place = Place(since=now, version=version, superseded=old.superseded, running=True)
        elif old.holding is not None and not 0.0 <= now - old.holding < RELEASE_SECONDS:
            place = msgspec.structs.replace(old, holding=None)
        else:
            place = old
        places[rollout.uid] = place
    return places


def _sort(line: Line, present: Sequence[Entrant], memory: QueueMemory, *, late: bool) -> None:
    """Who runs takes its slots; newcomers without a slot are held late; the rest is put in order."""
    newcomers = []
    for entrant in present:
        uid = entrant.rollout.uid
        place, lane = line.places[uid], lane_of(entrant, line.policy)
        item = (entrant, lane, line.slots.keys(entrant, lane))
        if not place.running and place.admitted is None:
            line.waiting.append(item)
        elif late and entrant.late and place.running and uid not in memory.places:
            newcomers.append(item)
        else:
            if entrant.asked is not None and line.now - entrant.asked >= line.policy.person_seconds:
                # Whoever sleeps must not stop all other deploys: it moves no traffic until somebody decides.
                item = (entrant, lane, line.slots.parked(entrant))
            line.slots.take(uid, item[2])
            line.running.append(item)
    newcomers.sort(key=lambda item: _key(item, line))
    for item in newcomers:
        uid = item[0].rollout.uid
        if _obstacle(item, line) is not None:
            line.hold.append(uid)
            line.places[uid] = msgspec.structs.replace(line.places[uid], holding=line.now)
        line.slots.take(uid, item[2])
        line.running.append(item)
    line.waiting.sort(key=lambda item: _key(item, line))


def _key(item: Item, line: Line) -> tuple[int, float, str]:
    entrant, lane, _keys = item
    uid = entrant.rollout.uid
    return (*order(lane, line.places[uid].since, line.policy), uid)


def _obstacle(item: Item, line: Line) -> Wait | None:
    """What keeps this one from starting now, or None."""
    entrant, lane, keys = item
    if entrant.kept:
        return Wait(why=WaitReason.PERSON)
    if lane is Lane.ROLLBACK or line.state is QueueState.OFF:
        return None
    if entrant.quarantined:
        return Wait(why=WaitReason.QUARANTINE)
    if line.state is not QueueState.RUNNING:
        return Wait(why=WaitReason.STATE, name=line.state.value)
    for window, until in line.windows:
        passes = lane is Lane.HOTFIX and window.hotfix
        if not passes and matches(entrant.rollout, window.match):
            return Wait(why=WaitReason.WINDOW, name=window.name, until=until)
    full = line.slots.full(keys)
    return None if full is None else Wait(why=WaitReason.SLOT, name=full[0], key=full)


def _walk(line: Line) -> dict[Uid, Wait]:
    """Admit in order; whoever cannot start now keeps its place and lets the others by."""
    waits: dict[Uid, Wait] = {}
    for item in line.waiting:
        entrant, _lane, keys = item
        uid = entrant.rollout.uid
        wait = _obstacle(item, line)
        if wait is not None:
            waits[uid] = wait
            continue
        line.slots.take(uid, keys)
        if not line.may_release:
            waits[uid] = Wait(why=WaitReason.DECIDER)
            continue
        line.release.append(uid)
        line.running.append(item)
        line.places[uid] = msgspec.structs.replace(line.places[uid], admitted=line.now)
    line.waiting = [item for item in line.waiting if item[0].rollout.uid in waits]
    return waits


def _lengths(places: dict[Uid, Place], memory: QueueMemory, now: float) -> dict[str, tuple[float, ...]]:
    """What is known of lengths, with those that ended since the last tick."""
    ended = [(uid, old) for uid, old in memory.places.items() if old.running and uid not in places]
    if not ended:
        return memory.lengths
    lengths = dict(memory.lengths)
    for uid, old in ended:
        service = memory.services.get(uid, "")
        # Put at the end: the order of the dictionary is that of the last end seen.
        lengths[service] = (*lengths.pop(service, ()), max(1.0, now - old.since))[-LENGTHS:]
    for service in list(lengths)[: max(0, len(lengths) - SERVICES)]:
        del lengths[service]
    return lengths
