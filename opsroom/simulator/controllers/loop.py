"""The loop that runs all controllers over the store: events and timers in, reconciles, changes applied.

Everything happens on one thread: events only mark objects as due; `run(now)` reconciles what is due until nothing
is, and `next_due` says when to come back. A further controller is one more function in the table of `Cluster`.
It knows no traffic and no schedule.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from opsroom.simulator.controllers.changes import Change, Create, Delete, Key, Merge, Note, Status, Wake, key_of
from opsroom.simulator.controllers.notes import NoteWriter
from opsroom.simulator.controllers.objects import Obj, controller_of, namespace_of, status_of
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.resources import BY_KIND
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Event, EventType

Reconcile = Callable[[Obj, "ControlLoop", float], list[Change]]
_ROUNDS = 200


class ControlLoop:
    """Due objects and timers over one store.

    `reconcilers` maps a resource to the function that reconciles one object of it; objects of other resources wake
    their controller owner if that has one. Create the loop before the first object.
    """

    def __init__(self, store: Store, reconcilers: dict[str, Reconcile]) -> None:
        self.store = store
        self.quiet = False  # no Kubernetes Events are written
        self._reconcilers = reconcilers
        self._notes = NoteWriter(store)
        self._due: dict[Key, None] = {}
        self._timers: list[tuple[float, Key]] = []
        self._earliest: dict[Key, float] = {}
        self._stop = store.subscribe(self._hear)

    def close(self) -> None:
        """Stop listening to the store."""
        self._stop()

    @property
    def next_due(self) -> float | None:
        """Unix seconds of the next timer, 0 when something is due at once, None when nothing ever is."""
        if self._due:
            return 0.0
        return self._timers[0][0] if self._timers else None

    def touch(self, key: Key) -> None:
        """Reconcile this object in the next run."""
        if key.resource in self._reconcilers:
            self._due[key] = None

    def run(self, now: float) -> int:
        """Reconcile until nothing is due; returns how many reconciles that took.

        Raises RuntimeError when controllers keep waking each other without end (a bug in one of them).
        """
        while self._timers and self._timers[0][0] <= now:
            when, key = heapq.heappop(self._timers)
            if self._earliest.get(key) == when:
                del self._earliest[key]
            self._due[key] = None
        done = 0
        for _ in range(_ROUNDS):
            if not self._due:
                return done
            batch, self._due = list(self._due), {}
            for key in batch:
                self._reconcile(key, now)
            done += len(batch)
        raise RuntimeError(f"controllers do not settle: {list(self._due)[:5]}")

    def _reconcile(self, key: Key, now: float) -> None:
        obj = self.store.get(key.resource, key.namespace, key.name)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return
        try:
            changes = self._reconcilers[key.resource](obj, self, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Anybody may write an object that a controller cannot read: it is told, and the others go on.
            text = f"{type(error).__name__}: {error}"
            self._apply(Note(obj, "controller-manager", "Warning", "ReconciliationError", text))
            return
        self.apply(changes)
        for change in changes:
            if isinstance(change, Wake):
                self._wake(key, change.at)

    def apply(self, changes: Iterable[Change]) -> None:
        """Store what a controller wants done; appointments are none of it."""
        for change in changes:
            if not isinstance(change, Wake):
                self._apply(change)

    def _wake(self, key: Key, when: float) -> None:
        if self._earliest.get(key, float("inf")) > when:
            self._earliest[key] = when
            heapq.heappush(self._timers, (when, key))

    def _apply(self, change: Change) -> None:
        try:
            match change:
                case Create(resource, body):
                    self.store.create(resource, body)
                case Merge(key, body):
                    self.store.merge(key.resource, key.namespace, key.name, body)
                case Status(key, status):
                    self._write_status(key, status)
                case Delete(key):
                    self.store.delete(key.resource, key.namespace, key.name)
                case Note() if not self.quiet:
                    self._notes.write(change)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _write_status(self, key: Key, status: Obj) -> None:
        obj = self.store.get(key.resource, key.namespace, key.name)
        if obj is not None and status_of(obj) != status:
            self.store.replace(key.resource, {**obj, "status": status}, subresource="status")

    def _hear(self, event: Event) -> None:
        deleted = event.type is EventType.DELETED
        obj = event.object
        if event.resource in ("events", "leases"):
            return
        owner = controller_of(obj)
        if event.resource in self._reconcilers and not deleted:
            self._due[key_of(event.resource, obj)] = None
        if owner is not None:
            kind = BY_KIND.get((str(owner["apiVersion"]), str(owner["kind"])))
            if kind is not None and kind.plural in self._reconcilers:
                self._due[Key(kind.plural, namespace_of(obj), str(owner["name"]))] = None

    def owned(self, resource: str, owner: Obj) -> Sequence[Obj]:
        """The objects of that resource which `owner` controls."""
        return self.store.owned(resource, owner)
