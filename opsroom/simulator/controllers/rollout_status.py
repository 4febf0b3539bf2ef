"""An Argo Rollout's status: counters, phase, invalid specs, and the Events of what changed.

Source: argo-rollouts rollout/sync.go calculateBaseStatus, persistRolloutStatus, sendStateChangeEvents.
`observedGeneration` is decimal TEXT there, and zeros are left out (omitempty); `currentStepIndex` 0 is kept.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Note, Status, Wake, key_of
from opsroom.simulator.controllers.conditions import Finding, put
from opsroom.simulator.controllers.objects import Obj, count, total, without_zeros
from opsroom.simulator.controllers.rollout_conditions import conditions_of, deadline_due
from opsroom.simulator.controllers.rollout_pause import PauseBook, pause_due
from opsroom.simulator.controllers.rollout_phase import phase_of
from opsroom.simulator.controllers.rollout_view import COMPONENT, REVISIONS, RolloutView
from opsroom.simulator.controllers.template_hash import steps_hash

_KEPT = ("stableRS", "currentStepIndex", "collisionCount")
_STEP_KINDS = ("setWeight", "pause", "analysis", "experiment", "setCanaryScale", "setHeaderRoute", "setMirrorRoute")


def base_status(view: RolloutView) -> Obj:
    """Counters and identity of the new status; pauses, conditions and phase follow in `persist`."""
    every = view.every
    old = view.status
    status: Obj = {key: old[key] for key in _KEPT if key in old}
    status |= {
        "currentPodHash": view.pod_hash,
        "replicas": total(every, "replicas"),
        "updatedReplicas": count(view.new, "replicas"),
        "readyReplicas": total(every, "readyReplicas"),
        "availableReplicas": total(every, "availableReplicas"),
        "HPAReplicas": total(every, "replicas"),
        "selector": _selector_text(view),
        "promoteFull": bool(old.get("promoteFull")) and not view.is_stable,
        "canary": {},
        "blueGreen": dict(old.get("blueGreen") or {}),
    }
    if view.steps:
        status["currentStepHash"] = steps_hash(view.steps)
        status.setdefault("currentStepIndex", 0)
        status["currentStepIndex"] = min(int(status["currentStepIndex"]), len(view.steps))
    return status


def _selector_text(view: RolloutView) -> str:
    labels = view.rollout["spec"]["selector"].get("matchLabels") or {}
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def step_text(step: Obj) -> str:
    """A step as the controller and its kubectl plugin spell it, such as "setWeight: 20" or "pause: 30s"."""
    kind = next((one for one in _STEP_KINDS if one in step), "unknown")
    value = step.get(kind)
    if kind == "setWeight":
        return f"setWeight: {value}"
    if kind == "pause" and (value or {}).get("duration") is not None:
        duration = (value or {})["duration"]
        return f"pause: {duration}s" if isinstance(duration, int) else f"pause: {duration}"
    return kind


def invalid_spec(view: RolloutView) -> list[Change] | None:
    """The status write (if it is new) for a spec that no controller can run; None for a good one."""
    strategy = view.rollout["spec"].get("strategy") or {}
    problem = ""
    if len([one for one in ("canary", "blueGreen") if strategy.get(one) is not None]) != 1:
        problem = "strategy must have either canary or blueGreen"
    elif view.blue_green is not None and view.blue_green.get("activeService") not in view.services:
        problem = f"service {view.blue_green.get('activeService')!r} not found"
    if not problem:
        return None
    text = f'The Rollout "{view.rollout["metadata"]["name"]}" is invalid: spec.strategy: {problem}'
    old = list(view.status.get("conditions") or ())
    status = {
        **view.status,
        "observedGeneration": str(view.rollout["metadata"].get("generation", 1)),
        "conditions": put(old, Finding("InvalidSpec", "True", "InvalidSpec", text), view.now),
    }
    status["phase"], status["message"] = phase_of(view.rollout, status)
    return [Status(key_of("rollouts", view.rollout), status)] if status != view.status else []


def persist(view: RolloutView, status: Obj, book: PauseBook, created: str | None) -> list[Change]:
    """Finish the status (pauses, conditions, phase), and write it with its Events if it differs."""
    book.write(status)
    status["message"] = book.abort_message
    conditions = conditions_of(view, status, created)
    status["conditions"] = conditions
    status["phase"], status["message"] = phase_of(view.rollout, status)
    status["observedGeneration"] = str(view.rollout["metadata"].get("generation", 1))
    index = status.get("currentStepIndex")
    final = without_zeros(status)
    if index is not None:
        final["currentStepIndex"] = index
    final.setdefault("canary", {})
    final.setdefault("blueGreen", {})
    changes: list[Change] = _transitions(view, final)
    if final != view.status:
        changes.append(Status(key_of("rollouts", view.rollout), final))
    if (due := pause_due(view)) is not None and due > view.now:
        changes.append(Wake(due))
    if (due := deadline_due(view, conditions)) is not None and due >= view.now:
        changes.append(Wake(due + 1))
    return changes


def _transitions(view: RolloutView, new: Obj) -> list[Change]:
    """Paused, resumed, aborted, not completed: one Event each when it becomes so."""
    old = view.status
    changes: list[Change] = []

    def note(kind: str, reason: str, text: str) -> None:
        changes.append(Note(view.rollout, COMPONENT, "Warning" if kind == "W" else "Normal", reason, text))

    if new.get("pauseConditions") and not old.get("pauseConditions"):
        note("N", "RolloutPaused", f"Rollout is paused ({new['pauseConditions'][0]['reason']})")
    if old.get("controllerPause") and not new.get("pauseConditions"):
        note("N", "RolloutResumed", "Rollout is resumed")
    if new.get("abort") and not _was_aborted(view):
        note(
            "W", "RolloutAborted", f"Rollout aborted update to revision {REVISIONS.number_of(view.new or view.rollout)}"
        )
    if old.get("stableRS") and old.get("stableRS") == old.get("currentPodHash") != new.get("currentPodHash"):
        text = f"Rollout not completed, started update to revision {REVISIONS.number_of(view.rollout) + 1}"
        note("N", "RolloutNotCompleted", f"{text} ({new['currentPodHash']})")
    return changes


def _was_aborted(view: RolloutView) -> bool:
    conditions = view.status.get("conditions") or ()
    return any(one.get("reason") == "RolloutAborted" for one in conditions)
