"""The recent changes of each kind: what watches replay and what pages of a list are cut from.

Bounded in number and time, and emptied by compaction; whoever asks further back gets 410. It knows events, not the
present state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from opsroom.simulator.kube.failures import too_old
from opsroom.simulator.kube.versions import Event, Version, key_of

HISTORY_PER_KIND = 20_000
KEPT_SECONDS = 600.0
"""etcd is compacted each five minutes, to where it was five minutes before."""


class History:
    """Changes by kind, oldest first; `first` is the resourceVersion before the first change."""

    def __init__(self, plurals: Iterable[str], first: int) -> None:
        self._events: dict[str, deque[Event]] = {plural: deque() for plural in plurals}
        self._floor = dict.fromkeys(self._events, first)

    def add(self, event: Event) -> None:
        """Record a change, forgetting those of its kind that are too many or too old."""
        events = self._events[event.resource]
        events.append(event)
        while len(events) > HISTORY_PER_KIND or events[0].at < event.at - KEPT_SECONDS:
            self._floor[event.resource] = events.popleft().rv

    def after(self, resource: str, rv: int) -> list[Event]:
        """The changes of a kind after `rv`, oldest first. Raises ApiError 410."""
        self._require(resource, rv)
        tail = []
        for event in reversed(self._events[resource]):
            if event.rv <= rv:
                break
            tail.append(event)
        tail.reverse()
        return tail

    def undone(self, resource: str, namespace: str | None, rv: int, now: Iterable[Version]) -> list[Version]:
        """The kind as it was at `rv`, from how it is `now`. Raises ApiError 410."""
        changes = self.after(resource, rv)
        if not changes:
            return list(now)
        state = {key_of(version.obj): version for version in now}
        for event in reversed(changes):
            key = key_of(event.object)
            if namespace and key[0] != namespace:
                continue
            if event.before is None:
                state.pop(key, None)
            else:
                state[key] = event.before
        return [state[key] for key in sorted(state)]

    def compact(self, rv: int) -> None:
        """Forget everything up to `rv`, as etcd's compaction does."""
        for plural, events in self._events.items():
            events.clear()
            self._floor[plural] = rv

    def _require(self, resource: str, rv: int) -> None:
        if rv < self._floor[resource]:
            raise too_old(rv, self._floor[resource])
