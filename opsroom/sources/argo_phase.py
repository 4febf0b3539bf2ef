"""In which phase an Argo Rollout is, asked in the order in which Argo itself asks.

Source: argo-rollouts utils/rollout/rolloututil.go, GetRolloutPhase and CalculateRolloutPhase. ``status.phase`` may be
trusted only after the first three questions; older controllers do not write it, the rest of the table is for them.
"""

from __future__ import annotations

from opsroom.domain.rollout import Phase
from opsroom.sources.argo_kinds import ArgoRollout

NAMES = {
    "Progressing": Phase.PROGRESSING,
    "Paused": Phase.PAUSED,
    "Healthy": Phase.HEALTHY,
    "Degraded": Phase.DEGRADED,
}


def phase(rollout: ArgoRollout) -> tuple[Phase, str]:
    """The phase and the controller's words for it (uncleaned)."""
    if unobserved(rollout):
        return Phase.OBSERVING, ""
    status = rollout.status
    known, message = (NAMES.get(status.phase), status.message) if status.phase else _calculated(rollout)
    if aborted(rollout) and known is not Phase.HEALTHY:
        return Phase.ABORTED, message
    return known or Phase.UNKNOWN, message


def unobserved(rollout: ArgoRollout) -> bool:
    """The controller has not seen the newest spec, template or un-pausing: what status says is of before."""
    status, meta = rollout.status, rollout.metadata
    seen = status.observed_generation
    # Text, and in old versions a hash: only a number can be behind.
    if seen.isdecimal() and seen.isascii() and int(seen) < meta.generation:
        return True
    if not seen and not status.current_pod_hash:
        return True
    if status.controller_pause and not status.pause_conditions:
        return True
    wanted = meta.notes.workload_generation
    return rollout.spec.workload_ref is not None and bool(wanted) and wanted != status.workload_observed_generation


def aborted(rollout: ArgoRollout) -> bool:
    """An abort is asked for or in force; a full promotion makes the controller ignore it (argo-rollouts#4461)."""
    if rollout.status.promote_full:
        return False
    return rollout.status.abort or any(
        one.type == "Progressing" and one.reason == "RolloutAborted" for one in rollout.status.conditions or ()
    )


def _calculated(rollout: ArgoRollout) -> tuple[Phase, str]:
    status, spec = rollout.status, rollout.spec
    for one in status.conditions or ():
        if one.type == "InvalidSpec" and one.status == "True":
            return Phase.DEGRADED, f"InvalidSpec: {one.message}"
        if one.reason in ("RolloutAborted", "ProgressDeadlineExceeded"):
            return Phase.DEGRADED, f"{one.reason}: {one.message}"
    if spec.paused:
        return Phase.PAUSED, "manually paused"
    if status.pause_conditions:
        return Phase.PAUSED, status.pause_conditions[0].reason
    return _counted(rollout)


def _counted(rollout: ArgoRollout) -> tuple[Phase, str]:
    status, spec = rollout.status, rollout.spec
    wanted = 1 if spec.replicas is None else spec.replicas
    current, canary = status.current_pod_hash, spec.strategy.canary
    waits: list[tuple[bool, str]] = [
        (bool(spec.restart_at) and spec.restart_at != status.restarted_at, "rollout is restarting"),
        (status.updated_replicas < wanted, "more replicas need to be updated"),
        (status.available_replicas < status.updated_replicas, "updated replicas are still becoming available"),
    ]
    if spec.strategy.blue_green is not None:
        waits.append((status.blue_green.active_selector != current, "active service cutover pending"))
        waits.append((status.stable_rs != current, "waiting for analysis to complete"))
    elif canary is not None:
        old = canary.traffic_routing is None and status.replicas > status.updated_replicas
        waits.append((old, "old replicas are pending termination"))
        waits.append((status.stable_rs != current, "waiting for all steps to complete"))
    for waiting, words in waits:
        if waiting:
            return Phase.PROGRESSING, words
    return Phase.HEALTHY, ""
