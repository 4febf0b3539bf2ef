"""ReplicaSets of an Argo Rollout as revisions: creating the new one, numbering it, scaling any of them.

Source: argo-rollouts rollout/sync.go getAllReplicaSetsAndSyncRevision. Which sizes they get is `rollout_canary`'s and
`rollout_bluegreen`'s affair.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Create, Merge, Note, key_of, scale
from opsroom.simulator.controllers.objects import Obj, desired_replicas, name_of
from opsroom.simulator.controllers.rollout_view import COMPONENT, DESIRED, REVISION, REVISIONS, RolloutView


def claim_revision(view: RolloutView) -> list[Change]:
    """Create the ReplicaSet of the present template (size 0), or renumber a re-used one."""
    number = REVISIONS.next_number(one for one in view.every if one is not view.new)
    changes: list[Change]
    if view.new is None:
        body = REVISIONS.replica_set(view.rollout, view.pod_hash, number, 0)
        text = f"Created ReplicaSet {name_of(body)} (revision {number})"
        changes = [Create("replicasets", body), Note(view.rollout, COMPONENT, "Normal", "NewReplicaSetCreated", text)]
    else:
        changes = REVISIONS.renumbered(view.rollout, view.new, number)
        number = max(number, REVISIONS.number_of(view.new))
    if REVISIONS.number_of(view.rollout) != number:
        body = {"metadata": {"annotations": {REVISION: str(number)}}}
        text = f"Rollout updated to revision {number}"
        changes.append(Merge(key_of("rollouts", view.rollout), body))
        changes.insert(0, Note(view.rollout, COMPONENT, "Normal", "RolloutUpdated", text))
    return changes


def resize(view: RolloutView, replica_set: Obj, size: int, annotations: Obj | None = None) -> list[Change]:
    """Scale one ReplicaSet, with its Event; nothing if it has that size already."""
    before = desired_replicas(replica_set)
    if before == size:
        return []
    word = "up" if size > before else "down"
    which = f"{name_of(replica_set)} (revision {REVISIONS.number_of(replica_set)})"
    text = f"Scaled {word} ReplicaSet {which} from {before} to {size}"
    marks = {DESIRED: str(view.wanted), **(annotations or {})}
    return [
        scale("replicasets", replica_set, size, marks),
        Note(view.rollout, COMPONENT, "Normal", "ScalingReplicaSet", text),
    ]
