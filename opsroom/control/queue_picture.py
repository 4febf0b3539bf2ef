"""The queue as it is shown: places, reasons, holders and forecasts of each start.

Everything here explains what admission decided; it must not decide anything itself.
"""

from __future__ import annotations

import msgspec

from opsroom.control.entrant import QueueMemory, service_of
from opsroom.control.forecast import PLAYED, Runner, expected_end, forecast, usual_end, usual_length
from opsroom.control.line import Item, Line, Wait
from opsroom.control.slots import Key
from opsroom.domain.queue import QueueEntry, QueueState, WaitReason
from opsroom.domain.rollout import Uid

FORECAST_SECONDS = 2.0


def with_forecasts(line: Line, waits: dict[Uid, Wait], memory: QueueMemory) -> QueueMemory:
    services = {item[0].rollout.uid: _service(item) for item in line.running}
    memory = msgspec.structs.replace(memory, services=services)
    if not line.waiting or line.state is not QueueState.RUNNING:
        return msgspec.structs.replace(memory, forecasts={}) if memory.forecasts else memory
    waiting: list[Runner] = []
    for item in line.waiting:
        if len(waiting) == PLAYED:
            break
        wait = waits[item[0].rollout.uid]
        if wait.why not in (WaitReason.QUARANTINE, WaitReason.PERSON):
            waiting.append(_runner(item, line, wait.until or 0.0))
    if line.now - memory.forecast_at < FORECAST_SECONDS and all(one.uid in memory.forecasts for one in waiting):
        return memory
    running = [_runner(item, line) for item in line.running]
    sizes = {key[0]: line.slots.size(key) for one in (*running, *waiting) for key in one.keys}
    found = forecast(running, waiting, sizes, memory.lengths, line.policy.typical_seconds, line.now)
    return msgspec.structs.replace(memory, forecasts=found, forecast_at=line.now)


def _service(item: Item) -> str:
    """The limit of its service comes first, where it has any."""
    entrant, _lane, keys = item
    return keys[0][1] if keys else service_of(entrant.rollout)


def _runner(item: Item, line: Line, not_before: float = 0.0) -> Runner:
    entrant, _lane, keys = item
    uid = entrant.rollout.uid
    place = line.places[uid]
    since = place.since if place.running else line.now
    ends = None if entrant.asked is None else entrant.asked + line.policy.person_seconds
    return Runner(uid, _service(item), keys, since=since, not_before=not_before, ends=ends)


def running_entries(line: Line, memory: QueueMemory) -> list[QueueEntry]:
    runners = [_runner(item, line) for item in line.running]
    unseen = any(one.ends is None and one.service not in memory.lengths for one in runners)
    usual = usual_length(memory.lengths, line.policy.typical_seconds) if unseen else 0.0
    return [
        QueueEntry(
            uid=entrant.rollout.uid,
            lane=lane,
            since=line.places[entrant.rollout.uid].since,
            running=True,
            superseded=line.places[entrant.rollout.uid].superseded,
            requester=entrant.requester,
            eta_p50=usual_end(one, memory.lengths, usual),
        )
        for (entrant, lane, _keys), one in zip(line.running, runners, strict=True)
    ]


def waiting_entries(line: Line, waits: dict[Uid, Wait], memory: QueueMemory) -> list[QueueEntry]:
    runners = {item[0].rollout.uid: item for item in line.running}
    first: dict[Key, tuple[Uid | None, float | None]] = {}
    usual = usual_length(memory.lengths, line.policy.typical_seconds) if line.waiting else 0.0
    entries = []
    for position, (entrant, lane, _keys) in enumerate(line.waiting):
        uid, canary = entrant.rollout.uid, entrant.rollout.canary
        place, wait = line.places[uid], waits[uid]
        if wait.key is not None and wait.key not in first:
            first[wait.key] = _first_to_end(wait.key, line, runners, memory, usual)
        held_by, until = first[wait.key] if wait.key is not None else (None, wait.until)
        p50, p90 = memory.forecasts.get(uid, (None, None))
        entries.append(
            QueueEntry(
                uid=uid,
                lane=lane,
                since=place.since,
                position=position,
                why=wait.why,
                waits_for=wait.name,
                held_by=held_by,
                until=until,
                superseded=place.superseded,
                requester=entrant.requester,
                late_pods=canary.replicas if canary is not None and place.admitted is None else 0,
                eta_p50=p50,
                eta_p90=p90,
            )
        )
    return entries


def _first_to_end(
    key: Key, line: Line, runners: dict[Uid, Item], memory: QueueMemory, usual: float
) -> tuple[Uid | None, float | None]:
    """Which holder of ``key`` is expected to end first, and when; nobody where all of them have yet to start."""
    ends = [
        (expected_end(_runner(runners[uid], line), memory.lengths, usual, line.now), uid)
        for uid in line.slots.holders(key)
        if uid in runners
    ]
    if not ends:
        return None, None
    end, uid = min(ends)
    return uid, end
