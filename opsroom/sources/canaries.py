"""Flagger Canaries by their Deployments: who drives which target and primary, so that neither shows by itself."""

from __future__ import annotations

from opsroom.sources.flagger import PRIMARY
from opsroom.sources.flagger_kinds import FlaggerCanary

Name = tuple[str, str]
"""Namespace and name."""


class Canaries:
    """The Canaries that were seen."""

    def __init__(self) -> None:
        self._canaries: dict[str, FlaggerCanary] = {}
        self._driven: dict[Name, str] = {}

    def changed(self, old: FlaggerCanary | None, new: FlaggerCanary | None) -> list[Name]:
        """Take a Canary that came, changed or went; the Deployments that must be looked at again."""
        one = new or old
        if one is None:
            return []
        uid, touched = one.metadata.uid, []
        before, after = _names(old), _names(new)
        if before != after:
            touched = [*before, *after]
            for name in before:
                if self._driven.get(name) == uid:
                    del self._driven[name]
            self._driven.update(dict.fromkeys(after, uid))
        if new is None:
            self._canaries.pop(uid, None)
        else:
            self._canaries[uid] = new
        return touched

    def get(self, uid: str) -> FlaggerCanary | None:
        """The Canary with that uid."""
        return self._canaries.get(uid)

    def driver_of(self, namespace: str, name: str) -> str:
        """Uid of the Canary that drives the Deployment; empty for one that nobody drives."""
        return self._driven.get((namespace, name), "")


def _names(canary: FlaggerCanary | None) -> tuple[Name, ...]:
    if canary is None or not canary.target:
        return ()
    namespace, target = canary.metadata.namespace, canary.target
    return (namespace, target), (namespace, f"{target}{PRIMARY}")
