"""A context as its neighbours' strip tells of it, from the same facts as its own header."""

from __future__ import annotations

from collections.abc import Mapping

from opsroom.domain.board import Room, Severity
from opsroom.domain.freshness import Freshness, age, freshness
from opsroom.view.header import Status, feed_state
from opsroom.view.order import Group, Kind
from opsroom.view.strip import Neighbour, Trouble


def neighbour(name: str, room: Room | None, found: Mapping[Kind, int], status: Status) -> Neighbour:
    """What may be said of a context; ``found`` are its rows of each kind."""
    flagged = {kind.severity: number for kind, number in found.items() if kind.group is Group.NEEDS_YOU}
    trouble, since = _trouble(room, status)
    critical = flagged.get(Severity.CRITICAL, 0) > 0
    return Neighbour(name=name, needing=sum(flagged.values()), critical=critical, trouble=trouble, since=since)


def _trouble(room: Room | None, status: Status) -> tuple[Trouble, float | None]:
    """Why the count is not to be trusted, and for how many seconds."""
    if status.lost:
        return Trouble.LOST, status.lost_for
    if room is None or status.so_far is not None:
        return Trouble.NEVER, None
    for source in (feed_state(room, status), *(each for each in room.sources if each.name.startswith("kube"))):
        known = freshness(source, status.now)
        if known is Freshness.NEVER:
            return Trouble.NEVER, None
        # A cluster that does not answer is not waited for until its picture is stale: the count is one of then.
        if known is Freshness.STALE or source.error:
            return Trouble.OLD, age(source.at, status.now)
    if status.frozen_at is not None:
        return Trouble.STOPPED, age(status.frozen_at, status.now)
    return Trouble.NONE, None
