"""The Flagger Canary of a service, as its pipeline applies it, and when it has come to rest.

With gates it asks before each increase of traffic and before the promotion, and lets itself be rolled back; without,
it goes its way by its own weights. Flagger makes the Services. Source: fluxcd/flagger docs/gitbook/usage/webhooks.md.
"""

from __future__ import annotations

from opsroom.simulator.controllers.objects import Obj, desired_replicas, status_of
from opsroom.simulator.controllers.template_hash import template_hash
from opsroom.simulator.kube.store import Store
from opsroom.simulator.world.catalog import ServiceSpec
from opsroom.simulator.world.releases import Release

PACE = 2.0
"""Seconds between two ticks of a Canary with gates. The real Flagger would make 10 of them; this world is quicker."""

_ALONE = 10.0
_GATES = ("confirm-traffic-increase", "confirm-promotion", "rollback")
_RESTING = ("Initialized", "Succeeded", "Failed")


def flagger_canary(service: ServiceSpec, release: Release, gates: str) -> Obj:
    """The Canary; `gates` is a base URL, or empty."""
    hooks = [{"name": f"opsroom-{type_}", "type": type_, "url": f"{gates.rstrip('/')}/{type_}"} for type_ in _GATES]
    analysis: Obj = {
        "interval": f"{PACE if gates else _ALONE:.0f}s",
        "threshold": 5,
        "stepWeights": list(service.weights),
    }
    if gates:
        analysis["webhooks"] = [{**hook, "timeout": "3s", "muteAlert": True} for hook in hooks]
    labels = {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/part-of": service.namespace,
        "team": service.team,
        "tier": service.tier,
    }
    return {
        "metadata": {"name": service.name, "namespace": service.namespace, "labels": labels, "annotations": {}},
        "spec": {
            "provider": "nginx",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
            "service": {"port": 80, "targetPort": "http"},
            "progressDeadlineSeconds": 60,
            "analysis": analysis,
        },
    }


def canary_settled(store: Store, service: ServiceSpec) -> bool:
    """Whether the last release has been promoted or rolled back, and Flagger has seen it at all."""
    found = store.get("canaries", service.namespace, service.name)
    target = store.get("deployments", service.namespace, service.name)
    if found is None or target is None:
        return False
    status = status_of(found)
    seen = status.get("lastAppliedSpec") == template_hash(target["spec"]["template"])
    return status.get("phase") in _RESTING and seen and desired_replicas(target) == 0
