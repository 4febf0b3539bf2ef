"""The ReplicaSet controller: keeps `spec.replicas` pods with the template, counts them in the status.

Source: k8s.io pkg/controller/replicaset. It does not know who owns the ReplicaSet.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.simulator.controllers.changes import Change, Create, Delete, Note, Status, Wake, key_of
from opsroom.simulator.controllers.objects import (
    Obj,
    controller_reference,
    desired_replicas,
    is_ready,
    labels_of,
    name_of,
    namespace_of,
    ready_since,
    status_of,
    uid_of,
)
from opsroom.simulator.controllers.template_hash import safe_suffix

COMPONENT = "replicaset-controller"


def reconcile_replica_set(replica_set: Obj, pods: Sequence[Obj], now: float) -> list[Change]:
    """Create or delete pods towards `spec.replicas`, and write the status from the pods there are.

    `pods` are those this ReplicaSet controls. The status of a reconcile that creates or deletes still
    counts the pods as they were: the next event brings it up to date, as in the real one.
    """
    wanted = desired_replicas(replica_set)
    changes: list[Change] = []
    if len(pods) < wanted:
        for name in _new_names(replica_set, pods, wanted - len(pods), now):
            changes.append(_pod(replica_set, name))
            note = f"Created pod: {name}"
            changes.append(Note(replica_set, COMPONENT, "Normal", "SuccessfulCreate", note))
    elif len(pods) > wanted:
        for pod in sorted(pods, key=_victim_order)[: len(pods) - wanted]:
            changes.append(Delete(key_of("pods", pod)))
            note = f"Deleted pod: {name_of(pod)}"
            changes.append(Note(replica_set, COMPONENT, "Normal", "SuccessfulDelete", note))
    status = _status(replica_set, pods, now)
    if status != status_of(replica_set):
        changes.append(Status(key_of("replicasets", replica_set), status))
    return changes + _wakes(replica_set, pods, now)


def _new_names(replica_set: Obj, pods: Sequence[Obj], how_many: int, now: float) -> list[str]:
    taken = {name_of(pod) for pod in pods}
    names: list[str] = []
    salt = 0
    while len(names) < how_many:
        name = f"{name_of(replica_set)}-{safe_suffix(f'{uid_of(replica_set)}/{now}/{salt}')}"
        salt += 1
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names


def _pod(replica_set: Obj, name: str) -> Create:
    template = replica_set["spec"]["template"]
    metadata = {key: value for key, value in template["metadata"].items() if key != "creationTimestamp"}
    metadata |= {
        "name": name,
        "generateName": f"{name_of(replica_set)}-",
        "namespace": namespace_of(replica_set),
        "ownerReferences": [controller_reference(replica_set)],
    }
    return Create("pods", {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}})


def _victim_order(pod: Obj) -> tuple[bool, int, float, str]:
    """Unready first, then more restarts, then the younger (k8s.io controller.ActivePodsWithRanks)."""
    containers = status_of(pod).get("containerStatuses") or ()
    restarts = sum(int(one.get("restartCount", 0)) for one in containers)
    return is_ready(pod), -restarts, -(ready_since(pod) or 0.0), name_of(pod)


def _status(replica_set: Obj, pods: Sequence[Obj], now: float) -> Obj:
    wait = int(replica_set["spec"].get("minReadySeconds") or 0)
    template_labels = labels_of(replica_set["spec"]["template"]).items()
    moments = [ready_since(pod) for pod in pods]
    ready = sum(since is not None for since in moments)
    available = sum(since is not None and since + wait <= now for since in moments)
    status: Obj = {"replicas": len(pods)}
    if labelled := sum(template_labels <= labels_of(pod).items() for pod in pods):
        status["fullyLabeledReplicas"] = labelled
    if ready:
        status["readyReplicas"] = ready
    if available:
        status["availableReplicas"] = available
    status["terminatingReplicas"] = 0
    status["observedGeneration"] = replica_set["metadata"].get("generation", 1)
    return status


def _wakes(replica_set: Obj, pods: Sequence[Obj], now: float) -> list[Change]:
    wait = int(replica_set["spec"].get("minReadySeconds") or 0)
    if not wait:
        return []
    due = [since + wait for pod in pods if (since := ready_since(pod)) is not None]
    later = [when for when in due if when > now]
    return [Wake(min(later))] if later else []
