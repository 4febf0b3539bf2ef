"""The Deployment controller: ReplicaSets by template, rolling updates, pause, scaling, revisions.

Pure: a Deployment and its ReplicaSets in, changes out. Sources: k8s.io pkg/controller/deployment
(sync.go, rolling.go, util/deployment_util.go). Pods are the ReplicaSet controller's business; conditions
and counters stand in `deployment_status`. Not simulated: hash collisions, the deprecated rollback field.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.simulator.controllers.changes import Change, Create, scale
from opsroom.simulator.controllers.deployment_family import DESIRED, MAXIMUM, Family, family_of, scaled_note
from opsroom.simulator.controllers.deployment_revisions import REVISIONS, claim_revision
from opsroom.simulator.controllers.deployment_status import status_changes
from opsroom.simulator.controllers.objects import (
    Obj,
    annotations_of,
    count,
    desired_replicas,
    name_of,
    total,
    total_desired,
)
from opsroom.simulator.controllers.replica_counts import rolling_new_count, spread


def reconcile_deployment(deployment: Obj, replica_sets: Sequence[Obj], now: float) -> list[Change]:
    """One pass of the controller's sync; the status counts the ReplicaSets as they were before it."""
    family = family_of(deployment, replica_sets)
    paused = bool(deployment["spec"].get("paused"))
    changes: list[Change] = []
    if not paused:
        changes += claim_revision(family)
    if paused or _was_scaled(family):
        changes += _scale_all(family)
    elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        changes += _recreate(family)
    else:
        changes += _roll(family)
    changes += REVISIONS.forgotten(deployment, family.old)
    created = next((name_of(change.body) for change in changes if isinstance(change, Create)), None)
    return changes + status_changes(deployment, family.new, family.every, family.limits, now, created)


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
        changes.append(scaled_note(family, name_of(replica_set), before, size))
    return changes
