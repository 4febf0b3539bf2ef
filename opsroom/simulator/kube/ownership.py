"""Which objects belong to which owner: the index behind deletion of dependents.

Knows ownerReferences and nothing else; the store decides what happens to the dependents.
"""

from __future__ import annotations

from collections.abc import Set

from opsroom.simulator.kube.versions import Key, Obj

Place = tuple[str, Key]
"""(plural, key)"""


class OwnerIndex:
    """Owner uid → the places of its dependents."""

    def __init__(self) -> None:
        self._places: dict[str, set[Place]] = {}

    def note(self, place: Place, old: Obj | None, new: Obj | None) -> None:
        """Record that the object at `place` changed from `old` to `new` (None: was not there, is gone)."""
        before = old["metadata"].get("ownerReferences") if old else None
        after = new["metadata"].get("ownerReferences") if new else None
        if before is after:
            return
        for owner in before or ():
            self._places.get(owner.get("uid", ""), set()).discard(place)
        for owner in after or ():
            self._places.setdefault(owner.get("uid", ""), set()).add(place)

    def of(self, uid: str) -> Set[Place]:
        """The places of the dependents of an owner."""
        return self._places.get(uid, set())

    def take(self, uid: str) -> list[Place]:
        """The dependents of an owner that is gone, in a stable order; they are forgotten here."""
        return sorted(self._places.pop(uid, set()))
