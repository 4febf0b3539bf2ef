"""ReplicaSets of an Argo Rollout as revisions: creating the new one, numbering, forgetting old ones.

Source: argo-rollouts rollout/sync.go getAllReplicaSetsAndSyncRevision, utils/annotations. Sizes are
`rollout_canary`'s and `rollout_bluegreen`'s.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Create, Delete, Merge, Note, key_of, scale
from opsroom.simulator.controllers.objects import (
    Obj,
    annotations_of,
    controller_reference,
    count,
    desired_replicas,
    name_of,
    namespace_of,
)
from opsroom.simulator.controllers.rollout_view import (
    COMPONENT,
    DESIRED,
    REVISION,
    REVISION_HISTORY,
    RolloutView,
    revision_of,
)
from opsroom.simulator.controllers.template_hash import ROLLOUT_HASH_LABEL, bare_template


def claim_revision(view: RolloutView) -> list[Change]:
    """Create the ReplicaSet of the present template (size 0), or renumber a re-used one."""
    rest = [one for one in view.every if one is not view.new]
    number = max((revision_of(one) for one in rest), default=0) + 1
    changes: list[Change] = []
    if view.new is None:
        body = _replica_set(view, number)
        text = f"Created ReplicaSet {name_of(body)} (revision {number})"
        changes = [Create("replicasets", body), Note(view.rollout, COMPONENT, "Normal", "NewReplicaSetCreated", text)]
    elif revision_of(view.new) < number:
        changes = [Merge(key_of("replicasets", view.new), _renumber(view.new, number))]
    else:
        number = revision_of(view.new)
    if revision_of(view.rollout) != number:
        body = {"metadata": {"annotations": {REVISION: str(number)}}}
        text = f"Rollout updated to revision {number}"
        changes.append(Merge(key_of("rollouts", view.rollout), body))
        changes.insert(0, Note(view.rollout, COMPONENT, "Normal", "RolloutUpdated", text))
    return changes


def _renumber(replica_set: Obj, number: int) -> Obj:
    annotations = {REVISION: str(number)}
    if former := annotations_of(replica_set).get(REVISION):
        history = annotations_of(replica_set).get(REVISION_HISTORY)
        annotations[REVISION_HISTORY] = f"{history},{former}" if history else former
    return {"metadata": {"annotations": annotations}}


def _replica_set(view: RolloutView, number: int) -> Obj:
    rollout = view.rollout
    mark = view.pod_hash
    template = bare_template(rollout["spec"]["template"])
    labels = {**(template["metadata"].get("labels") or {}), ROLLOUT_HASH_LABEL: mark}
    inherited = {
        key: value
        for key, value in annotations_of(rollout).items()
        if key not in ("kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED)
    }
    selector = {**(rollout["spec"]["selector"].get("matchLabels") or {}), ROLLOUT_HASH_LABEL: mark}
    body: Obj = {
        "metadata": {
            "name": f"{name_of(rollout)}-{mark}",
            "namespace": namespace_of(rollout),
            "labels": labels,
            "annotations": inherited | {REVISION: str(number), DESIRED: str(view.wanted)},
            "ownerReferences": [controller_reference(rollout)],
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": selector},
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        },
        "status": {"replicas": 0},
    }
    if wait := rollout["spec"].get("minReadySeconds"):
        body["spec"]["minReadySeconds"] = wait
    return body


def resize(view: RolloutView, replica_set: Obj, size: int, annotations: Obj | None = None) -> list[Change]:
    """Scale one ReplicaSet, with its Event; nothing if it has that size already."""
    before = desired_replicas(replica_set)
    if before == size:
        return []
    word = "up" if size > before else "down"
    text = (
        f"Scaled {word} ReplicaSet {name_of(replica_set)} (revision {revision_of(replica_set)}) from {before} to {size}"
    )
    marks = {DESIRED: str(view.wanted), **(annotations or {})}
    return [
        scale("replicasets", replica_set, size, marks),
        Note(view.rollout, COMPONENT, "Normal", "ScalingReplicaSet", text),
    ]


def forget_history(view: RolloutView) -> list[Change]:
    """Delete idle ReplicaSets beyond `revisionHistoryLimit` (default 10), oldest revision first."""
    limit = view.rollout["spec"].get("revisionHistoryLimit")
    keep = 10 if limit is None else int(limit)
    idle = [one for one in view.others if not desired_replicas(one) and not count(one, "replicas")]
    idle.sort(key=revision_of)
    return [Delete(key_of("replicasets", one)) for one in idle[: max(0, len(idle) - keep)]]
