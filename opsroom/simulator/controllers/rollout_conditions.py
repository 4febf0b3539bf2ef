"""An Argo Rollout's conditions: Available, Progressing, Paused, Healthy, Completed.

Source: argo-rollouts rollout/sync.go calculateRolloutConditions and utils/conditions. Simplification: the pause
words follow the status of the same reconcile; the real controller writes them one reconcile later.
"""

from __future__ import annotations

from opsroom.simulator.clock import moment
from opsroom.simulator.controllers.conditions import Conditions, Finding, drop, find, put, reason_of
from opsroom.simulator.controllers.objects import Obj, name_of
from opsroom.simulator.controllers.rollout_view import REVISIONS, RolloutView

DEFAULT_DEADLINE = 600


def conditions_of(view: RolloutView, status: Obj, created: str | None) -> Conditions:
    """The conditions that go with `status` (all other fields of it are final).

    `created` names the ReplicaSet that this reconcile creates, if it does.
    """
    conditions: Conditions = drop(list(view.status.get("conditions") or ()), "InvalidSpec")
    paused = bool(status.get("pauseConditions")) or view.paused_by_user
    done = not paused and _healthy(view, status)
    conditions = _flag(conditions, "Healthy", done, "RolloutHealthy", "Rollout is healthy", view.now)
    promoted = status.get("stableRS") == status.get("currentPodHash")
    conditions = _flag(conditions, "Completed", promoted, "RolloutCompleted", "RolloutCompleted", view.now)
    conditions = _flag(conditions, "Paused", paused, "RolloutPaused", "Rollout is paused", view.now)
    conditions = _progressing(view, status, conditions, paused, created)
    floor = view.wanted - view.limits.unavailable
    enough = int(status.get("availableReplicas") or 0) >= floor
    text = f"Rollout {'has' if enough else 'does not have'} minimum availability"
    return put(conditions, Finding("Available", "True" if enough else "False", "AvailableReason", text), view.now)


def deadline_due(view: RolloutView, conditions: Conditions) -> float | None:
    """When the progress deadline passes, None while it does not count."""
    progressing = find(conditions, "Progressing")
    idle = ("NewReplicaSetAvailable", "RolloutPaused", "RolloutAborted", "ProgressDeadlineExceeded")
    if progressing is None or progressing["reason"] in idle:
        return None
    seconds = view.rollout["spec"].get("progressDeadlineSeconds") or DEFAULT_DEADLINE
    return moment(progressing["lastUpdateTime"]) + float(seconds)


def _flag(conditions: Conditions, kind: str, holds: bool, reason: str, message: str, now: float) -> Conditions:
    if not holds and find(conditions, kind) is None:
        return conditions
    text = message if holds else f"{message} no longer"
    return put(conditions, Finding(kind, "True" if holds else "False", reason, text), now)


def _healthy(view: RolloutView, status: Obj) -> bool:
    wanted = view.wanted
    return (
        status.get("stableRS") == status.get("currentPodHash")
        and int(status.get("updatedReplicas") or 0) == wanted
        and int(status.get("availableReplicas") or 0) >= wanted
    )


def _progressing(
    view: RolloutView, status: Obj, conditions: Conditions, paused: bool, created: str | None
) -> Conditions:
    now = view.now
    before = reason_of(conditions, "Progressing")
    name = created or (name_of(view.new) if view.new is not None else "")

    def say(word: str, reason: str, message: str, *, touch: bool = False) -> Conditions:
        return put(conditions, Finding("Progressing", word, reason, message), now, touch=touch)

    if status.get("abort"):
        revision = REVISIONS.number_of(view.new or view.rollout)
        cause = f": {status['message']}" if status.get("message") else ""
        return say("False", "RolloutAborted", f"Rollout aborted update to revision {revision}{cause}")
    if created is not None:
        return say("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
    if view.status.get("currentPodHash") not in (None, status.get("currentPodHash")):
        return say("True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
    if before == "RolloutAborted":
        return say("Unknown", "RolloutRetry", "Retrying Rollout after abort")
    if paused:
        timed_out = before == "ProgressDeadlineExceeded"
        return conditions if timed_out else say("Unknown", "RolloutPaused", "Rollout is paused")
    if before == "RolloutPaused":
        return say("Unknown", "RolloutResumed", "Rollout is resumed")
    if _healthy(view, status):
        return say("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if _moved(view.status, status):
        return say("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', touch=True)
    due = deadline_due(view, conditions)
    if due is not None and due < now:
        return say("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    return conditions


def _moved(before: Obj, after: Obj) -> bool:
    def number(status: Obj, key: str) -> int:
        return int(status.get(key) or 0)

    shrunk = number(after, "replicas") - number(after, "updatedReplicas") < (
        number(before, "replicas") - number(before, "updatedReplicas")
    )
    grew = any(
        number(after, key) > number(before, key) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    stepped = any(before.get(key) != after.get(key) for key in ("currentStepIndex", "stableRS", "blueGreen"))
    return shrunk or grew or stepped
