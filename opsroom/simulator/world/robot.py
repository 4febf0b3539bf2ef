"""The deploy robot: how pipelines and GitOps write to the cluster, as a named user and through admission.

Its writes go the way of everybody's: a hold at admission stops them, and managedFields names it. It decides nothing.
"""

from __future__ import annotations

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.access import Authorizer, User
from opsroom.simulator.kube.hold import Hold
from opsroom.simulator.kube.patches import merge_patch
from opsroom.simulator.kube.resources import BY_PLURAL
from opsroom.simulator.kube.store import Store

ROBOT = User("system:serviceaccount:ci:deploybot", ("system:serviceaccounts", "system:authenticated"))
MANAGER = "deploybot"


class Robot:
    """Writes with the rights and the name of a deploy robot."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hold = Hold(store, Authorizer(store))

    def patch(self, resource: str, namespace: str, name: str, body: Obj) -> Obj | None:
        """Merge patch of the main resource; returns what is stored, None if there is no such object."""
        old = self._store.get(resource, namespace, name)
        if old is None:
            return None
        new = self._hold.admit(BY_PLURAL[resource], old, merge_patch(old, body), ROBOT)
        return self._store.replace(resource, new, manager=MANAGER)
