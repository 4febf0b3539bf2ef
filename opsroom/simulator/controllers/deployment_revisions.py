"""ReplicaSets of a Deployment as revisions: creating the new one, numbering, forgetting old ones.

Source: k8s.io pkg/controller/deployment/{sync.go,util/deployment_util.go}. Sizes after the first are `deployment`'s.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Create, Delete, Merge, key_of
from opsroom.simulator.controllers.deployment_family import DESIRED, MAXIMUM, Family, scaled_note
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
from opsroom.simulator.controllers.replica_counts import Fence, rolling_new_count
from opsroom.simulator.controllers.template_hash import DEPLOYMENT_HASH_LABEL, bare_template, template_hash

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
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


def _revision(obj: Obj) -> int:
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def claim_revision(family: Family) -> list[Change]:
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
        changes.append(scaled_note(family, name, 0, size))
    return changes


def forget_history(family: Family) -> list[Change]:
    """Delete idle ReplicaSets beyond `revisionHistoryLimit` (default 10), oldest revision first."""
    limit = family.deployment["spec"].get("revisionHistoryLimit")
    keep = 10 if limit is None else int(limit)
    idle = [one for one in family.old if not desired_replicas(one) and not count(one, "replicas")]
    idle.sort(key=_revision)
    return [Delete(key_of("replicasets", one)) for one in idle[: max(0, len(idle) - keep)]]
