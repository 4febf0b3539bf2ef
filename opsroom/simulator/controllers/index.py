"""Who owns what: the children of every controller object, kept up to date from the store's events.

Lets a reconcile find its ReplicaSets or pods without a scan of the cluster. It knows only ownerReferences.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.simulator.controllers.objects import Obj, controller_of, uid_of


class OwnerIndex:
    """Children by (resource, uid of their controller), then by uid, in order of arrival."""

    def __init__(self) -> None:
        self._children: dict[tuple[str, str], dict[str, Obj]] = {}

    def note(self, resource: str, obj: Obj, *, deleted: bool) -> Obj | None:
        """Take in one event; returns the controller's ownerReference, if the object has one."""
        owner = controller_of(obj)
        if owner is None:
            return None
        key = (resource, str(owner["uid"]))
        if deleted:
            kept = self._children.get(key, {})
            kept.pop(uid_of(obj), None)
            if not kept:
                self._children.pop(key, None)
        else:
            self._children.setdefault(key, {})[uid_of(obj)] = obj
        return owner

    def owned(self, resource: str, owner: Obj) -> Sequence[Obj]:
        """The children of `owner` of that resource."""
        return tuple(self._children.get((resource, uid_of(owner)), {}).values())
