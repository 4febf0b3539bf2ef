"""Room under every limit: which limits count for a rollout, and which of them is used up.

A rollout starts only when all its limits have room. The hotfix lane has slots of its own and knows only these and
"one a service"; a roll back knows none.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.control.entrant import Entrant, service_of
from opsroom.domain.policy import matches
from opsroom.domain.queue import Lane
from opsroom.domain.queue_policy import GLOBAL, SERVICE, QueuePolicy
from opsroom.domain.rollout import Rollout, Uid

HOTFIX = "hotfix"

Key = tuple[str, str]
"""(name of the limit, value of its ``by`` label)."""


class Slots:
    """Who holds a slot of which limit."""

    def __init__(self, policy: QueuePolicy, slots: int) -> None:
        self._policy = policy
        self._size: dict[str, int] = {SERVICE: 1, HOTFIX: policy.hotfix_slots}
        if slots:
            self._size[GLOBAL] = slots
        self._size.update((limit.name, limit.slots) for limit in policy.limits)
        self._limits = [(limit.name, limit.match, limit.by) for limit in policy.limits]
        self._holders: dict[Key, list[Uid]] = {}

    def keys(self, entrant: Entrant, lane: Lane) -> list[Key]:
        """The limits that count for ``entrant``, the narrowest first."""
        rollout = entrant.rollout
        if lane is Lane.ROLLBACK:
            return []
        keys = [(SERVICE, service_of(rollout))]
        if lane is Lane.HOTFIX:
            return [*keys, (HOTFIX, "")]
        for name, match, by in self._limits:
            if not match or matches(rollout, match):
                keys.append((name, _value(rollout, by)))
        if GLOBAL in self._size:
            keys.append((GLOBAL, ""))
        return keys

    def parked(self, entrant: Entrant) -> list[Key]:
        """The limits that still count for one that stands still until a person decides."""
        return [(SERVICE, service_of(entrant.rollout))]

    def take(self, uid: Uid, keys: Iterable[Key]) -> None:
        """``uid`` runs."""
        for key in keys:
            self._holders.setdefault(key, []).append(uid)

    def full(self, keys: Iterable[Key]) -> Key | None:
        """The first limit without room, or None."""
        for key in keys:
            if len(self._holders.get(key, ())) >= self._size[key[0]]:
                return key
        return None

    def holders(self, key: Key) -> list[Uid]:
        """Who holds the slots of ``key``, longest first."""
        return self._holders.get(key, [])

    def size(self, key: Key) -> int:
        """Slots of one value of a limit."""
        return self._size[key[0]]


def _value(rollout: Rollout, by: str) -> str:
    if not by:
        return ""
    return rollout.namespace if by == "namespace" else rollout.labels.get(by, "")
