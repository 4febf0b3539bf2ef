"""An Argo Rollout's phase and message, as the controller writes them into the status.

The table of argo-rollouts utils/rollout/rolloututil.go CalculateRolloutPhase, first hit wins.
"""

from __future__ import annotations

from opsroom.simulator.controllers.objects import Obj, desired_replicas


def phase_of(rollout: Obj, status: Obj) -> tuple[str, str]:
    """(phase, message) for the status about to be written; phases: Healthy, Progressing, Paused, Degraded."""
    for condition in status.get("conditions") or ():
        if condition["type"] == "InvalidSpec":
            return "Degraded", f"InvalidSpec: {condition['message']}"
        if condition.get("reason") in ("RolloutAborted", "ProgressDeadlineExceeded"):
            return "Degraded", f"{condition['reason']}: {condition['message']}"
    if rollout["spec"].get("paused"):
        return "Paused", "manually paused"
    if status.get("pauseConditions"):
        return "Paused", str(status["pauseConditions"][0]["reason"])
    return _progress(rollout, status)


def _progress(rollout: Obj, status: Obj) -> tuple[str, str]:
    updated = int(status.get("updatedReplicas") or 0)
    strategy = rollout["spec"].get("strategy") or {}
    current, stable = status.get("currentPodHash"), status.get("stableRS")
    blue_green = strategy.get("blueGreen") is not None
    active = (status.get("blueGreen") or {}).get("activeSelector")
    routed = bool((strategy.get("canary") or {}).get("trafficRouting"))
    waits = (
        (updated < desired_replicas(rollout), "more replicas need to be updated"),
        (int(status.get("availableReplicas") or 0) < updated, "updated replicas are still becoming available"),
        (blue_green and active != current, "active service cutover pending"),
        (blue_green and stable != current, "waiting for analysis to complete"),
        (
            not blue_green and not routed and int(status.get("replicas") or 0) > updated,
            "old replicas are pending termination",
        ),
        (not blue_green and stable != current, "waiting for all steps to complete"),
    )
    for waiting, message in waits:
        if waiting:
            return "Progressing", message
    return "Healthy", ""
