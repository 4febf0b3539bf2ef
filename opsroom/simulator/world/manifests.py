"""The objects of a service as its pipeline applies them: workloads and Services.

Shapes follow the documentation of Kubernetes and Argo Rollouts; labels are the recommended ones. It knows nothing
of quality, schedules or the store.
"""

from __future__ import annotations

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.hold import CANARY_OF, OPT_OUT
from opsroom.simulator.world.canaries import flagger_canary
from opsroom.simulator.world.catalog import Delivery, ServiceSpec
from opsroom.simulator.world.draws import key_number
from opsroom.simulator.world.releases import Release

CONTAINER = "app"


def canary_name(service: ServiceSpec) -> str:
    """The canary Deployment of a pair."""
    return f"{service.name}-canary"


def manifests(service: ServiceSpec, release: Release, gates: str = "") -> list[tuple[str, Obj]]:
    """(resource, object) of everything a service needs, Services first.

    `gates` is the base URL of what answers the gates of Canaries; without one they have none.
    """
    match service.delivery:
        case Delivery.ROLLOUT | Delivery.ROUTED:
            services = [_service(service, f"{service.name}-{side}") for side in ("stable", "canary")]
            return [*services, ("rollouts", _rollout(service, release))]
        case Delivery.PAIR:
            stable = _deployment(service, release, service.name, "stable", service.replicas)
            canary = _deployment(service, release, canary_name(service), "canary", 0)
            canary["metadata"]["annotations"][CANARY_OF] = service.name
            return [_service(service, service.name), ("deployments", stable), ("deployments", canary)]
        case Delivery.FLAGGER:
            target = _deployment(service, release, service.name, "", service.replicas)
            # Paused, Flagger would scale up the former version: its targets stay out of a hold at admission.
            target["metadata"]["labels"][OPT_OUT] = "off"  # its Canary is held instead
            return [("deployments", target), ("canaries", flagger_canary(service, release, gates))]
        case _:
            only = _deployment(service, release, service.name, "", service.replicas)
            return [_service(service, service.name), ("deployments", only)]


def change_annotations(release: Release) -> dict[str, str]:
    """What the pipeline tells of a change, on the workload."""
    return {
        "opsroom.dev/change-author": release.author,
        "opsroom.dev/change-origin": release.origin,
        "opsroom.dev/change-commit": release.commit,
        "kubernetes.io/change-cause": f"deploy {release.tag} ({release.commit[:8]})",
    }


def _labels(service: ServiceSpec, release: Release) -> dict[str, str]:
    labels = {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/instance": service.name,
        "app.kubernetes.io/part-of": service.namespace,
        "app.kubernetes.io/version": release.tag,
        "app.kubernetes.io/managed-by": service.gitops or "deploybot",
        "team": service.team,
        "tier": service.tier,
    }
    if service.gitops == "flux":
        labels["kustomize.toolkit.fluxcd.io/name"] = service.namespace
        labels["kustomize.toolkit.fluxcd.io/namespace"] = "flux-system"
    return labels


def _metadata(service: ServiceSpec, release: Release, name: str, group_kind: str) -> Obj:
    annotations = change_annotations(release)
    if service.gitops == "argocd":
        tracked = f"{service.namespace}:{group_kind}:{service.namespace}/{name}"
        annotations["argocd.argoproj.io/tracking-id"] = tracked
    return {
        "name": name,
        "namespace": service.namespace,
        "labels": _labels(service, release),
        "annotations": annotations,
    }


def _selector(service: ServiceSpec, track: str) -> dict[str, str]:
    return {"app": service.name} | ({"track": track} if track else {})


def _template(service: ServiceSpec, release: Release, track: str) -> Obj:
    labels = _selector(service, track) | {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/version": release.tag,
        "team": service.team,
    }
    return {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [
                {
                    "name": CONTAINER,
                    "image": release.image,
                    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
                }
            ],
        },
    }


def template_change(service: ServiceSpec, release: Release, track: str) -> Obj:
    """The body that brings a release into a workload's pod template, as a merge patch."""
    return {
        "metadata": {
            "labels": {"app.kubernetes.io/version": release.tag},
            "annotations": change_annotations(release),
        },
        "spec": {"template": _template(service, release, track)},
    }


def _service(service: ServiceSpec, name: str) -> tuple[str, Obj]:
    body: Obj = {
        "metadata": {"name": name, "namespace": service.namespace, "labels": {"app": service.name}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": _address(service, name),
            "selector": {"app": service.name},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }
    return "services", body


def _address(service: ServiceSpec, name: str) -> str:
    number = key_number(service.namespace, name, "address")
    return f"10.96.{number % 256}.{number // 256 % 254 + 1}"


def _rollout(service: ServiceSpec, release: Release) -> Obj:
    steps: list[Obj] = []
    for weight in service.weights:
        steps += [{"setWeight": weight}, {"pause": {}}]
    canary: Obj = {
        "maxSurge": "25%",
        "maxUnavailable": 0,
        "stableService": f"{service.name}-stable",
        "canaryService": f"{service.name}-canary",
        "steps": steps,
    }
    if service.delivery is Delivery.ROUTED:
        canary["trafficRouting"] = {"nginx": {"stableIngress": service.name}}
    return {
        "metadata": _metadata(service, release, service.name, "argoproj.io/Rollout"),
        "spec": {
            "replicas": service.replicas,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": _selector(service, "")},
            "template": _template(service, release, ""),
            "strategy": {"canary": canary},
        },
    }


def _deployment(service: ServiceSpec, release: Release, name: str, track: str, replicas: int) -> Obj:
    metadata = _metadata(service, release, name, "apps/Deployment")
    if track:
        metadata["labels"]["track"] = track
    return {
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": _selector(service, track)},
            "template": _template(service, release, track),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        },
    }
