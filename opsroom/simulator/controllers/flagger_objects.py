"""What Flagger makes of a target: the primary Deployment, the three Services, scaling, and when a Deployment is ready.

Pure: objects in, changes out. Source: fluxcd/flagger pkg/canary/deployment_controller.go, deployment_ready.go,
pkg/router/kubernetes_default.go. Not simulated: DaemonSets, Services as targets, autoscalers, tracked configs.
"""

from __future__ import annotations

import copy

from opsroom.simulator.clock import moment
from opsroom.simulator.controllers.changes import Change, Create, Key, Merge, key_of
from opsroom.simulator.controllers.objects import (
    Obj,
    controller_reference,
    count,
    desired_replicas,
    name_of,
    namespace_of,
    status_of,
)
from opsroom.simulator.controllers.template_hash import bare_template, template_hash

PRIMARY = "-primary"
_SELECTOR_LABELS = ("app", "name", "app.kubernetes.io/name")
_DEADLINE = 600.0


def selector_label(target: Obj) -> str:
    """The label of the target's selector that is rewritten for the primary; raises ValueError without one."""
    labels = target["spec"]["selector"].get("matchLabels") or {}
    for name in _SELECTOR_LABELS:
        if name in labels:
            return name
    raise ValueError(f"invalid label selector! Deployment {name_of(target)} must have a label app, name or similar")


def primary_of(canary: Obj, target: Obj) -> Obj:
    """The primary Deployment as Flagger creates it."""
    name = f"{name_of(target)}{PRIMARY}"
    label = selector_label(target)
    selector = {**(target["spec"]["selector"].get("matchLabels") or {}), label: name}
    labels = {**(target["metadata"].get("labels") or {}), label: name}
    spec = copy.deepcopy(target["spec"])
    return {
        "metadata": {
            "name": name,
            "namespace": namespace_of(target),
            "labels": labels,
            "annotations": dict(_told(target)),
            "ownerReferences": [controller_reference(canary)],
        },
        "spec": {
            **spec,
            "replicas": max(1, desired_replicas(target)),
            "selector": {"matchLabels": selector},
            "template": primary_template(target, label),
        },
    }


def primary_template(target: Obj, label: str) -> Obj:
    """The target's template with the primary's label."""
    template: Obj = copy.deepcopy(bare_template(target["spec"]["template"]))
    template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), label: f"{name_of(target)}{PRIMARY}"}
    return template


def promoted(target: Obj, primary: Obj) -> Merge:
    """The primary takes the target's template; a changed `flagger-id` rolls it out even where only configs differ."""
    template = primary_template(target, selector_label(target))
    notes = dict(template["metadata"].get("annotations") or {})
    template["metadata"]["annotations"] = {**notes, "flagger-id": f"{template_hash(target['spec']['template'])}"}
    labels = {**(target["metadata"].get("labels") or {}), selector_label(target): name_of(primary)}
    return Merge(key_of("deployments", primary), {"metadata": {"labels": labels}, "spec": {"template": template}})


def services_of(canary: Obj, target: Obj) -> list[Change]:
    """The Services for all traffic, the primary and the canary; those that exist stay as they are."""
    told = canary["spec"].get("service") or {}
    name = str(told.get("name") or name_of(target))
    label = selector_label(target)
    value = (target["spec"]["selector"].get("matchLabels") or {})[label]
    port = {
        "name": str(told.get("portName") or "http"),
        "port": told.get("port", 80),
        "protocol": "TCP",
        "targetPort": told.get("targetPort", told.get("port", 80)),
    }
    made: list[Change] = []
    for service, chosen in ((name, f"{value}{PRIMARY}"), (f"{name}-canary", value), (f"{name}{PRIMARY}", None)):
        body: Obj = {
            "metadata": {
                "name": service,
                "namespace": namespace_of(canary),
                "labels": {label: service},
                "ownerReferences": [controller_reference(canary)],
            },
            "spec": {"type": "ClusterIP", "selector": {label: chosen or f"{value}{PRIMARY}"}, "ports": [port]},
        }
        made.append(Create("services", body))
    return made


def scaled(target: Obj, replicas: int) -> list[Change]:
    """`spec.replicas` of the target, where it is another."""
    if desired_replicas(target) == replicas:
        return []
    return [Merge(Key("deployments", namespace_of(target), name_of(target)), {"spec": {"replicas": replicas}})]


def unready(deployment: Obj, threshold: int) -> str:
    """Why a Deployment is not ready, in Flagger's words; empty when it is. `threshold`: percent that must be up."""
    status = status_of(deployment)
    if int(deployment["metadata"].get("generation") or 0) > int(status.get("observedGeneration") or 0):
        return "waiting for rollout to finish: observed deployment generation less than desired generation"
    wanted, updated = desired_replicas(deployment), count(deployment, "updatedReplicas")
    if updated < wanted:
        return f"waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated"
    old = count(deployment, "replicas") - updated
    if old > 0:
        return f"waiting for rollout to finish: {old} old replicas are pending termination"
    available = count(deployment, "availableReplicas")
    if available * 100 < updated * threshold:
        enough = f"(readyThreshold {threshold}%)"
        return f"waiting for rollout to finish: {available} of {updated} {enough} updated replicas are available"
    return ""


def overdue(deployment: Obj, canary: Obj, now: float) -> bool:
    """Whether it has been short of pods for longer than the Canary's progress deadline."""
    deadline = float(canary["spec"].get("progressDeadlineSeconds") or _DEADLINE)
    for one in status_of(deployment).get("conditions") or ():
        if one.get("type") == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded":
            return True
        if one.get("type") == "Available" and one.get("reason") == "MinimumReplicasUnavailable":
            return moment(str(one["lastUpdateTime"])) + deadline < now
    return False


def _told(target: Obj) -> dict[str, str]:
    kept = target["metadata"].get("annotations") or {}
    return {key: value for key, value in kept.items() if not key.startswith(("deployment.kubernetes.io/", "kubectl."))}
