"""The object store behind the simulated API server: what etcd and the registry do, in memory.

It sets uid, resourceVersion (one counter for everything), generation, creationTimestamp and managedFields,
keeps spec and status apart where a kind has a status subresource, checks resourceVersion and uid as
preconditions, deletes dependents with their owner, and keeps a bounded history for watches.
Controllers of the simulated world call it directly; people and the product come through HTTP.
It must not know HTTP, users or admission. Not thread-safe: one event loop owns it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from opsroom.simulator.clock import stamp
from opsroom.simulator.kube import birth, failures, fields, replacement
from opsroom.simulator.kube.defaults import fill_defaults
from opsroom.simulator.kube.history import History
from opsroom.simulator.kube.patches import merge_patch
from opsroom.simulator.kube.resources import BY_KIND, BY_PLURAL, Kind
from opsroom.simulator.kube.shelf import Shelf
from opsroom.simulator.kube.versions import Event, EventType, Obj, Version, key_of

FIRST_RV = 100

Objects = list[Obj]  # names for list types: inside Store, `list` is the method
Versions = list[Version]
Events = list[Event]


class Store:
    """All objects of the simulated cluster. `now` returns Unix seconds; `seed` fixes uids and name suffixes."""

    def __init__(self, now: Callable[[], float], *, seed: int | None = None) -> None:
        self.now = now
        self.initializing: set[str] = set()  # kinds that answer as just after their CRD was installed: 429
        self._rng = random.Random(seed)  # noqa: S311 - names, not secrets
        self._rv = FIRST_RV
        self._shelf = Shelf()
        self._history = History(BY_PLURAL, FIRST_RV)
        self._subscribers: list[Callable[[Event], None]] = []
        self._pending: deque[Event] = deque()
        self._dispatching = False

    # Reading

    @property
    def rv(self) -> int:
        """The resourceVersion of the latest write."""
        return self._rv

    def get(self, resource: str, namespace: str | None, name: str) -> Obj | None:
        """One object, or None. `namespace` is ignored for cluster-scoped kinds."""
        version = self.version(resource, namespace, name)
        return None if version is None else version.obj

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """All objects of a kind (in one namespace), ordered by namespace and name."""
        return [version.obj for version in self.versions(resource, namespace)]

    def version(self, resource: str, namespace: str | None, name: str) -> Version | None:
        """One object with its encoded form."""
        key = (namespace or "default", name) if BY_PLURAL[resource].namespaced else ("", name)
        return self._shelf.get(resource, key)

    def versions(self, resource: str, namespace: str | None = None) -> Iterator[Version]:
        """As `list`, with the encoded forms."""
        return self._shelf.all(resource, namespace)

    def owned(self, resource: str, owner: Obj) -> Objects:
        """The objects of a kind whose controller is `owner`, ordered by namespace and name."""
        uid = owner["metadata"]["uid"]
        return [one.obj for one in self._shelf.owned(resource, uid) if _is_controlled(one.obj, uid)]

    def versions_at(self, resource: str, namespace: str | None, rv: int) -> Versions:
        """The kind as it was at `rv`; raises ApiError 410 when that is no longer known."""
        return self._history.undone(resource, namespace, rv, self.versions(resource, namespace))

    # Writing

    def create(
        self,
        resource: str,
        obj: Obj,
        *,
        namespace: str | None = None,
        manager: str | None = None,
        dry_run: bool = False,
        managed_fields: Objects | None = None,
    ) -> Obj:
        """Store a new object and return it as stored.

        `manager` names who writes, for managedFields; without one no ownership is recorded, and a status
        that comes with the object is kept. `managed_fields` gives the record itself (server-side apply).
        Raises ApiError 409 AlreadyExists, 422 without a name.
        """
        kind = BY_PLURAL[resource]
        meta = self._born(kind, obj.get("metadata") or {}, namespace)
        new = {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}
        if kind.status and (manager is not None or managed_fields is not None):
            new.pop("status", None)
        new = fill_defaults(kind, new)
        if manager is not None:
            new = fields.record_update(kind, None, new, manager, None, stamp(self.now()))
        elif managed_fields is not None:
            new = {**new, "metadata": {**new["metadata"], "managedFields": managed_fields}}
        return new if dry_run else self._commit(kind, EventType.ADDED, new, None)

    def replace(
        self,
        resource: str,
        obj: Obj,
        *,
        subresource: str | None = None,
        manager: str | None = None,
        dry_run: bool = False,
        managed_fields: Objects | None = None,
        admit: Callable[[Obj, Obj], Obj] | None = None,
    ) -> Obj:
        """Put `obj` in the place of the object of its name; returns what is stored (unchanged if nothing was).

        A `resourceVersion` or `uid` in it is a precondition (ApiError 409). With `subresource="status"` only
        the status counts; without, status is kept as it was where the kind has that subresource.
        `managed_fields` overrides the record of ownership (server-side apply); `admit` is mutating admission:
        it turns (old, new) into what is stored, and what it sets is owned by nobody.
        """
        kind = BY_PLURAL[resource]
        meta = obj["metadata"]
        before = self.version(resource, meta.get("namespace"), meta["name"])
        if before is None:
            raise failures.not_found(kind, meta["name"])
        old = before.obj
        replacement.check(kind, old, meta)
        new = replacement.merged_halves(kind, old, obj, subresource)
        if subresource != "status":
            new = fill_defaults(kind, new)
        if managed_fields is not None:
            new["metadata"]["managedFields"] = managed_fields
        elif manager is not None:
            new = fields.record_update(kind, old, new, manager, subresource, stamp(self.now()))
        if admit is not None:
            new = admit(old, new)
        if fields.same_but_times(old, new):
            return old
        new = replacement.counted(kind, old, new)
        if dry_run:
            return new
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            return self._remove(kind, before)
        return self._commit(kind, EventType.MODIFIED, new, before)

    def merge(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        patch: Obj,
        *,
        subresource: str | None = None,
        manager: str | None = None,
    ) -> Obj:
        """Apply a merge patch (RFC 7386) and store the outcome; raises ApiError 404, 409 as `replace`."""
        old = self.get(resource, namespace, name)
        if old is None:
            raise failures.not_found(BY_PLURAL[resource], name)
        new = merge_patch(old, patch)
        if "resourceVersion" not in patch.get("metadata", {}):
            new = {**new, "metadata": {k: v for k, v in new["metadata"].items() if k != "resourceVersion"}}
        return self.replace(resource, new, subresource=subresource, manager=manager)

    def delete(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        *,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> Obj:
        """Delete an object and, unless `propagation` is Orphan, what it owns; returns its last state.

        With finalizers it is only marked (deletionTimestamp) and goes when the last finalizer is removed.
        Graceful termination of pods is the simulated kubelet's affair: here they go at once.
        """
        kind = BY_PLURAL[resource]
        before = self.version(resource, namespace, name)
        if before is None:
            raise failures.not_found(kind, name)
        if dry_run:
            return before.obj
        meta = before.obj["metadata"]
        if meta.get("finalizers"):
            if meta.get("deletionTimestamp"):
                return before.obj
            mark = {"deletionTimestamp": stamp(self.now()), "deletionGracePeriodSeconds": 0}
            marked = {**before.obj, "metadata": {**meta, **mark}}
            return self._commit(kind, EventType.MODIFIED, marked, before)
        return self._remove(kind, before, orphan=propagation == "Orphan")

    # Following

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback` after every write, in order; returns what ends it. A callback may write."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def history(self, resource: str, after: int) -> Events:
        """The changes of a kind after `after`, oldest first; ApiError 410 if they are not kept so far back."""
        return self._history.after(resource, after)

    def compact(self) -> None:
        """Forget all history, as etcd's compaction does: older watches and continue tokens get 410."""
        self._history.compact(self._rv)

    # Inside

    def _born(self, kind: Kind, meta: dict[str, Any], namespace: str | None) -> dict[str, Any]:
        meta = birth.metadata(kind, meta, namespace, self._rng, stamp(self.now()))
        if self._shelf.get(kind.plural, key_of({"metadata": meta})) is not None:
            raise failures.already_exists(kind, meta["name"])
        return meta

    def _commit(self, kind: Kind, type_: EventType, new: Obj, before: Version | None) -> Obj:
        self._rv += 1
        meta = {**new["metadata"], "resourceVersion": str(self._rv)}
        stored = {**new, "metadata": meta}
        version = Version(kind, stored, self._rv)
        self._shelf.put(version, before)
        previous = None if before is None else before.obj
        self._publish(Event(type_, kind.plural, stored, previous, self._rv, version, before, self.now()))
        return stored

    def _remove(self, kind: Kind, before: Version, *, orphan: bool = False) -> Obj:
        self._shelf.remove(before)
        self._rv += 1
        last = {**before.obj, "metadata": {**before.obj["metadata"], "resourceVersion": str(self._rv)}}
        version = Version(kind, last, self._rv)
        self._publish(Event(EventType.DELETED, kind.plural, last, before.obj, self._rv, version, before, self.now()))
        self._release_dependents(last["metadata"]["uid"], orphan=orphan)
        if kind.plural == "namespaces":
            self._empty_namespace(last["metadata"]["name"])
        return last

    def _release_dependents(self, uid: str, *, orphan: bool) -> None:
        for resource, key in self._shelf.release(uid):
            version = self._shelf.get(resource, key)
            if version is None:
                continue
            meta = version.obj["metadata"]
            others = [owner for owner in meta.get("ownerReferences", ()) if owner.get("uid") != uid]
            if orphan or any(self._alive(owner, key[0]) for owner in others):
                patched = {**version.obj, "metadata": {**meta, "ownerReferences": others}}
                self._commit(BY_PLURAL[resource], EventType.MODIFIED, patched, version)
            else:
                self.delete(resource, key[0], key[1])

    def _alive(self, owner: dict[str, Any], namespace: str) -> bool:
        kind = BY_KIND.get((owner.get("apiVersion", ""), owner.get("kind", "")))
        found = kind and self.get(kind.plural, namespace, owner.get("name", ""))
        return bool(found and found["metadata"]["uid"] == owner.get("uid"))

    def _empty_namespace(self, namespace: str) -> None:
        for kind in BY_PLURAL.values():
            for obj in self.list(kind.plural, namespace) if kind.namespaced else ():
                # Gone by now if its owner went before it.
                if (before := self.version(kind.plural, *key_of(obj))) is not None:
                    self._remove(kind, before)

    def _publish(self, event: Event) -> None:
        self._history.add(event)
        self._pending.append(event)
        if self._dispatching:
            return
        self._dispatching = True
        try:
            while self._pending:
                current = self._pending.popleft()
                for callback in tuple(self._subscribers):
                    callback(current)
        finally:
            self._dispatching = False


def _is_controlled(obj: Obj, uid: str) -> bool:
    owners = obj["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)
