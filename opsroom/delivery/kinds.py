"""The objects that deeds are for: what the API calls each engine's kind, where one stands, which right patches it."""

from __future__ import annotations

from typing import NamedTuple

from opsroom.delivery.plan import Need
from opsroom.domain.deed import Target
from opsroom.domain.rollout import Engine


class Kind(NamedTuple):
    """One kind of object."""

    group: str
    version: str
    plural: str
    name: str

    @property
    def api(self) -> str:
        """As in ``apiVersion``."""
        return f"{self.group}/{self.version}"


KINDS = {
    Engine.ARGO: Kind("argoproj.io", "v1alpha1", "rollouts", "Rollout"),
    Engine.DEPLOYMENT: Kind("apps", "v1", "deployments", "Deployment"),
    Engine.FLAGGER: Kind("flagger.app", "v1beta1", "canaries", "Canary"),
}


def path_to(engine: Engine, namespace: str, name: str) -> str:
    """Path of one object."""
    kind = KINDS[engine]
    return f"/apis/{kind.api}/namespaces/{namespace}/{kind.plural}/{name}"


def path_of(target: Target) -> str:
    """Path of the object that ``target`` names."""
    return path_to(target.engine, target.namespace, target.name)


def need_of(target: Target, subresource: str = "") -> Need:
    """The right to patch it."""
    kind = KINDS[target.engine]
    return Need(group=kind.group, resource=kind.plural, subresource=subresource, namespace=target.namespace)
