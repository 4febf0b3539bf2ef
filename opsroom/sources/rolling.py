"""A Deployment in its own rolling update as a domain rollout. Pure.

At rest it is healthy and has no canary. While an update runs (or stands half-way, paused) the new ReplicaSet is the
canary and the one that still has the pods is stable. Sources: K8S pkg/controller/deployment/util/deployment_util.go
(FindNewReplicaSet, conditions), kubectl pkg/polymorphichelpers/rollout_status.go.
"""

from __future__ import annotations

from opsroom.domain.clean import clean
from opsroom.domain.masking import said
from opsroom.domain.rollout import Engine, Pause, Phase, Rollout, Shape, Uid
from opsroom.sources.kinds import Deployment, ReplicaSet, epoch
from opsroom.sources.provenance import change, held, labels, owner
from opsroom.sources.revisions import Parts, born, number, with_trouble


def rolling_rollout(deployment: Deployment, parts: Parts) -> Rollout:
    """``deployment`` with what it owns."""
    meta = deployment.metadata
    new = newest(deployment, parts)
    old = _former(parts, new)
    moving = old is not None and _moving(deployment, new, old)
    stable = old if moving else new or old
    canary = parts.revision_of(new, deployment.spec.template) if moving else None
    state, message = phase(deployment, moving)
    is_held = held(meta.notes)
    if is_held and deployment.spec.paused and (new is None or new.status.replicas == 0):
        state = Phase.HELD
    trouble = parts.trouble(new) if state is not Phase.HEALTHY else ""
    return Rollout(
        uid=Uid(meta.uid),
        engine=Engine.DEPLOYMENT,
        shape=Shape.ROLLING,
        namespace=clean(meta.namespace),
        name=clean(meta.name),
        phase=state,
        message=with_trouble(said(message), trouble),
        labels=labels(meta),
        stable=None if stable is None else parts.revision(stable),
        canary=canary,
        weight=share(deployment, new) if moving else 0,
        pause=paused(deployment),
        started=parts.started(new) if moving else None,
        resource_version=meta.resource_version,
        owner=owner(meta),
        change=change(meta.notes),
        held=is_held,
    )


def newest(deployment: Deployment, parts: Parts) -> ReplicaSet | None:
    """The ReplicaSet of the present template; None while there is none (unobserved, or paused before it was made)."""
    same = [one for one in parts.replica_sets if one.spec.template.digest == deployment.spec.template.digest]
    return min(same, key=lambda one: born(one) or 0.0, default=None)


def _former(parts: Parts, new: ReplicaSet | None) -> ReplicaSet | None:
    """The other ReplicaSet with the most pods; among empty ones the latest revision."""
    others = [one for one in parts.replica_sets if one is not new]
    return max(others, key=lambda one: (one.status.replicas, number(one) or 0), default=None)


def _moving(deployment: Deployment, new: ReplicaSet | None, old: ReplicaSet) -> bool:
    if deployment.spec.replicas == 0 and old.status.replicas == 0:
        return False
    if new is None or old.status.replicas > 0:
        return True
    progressing = deployment.status.condition("Progressing")
    # The reason stays NewReplicaSetAvailable when pods die or the Deployment is scaled later on; without a deadline
    # there is no condition, and nothing but old pods tells an update from such a change.
    return progressing is not None and progressing.reason not in ("NewReplicaSetAvailable", "DeploymentResumed", "")


def phase(deployment: Deployment, moving: bool) -> tuple[Phase, str]:
    """The phase and the controller's words for it (uncleaned)."""
    status = deployment.status
    if deployment.metadata.generation > status.observed_generation:
        return Phase.OBSERVING, ""
    if deployment.spec.paused and moving:
        return Phase.PAUSED, ""
    for type_, bad in (("ReplicaFailure", "True"), ("Progressing", "False")):
        condition = status.condition(type_)
        if condition is not None and condition.status == bad:
            return Phase.DEGRADED, f"{condition.reason}: {condition.message}"
    if moving or (not status.available_replicas and deployment.spec.replicas and not _was_complete(deployment)):
        return Phase.PROGRESSING, ""
    return Phase.HEALTHY, ""


def _was_complete(deployment: Deployment) -> bool:
    condition = deployment.status.condition("Progressing")
    return condition is not None and condition.reason == "NewReplicaSetAvailable"


def share(deployment: Deployment, new: ReplicaSet | None) -> int:
    """Percent of the available pods that are new."""
    available = deployment.status.available_replicas
    if new is None or not available:
        return 0
    return min(100, new.status.available_replicas * 100 // available)


def paused(deployment: Deployment) -> Pause | None:
    """The pause somebody asked for."""
    if not deployment.spec.paused:
        return None
    condition = deployment.status.condition("Progressing")
    at = condition.last_update_time if condition is not None and condition.reason == "DeploymentPaused" else None
    return Pause(user=True, since=epoch(at))
