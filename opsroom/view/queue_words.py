"""Sentences about the queue: what each waits for, when it will start, and what the queue as a whole does.

The name of whoever holds a slot is looked up by the caller, who knows which rows its viewer may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsroom.domain.board import Room, Row
from opsroom.domain.queue import Queue, QueueEntry, QueueState, WaitReason
from opsroom.domain.queue_policy import GLOBAL, SERVICE
from opsroom.domain.rollout import Uid
from opsroom.view import numbers

STATE = {
    QueueState.RUNNING: "running",
    QueueState.PAUSED: "paused: nothing new starts until somebody switches it on",
    QueueState.DRAINING: "draining: what runs goes on to its end, nothing new starts",
    QueueState.FROZEN: "frozen: nothing starts, and no step is promoted",
    QueueState.OFF: "off: nothing is held",
}

NOBODY = "but no namespace takes part: new versions start all the same"

TAKE_PART = "A namespace takes part with: kubectl label namespace NAME opsroom.dev/queue=enabled"

Names = Mapping[Uid, str]
"""What people call each rollout, by uid (``cart v42``)."""


def names(rows: Iterable[Row]) -> dict[Uid, str]:
    """The name of each row, with its version."""
    found = {}
    for row in rows:
        canary = row.rollout.canary
        version = "" if canary is None else canary.version or canary.hash
        found[row.rollout.uid] = f"{row.rollout.name} {version}".strip()
    return found


def state(queue: Queue) -> str:
    """What the queue does, and with how many slots."""
    slots = "no limit over all" if not queue.full_limit else f"{queue.limit} slots"
    if queue.limit < queue.full_limit:
        slots += f" of {queue.full_limit} after roll backs"
    late = "; nothing is held at admission, so holds come late" if queue.hold_missing and not queue.nobody else ""
    late = f"; {NOBODY}" if _idle(queue) else late
    windows = f"; freeze window {', '.join(queue.windows)} is open" if queue.windows else ""
    does = queue.state.value if _idle(queue) else STATE[queue.state]
    return f"{does}, {slots}, {queue.running} running, {queue.waiting} waiting{windows}{late}"


def why(entry: QueueEntry, now: float, known: Names | None = None) -> str:
    """What a waiting entry waits for: ``waits for a slot of tier 1, held by cart v42, 7 min left``."""
    left = "" if entry.until is None else f", {numbers.duration(entry.until - now)} left"
    match entry.why:
        case WaitReason.SLOT:
            holder = (known or {}).get(entry.held_by, "") if entry.held_by is not None else ""
            return f"waits for {_slot(entry.waits_for)}" + (f", held by {holder}{left}" if holder else "")
        case WaitReason.WINDOW:
            return f"waits for the end of freeze window {entry.waits_for}{left}"
        case WaitReason.STATE:
            return f"waits because the queue is {entry.waits_for}"
        case WaitReason.QUARANTINE:
            return "this version was rolled back automatically; a person has to release it"
        case WaitReason.PERSON:
            return f"{entry.requester or 'a person'} holds it, and a person has to release it"
        case WaitReason.DECIDER:
            return "may start, and waits for whoever decides here to release it"
    return "is being released"


def _slot(limit: str) -> str:
    if limit == SERVICE:
        return "the other rollout of its service"
    return "a slot" if limit in ("", GLOBAL) else f"a slot of {limit}"


def start(entry: QueueEntry, now: float) -> str:
    """When it will start: ``starts in about 2 min (at most 5 min)``; empty where nobody can tell."""
    if entry.eta_p50 is None or entry.why is WaitReason.DECIDER:
        return ""
    likely, most = numbers.duration(entry.eta_p50 - now), numbers.duration((entry.eta_p90 or entry.eta_p50) - now)
    return f"starts in about {likely}" + (f" (9 in 10 times within {most})" if most != likely else "")


def remarks(entry: QueueEntry) -> list[str]:
    """What is unusual about it."""
    found = []
    if entry.late_pods:
        pods = "pod" if entry.late_pods == 1 else "pods"
        found.append(f"late hold, {entry.late_pods} {pods} already started")
    if entry.superseded:
        found.append(f"took the place of {entry.superseded}")
    return found


def sentence(entry: QueueEntry, now: float, known: Names | None = None) -> str:
    """Everything about one that waits, in one line."""
    return "; ".join(part for part in (why(entry, now, known), start(entry, now), *remarks(entry)) if part)


def brief(entry: QueueEntry, now: float) -> str:
    """What it waits for and for how long, for a column: ``a slot of tier 1, about 6 min``."""
    soon = "" if not start(entry, now) or entry.eta_p50 is None else f", about {numbers.duration(entry.eta_p50 - now)}"
    return why(entry, now).removeprefix("waits for ") + soon


def stranded(room: Room) -> str:
    """Things are held and nobody is there to release them; empty when all is well."""
    held = room.queue.waiting
    if not held or room.decider.identity:
        return ""
    are = "1 rollout is held" if held == 1 else f"{held} rollouts are held"
    return f"{are} and nobody decides here: opsroom release --all lets everything go on"


def notice(room: Room) -> str:
    """What is out of the ordinary about the queue; empty when it runs."""
    if room.queue.state is QueueState.RUNNING:
        return ""
    waiting = f"; {room.queue.waiting} waiting" if room.queue.waiting else ""
    if _idle(room.queue):
        return f"queue is {room.queue.state.value}, {NOBODY}{waiting}"
    return f"queue is {STATE[room.queue.state]}{waiting}"


def _idle(queue: Queue) -> bool:
    """Somebody relies on it, and it holds nothing."""
    asked = queue.state not in (QueueState.RUNNING, QueueState.OFF, QueueState.FROZEN)
    return queue.nobody and (asked or (queue.hold_missing and queue.state is QueueState.RUNNING))
