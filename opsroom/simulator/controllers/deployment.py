"""The Deployment controller: ReplicaSets by template, rolling updates, pause, scaling, revisions.

Pure: a Deployment and its ReplicaSets in, changes out. Sources: k8s.io pkg/controller/deployment
(sync.go, rolling.go, util/deployment_util.go). Pods are the ReplicaSet controller's business; conditions
and counters stand in `deployment_status`. Not simulated: hash collisions, the deprecated rollback field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.simulator.controllers.changes import Change, Create, Delete, Merge, Note, key_of, scale
from opsroom.simulator.controllers.deployment_status import status_changes
from opsroom.simulator.controllers.objects import (
    Obj,
    annotations_of,
    controller_reference,
    count,
    desired_replicas,
    name_of,
    namespace_of,
    total,
    total_desired,
)
from opsroom.simulator.controllers.replica_counts import Fence, fence, rolling_new_count, spread
from opsroom.simulator.controllers.template_hash import DEPLOYMENT_HASH_LABEL, bare_template, template_hash

COMPONENT = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_OWN_ANNOTATIONS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED,
        MAXIMUM,
        "deprecated.deployment.rollback.to",
    }
)


@dataclass(frozen=True, slots=True)
class Family:
    """A Deployment with the ReplicaSets it controls, the one of its present template told apart."""

    deployment: Obj
    new: Obj | None
    old: tuple[Obj, ...]  # oldest first

    @property
    def every(self) -> tuple[Obj, ...]:
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def wanted(self) -> int:
        return desired_replicas(self.deployment)

    @property
    def limits(self) -> Fence:
        strategy = self.deployment["spec"].get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return Fence(0, 0)
        rolling = strategy.get("rollingUpdate") or {}
        return fence(self.wanted, rolling.get("maxSurge"), rolling.get("maxUnavailable"))


def family_of(deployment: Obj, replica_sets: Sequence[Obj]) -> Family:
    """Sort the ReplicaSets; of several with the present template the oldest is the new one."""
    template = bare_template(deployment["spec"]["template"])
    by_age = sorted(replica_sets, key=lambda one: (one["metadata"]["creationTimestamp"], name_of(one)))
    new = next((one for one in by_age if bare_template(one["spec"]["template"]) == template), None)
    return Family(deployment, new, tuple(one for one in by_age if one is not new))


def reconcile_deployment(deployment: Obj, replica_sets: Sequence[Obj], now: float) -> list[Change]:
    """One pass of the controller's sync; the status counts the ReplicaSets as they were before it."""
    family = family_of(deployment, replica_sets)
    paused = bool(deployment["spec"].get("paused"))
    changes: list[Change] = []
    if not paused:
        changes += _claim_revision(family)
    if paused or _was_scaled(family):
        changes += _scale_all(family)
    elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        changes += _recreate(family)
    else:
        changes += _roll(family)
    changes += _forget_history(family)
    created = next((name_of(change.body) for change in changes if isinstance(change, Create)), None)
    return changes + status_changes(deployment, family.new, family.every, family.limits, now, created)


def _revision(obj: Obj) -> int:
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def _claim_revision(family: Family) -> list[Change]:
    """Create the new ReplicaSet, or give a re-used one the next revision number."""
    number = max((_revision(one) for one in family.old), default=0) + 1
    changes: list[Change] = []
    if family.new is None:
        changes += _create(family, number)
    elif _revision(family.new) < number:
        changes.append(Merge(key_of("replicasets", family.new), _renumber(family, family.new, number)))
    else:
        number = _revision(family.new)
    if _revision(family.deployment) != number:
        body = {"metadata": {"annotations": {REVISION: str(number)}}}
        changes.append(Merge(key_of("deployments", family.deployment), body))
    return changes


def _renumber(family: Family, new: Obj, number: int) -> Obj:
    annotations = _inherited(family.deployment) | {REVISION: str(number)}
    if former := annotations_of(new).get(REVISION):
        history = annotations_of(new).get(REVISION_HISTORY)
        annotations[REVISION_HISTORY] = f"{history},{former}" if history else former
    return {"metadata": {"annotations": annotations}}


def _inherited(deployment: Obj) -> dict[str, str]:
    return {key: value for key, value in annotations_of(deployment).items() if key not in _OWN_ANNOTATIONS}


def _create(family: Family, number: int) -> list[Change]:
    deployment = family.deployment
    mark = template_hash(deployment["spec"]["template"])
    name = f"{name_of(deployment)}-{mark}"
    template = bare_template(deployment["spec"]["template"])
    labels = {**(template["metadata"].get("labels") or {}), DEPLOYMENT_HASH_LABEL: mark}
    wanted, limits = family.wanted, family.limits
    size = rolling_new_count(wanted, 0, total_desired(family.old), limits.surge)
    if limits == Fence(0, 0) and total(family.old, "replicas"):
        size = 0
    body: Obj = {
        "metadata": {
            "name": name,
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": _inherited(deployment)
            | {REVISION: str(number), DESIRED: str(wanted), MAXIMUM: str(wanted + limits.surge)},
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": {
            "replicas": size,
            "selector": {
                "matchLabels": {
                    **(deployment["spec"]["selector"].get("matchLabels") or {}),
                    DEPLOYMENT_HASH_LABEL: mark,
                }
            },
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        },
        "status": {"replicas": 0},
    }
    if wait := deployment["spec"].get("minReadySeconds"):
        body["spec"]["minReadySeconds"] = wait
    changes: list[Change] = [Create("replicasets", body)]
    if size:
        changes.append(_scaled(family, name, 0, size))
    return changes


def _was_scaled(family: Family) -> bool:
    """Whether `spec.replicas` changed since the ReplicaSets were last sized."""
    for one in family.every:
        desired = annotations_of(one).get(DESIRED)
        if desired_replicas(one) and desired is not None and desired != str(family.wanted):
            return True
    return False


def _scale_all(family: Family) -> list[Change]:
    """Bring the ReplicaSets to a changed `spec.replicas` without moving the update on."""
    live = [one for one in family.every if desired_replicas(one)]
    if not live and family.new is not None:
        return _resize(family, family.new, family.wanted)
    if not live:
        latest = family.old[-1:]
        return [change for one in latest for change in _resize(family, one, family.wanted)]
    if len(live) == 1:
        return _resize(family, live[0], family.wanted)
    if family.new is not None and _saturated(family):
        return [change for one in family.old for change in _resize(family, one, 0)]
    if not _was_scaled(family):
        return []
    live.sort(key=desired_replicas, reverse=True)
    target = family.wanted + family.limits.surge if family.wanted else 0
    sizes = spread(target, [desired_replicas(one) for one in live])
    return [change for one, size in zip(live, sizes, strict=True) for change in _resize(family, one, size)]


def _saturated(family: Family) -> bool:
    new = family.new
    return (
        new is not None
        and desired_replicas(new) == family.wanted
        and annotations_of(new).get(DESIRED) == str(family.wanted)
        and count(new, "availableReplicas") == family.wanted
    )


def _roll(family: Family) -> list[Change]:
    """One step of a rolling update: grow the new one if there is room, else shrink old ones."""
    if family.new is None:
        return []
    size = rolling_new_count(
        family.wanted,
        min(desired_replicas(family.new), family.wanted),
        total_desired(family.every),
        family.limits.surge,
    )
    if size != desired_replicas(family.new):
        return _resize(family, family.new, size)
    return _shrink_old(family, family.new)


def _shrink_old(family: Family, new: Obj) -> list[Change]:
    if not total_desired(family.old):
        return []
    floor = family.wanted - family.limits.unavailable
    new_missing = desired_replicas(new) - count(new, "availableReplicas")
    room = total_desired(family.every) - floor - new_missing
    changes: list[Change] = []
    sizes = {name_of(one): desired_replicas(one) for one in family.old}
    for one in family.old:
        unhealthy = min(max(room, 0), sizes[name_of(one)] - count(one, "availableReplicas"))
        if unhealthy > 0:
            sizes[name_of(one)] -= unhealthy
            room -= unhealthy
    spare = min(room, total(family.every, "availableReplicas") - floor)
    for one in family.old:
        step = min(max(spare, 0), sizes[name_of(one)])
        sizes[name_of(one)] -= step
        spare -= step
        changes += _resize(family, one, sizes[name_of(one)])
    return changes


def _recreate(family: Family) -> list[Change]:
    changes = [change for one in family.old for change in _resize(family, one, 0)]
    if not changes and family.new is not None and not total(family.old, "replicas"):
        changes = _resize(family, family.new, family.wanted)
    return changes


def _resize(family: Family, replica_set: Obj, size: int) -> list[Change]:
    before = desired_replicas(replica_set)
    marks = {DESIRED: str(family.wanted), MAXIMUM: str(family.wanted + family.limits.surge)}
    known = annotations_of(replica_set)
    if before == size and all(known.get(key) == value for key, value in marks.items()):
        return []
    changes: list[Change] = [scale("replicasets", replica_set, size, dict(marks))]
    if before != size:
        changes.append(_scaled(family, name_of(replica_set), before, size))
    return changes


def _scaled(family: Family, name: str, before: int, after: int) -> Note:
    word = "up" if after > before else "down"
    text = f"Scaled {word} replica set {name} from {before} to {after}"
    return Note(family.deployment, COMPONENT, "Normal", "ScalingReplicaSet", text)


def _forget_history(family: Family) -> list[Change]:
    limit = family.deployment["spec"].get("revisionHistoryLimit")
    keep = 10 if limit is None else int(limit)
    idle = [one for one in family.old if not desired_replicas(one) and not count(one, "replicas")]
    idle.sort(key=_revision)
    return [Delete(key_of("replicasets", one)) for one in idle[: max(0, len(idle) - keep)]]
