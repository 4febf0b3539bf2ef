"""Kubernetes Events of workloads as happenings, a few for each, newest first.

Events expire within the hour, are merged and rate limited: they are news for people, never a record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from opsroom.domain.board import Happening
from opsroom.domain.clean import clean
from opsroom.domain.masking import said
from opsroom.sources.kinds import KubeEvent, epoch

KINDS = frozenset({"Rollout", "Canary", "Deployment", "ReplicaSet"})
EACH = 20
"""Happenings kept of one object."""

OBJECTS = 20_000
"""Objects with happenings; the one that was quiet for longest goes first."""


class Happenings:
    """The last Events, by the uid of the object they are about."""

    def __init__(self) -> None:
        self._news: OrderedDict[str, dict[str, Happening]] = OrderedDict()

    def event_changed(self, old: KubeEvent | None, new: KubeEvent | None) -> None:
        """An Event came or was counted up; that it expired does not undo it."""
        if new is None or new.involved_object.kind not in KINDS or not new.involved_object.uid:
            return
        about = new.involved_object.uid
        news = self._news.setdefault(about, {})
        self._news.move_to_end(about)
        # One that is counted up moves to the end: the order of the dictionary is the order of news.
        news.pop(new.metadata.uid, None)
        news[new.metadata.uid] = happening(new)
        if len(news) > EACH:
            del news[next(iter(news))]
        if len(self._news) > OBJECTS:
            self._news.popitem(last=False)

    def of(self, uids: Iterable[str]) -> tuple[Happening, ...]:
        """Happenings of all ``uids`` together, newest first."""
        found = [one for uid in uids for one in self._news.get(uid, {}).values()]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:EACH])


def happening(event: KubeEvent) -> Happening:
    """``event`` as one line of news."""
    last = event.series.last_observed_time if event.series is not None else None
    moment = last or event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    reason, message = clean(event.reason, 80), said(event.message, 300)
    return Happening(
        at=epoch(moment) or 0.0,
        kind="event",
        text=f"{reason}: {message}" if reason and message else reason or message,
        warning=event.type == "Warning",
    )
