"""A Deployment's status: counters, Available and Progressing, the deadline.

Source: k8s.io pkg/controller/deployment/{sync,progress}.go. It does not decide sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.simulator.clock import moment
from opsroom.simulator.controllers.changes import Change, Status, Wake, key_of
from opsroom.simulator.controllers.conditions import Conditions, Finding, find, put, reason_of
from opsroom.simulator.controllers.objects import (
    Obj,
    count,
    desired_replicas,
    name_of,
    status_of,
    total,
    total_desired,
    without_zeros,
)
from opsroom.simulator.controllers.replica_counts import Fence

NO_DEADLINE = 2_147_483_647


def status_changes(
    deployment: Obj,
    new: Obj | None,
    every: Sequence[Obj],
    limits: Fence,
    now: float,
    created: str | None,
) -> list[Change]:
    """The status write if anything differs, and a wake-up when the deadline would pass.

    `created` names the ReplicaSet that this pass creates, if it does.
    """
    status = _counters(deployment, new, every)
    conditions: Conditions = list(status_of(deployment).get("conditions") or ())
    conditions = _available(deployment, status, limits, conditions, now)
    if _deadline(deployment) is not None:
        conditions = _pause_words(deployment, conditions, now)
        if not deployment["spec"].get("paused"):
            conditions = _progressing(deployment, status, new, conditions, now, created)
    status["conditions"] = conditions
    changes: list[Change] = []
    if status != status_of(deployment):
        changes.append(Status(key_of("deployments", deployment), status))
    return changes + _wake(deployment, conditions, now)


def _counters(deployment: Obj, new: Obj | None, every: Sequence[Obj]) -> Obj:
    available = total(every, "availableReplicas")
    status = without_zeros(
        {
            "observedGeneration": deployment["metadata"].get("generation", 1),
            "replicas": total(every, "replicas"),
            "updatedReplicas": count(new, "replicas"),
            "readyReplicas": total(every, "readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, total_desired(every) - available),
        }
    )
    status["terminatingReplicas"] = 0
    return status


def _available(deployment: Obj, status: Obj, limits: Fence, conditions: Conditions, now: float) -> Conditions:
    enough = status.get("availableReplicas", 0) >= desired_replicas(deployment) - limits.unavailable
    if enough:
        text = "Deployment has minimum availability."
        return put(conditions, Finding("Available", "True", "MinimumReplicasAvailable", text), now)
    text = "Deployment does not have minimum availability."
    return put(conditions, Finding("Available", "False", "MinimumReplicasUnavailable", text), now)


def _pause_words(deployment: Obj, conditions: Conditions, now: float) -> Conditions:
    reason = reason_of(conditions, "Progressing")
    paused = bool(deployment["spec"].get("paused"))
    if reason == "ProgressDeadlineExceeded":
        return conditions
    if paused and reason != "DeploymentPaused":
        finding = Finding("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
        return put(conditions, finding, now)
    if not paused and reason == "DeploymentPaused":
        finding = Finding("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        return put(conditions, finding, now)
    return conditions


def _progressing(
    deployment: Obj, status: Obj, new: Obj | None, conditions: Conditions, now: float, created: str | None
) -> Conditions:
    subject = f'Deployment "{name_of(deployment)}"' if new is None else f'ReplicaSet "{name_of(new)}"'
    if created is not None:
        text = f'Created new replica set "{created}"'
        return put(conditions, Finding("Progressing", "True", "NewReplicaSetCreated", text), now)
    if status.get("replicas", 0) == status.get("updatedReplicas", 0) and (
        reason_of(conditions, "Progressing") == "NewReplicaSetAvailable"
    ):
        return conditions
    if _complete(deployment, status):
        text = f"{subject} has successfully progressed."
        return put(conditions, Finding("Progressing", "True", "NewReplicaSetAvailable", text), now, touch=True)
    if _moved(status_of(deployment), status):
        text = f"{subject} is progressing."
        return put(conditions, Finding("Progressing", "True", "ReplicaSetUpdated", text), now, touch=True)
    if _timed_out(deployment, conditions, now):
        text = f"{subject} has timed out progressing."
        return put(conditions, Finding("Progressing", "False", "ProgressDeadlineExceeded", text), now)
    return conditions


def _complete(deployment: Obj, status: Obj) -> bool:
    wanted = desired_replicas(deployment)
    return all(status.get(key, 0) == wanted for key in ("updatedReplicas", "replicas", "availableReplicas"))


def _moved(before: Obj, after: Obj) -> bool:
    def grew(key: str) -> bool:
        return bool(after.get(key, 0) > before.get(key, 0))

    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_after = after.get("replicas", 0) - after.get("updatedReplicas", 0)
    return grew("updatedReplicas") or old_after < old_before or grew("readyReplicas") or grew("availableReplicas")


def _deadline(deployment: Obj) -> int | None:
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds == NO_DEADLINE else int(seconds)


def _due(deployment: Obj, conditions: Conditions) -> float | None:
    """When the deadline passes, None while it does not count."""
    progressing = find(conditions, "Progressing")
    seconds = _deadline(deployment)
    if progressing is None or seconds is None or deployment["spec"].get("paused"):
        return None
    if progressing["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    return moment(progressing["lastUpdateTime"]) + seconds


def _timed_out(deployment: Obj, conditions: Conditions, now: float) -> bool:
    due = _due(deployment, conditions)
    return due is not None and due < now


def _wake(deployment: Obj, conditions: Conditions, now: float) -> list[Change]:
    due = _due(deployment, conditions)
    return [Wake(due + 1)] if due is not None and due >= now else []
