"""The present state of every object, found by kind, namespace and name, or by owner.

A container only: what a write means, and what follows from it, is the store's affair.
"""

from __future__ import annotations

from collections.abc import Iterator

from opsroom.simulator.kube.ownership import OwnerIndex, Place
from opsroom.simulator.kube.resources import BY_PLURAL
from opsroom.simulator.kube.versions import Key, Version, key_of


class Shelf:
    """One version an object; kinds are named by their plural."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[Key, Version]] = {plural: {} for plural in BY_PLURAL}
        self._sorted: dict[str, list[Key]] = {}
        self._by_namespace: dict[tuple[str, str], dict[str, Version]] = {}
        self._owners = OwnerIndex()

    def get(self, resource: str, key: Key) -> Version | None:
        """One object."""
        return self._objects[resource].get(key)

    def all(self, resource: str, namespace: str | None = None) -> Iterator[Version]:
        """A kind as it is now, ordered by namespace and name; `namespace` counts for namespaced kinds only."""
        if namespace and BY_PLURAL[resource].namespaced:
            inside = self._by_namespace.get((resource, namespace), {})
            return iter([inside[name] for name in sorted(inside)])
        objects = self._objects[resource]
        keys = self._sorted.get(resource)
        if keys is None:
            keys = self._sorted[resource] = sorted(objects)
        return iter([objects[key] for key in keys])

    def owned(self, resource: str, uid: str) -> list[Version]:
        """The objects of a kind that name this uid as an owner, ordered by namespace and name."""
        keys = sorted(key for plural, key in self._owners.of(uid) if plural == resource)
        return [self._objects[resource][key] for key in keys]

    def release(self, uid: str) -> list[Place]:
        """The places of what an owner that is gone leaves behind; they are forgotten as its own."""
        return self._owners.take(uid)

    def put(self, version: Version, before: Version | None) -> None:
        """Lay a version where its predecessor lay."""
        resource, key = version.kind.plural, key_of(version.obj)
        self._objects[resource][key] = version
        self._by_namespace.setdefault((resource, key[0]), {})[key[1]] = version
        if before is None:
            self._sorted.pop(resource, None)
        self._owners.note((resource, key), None if before is None else before.obj, version.obj)

    def remove(self, version: Version) -> None:
        """Take an object away."""
        resource, key = version.kind.plural, key_of(version.obj)
        del self._objects[resource][key]
        del self._by_namespace[(resource, key[0])][key[1]]
        self._sorted.pop(resource, None)
        self._owners.note((resource, key), version.obj, None)
