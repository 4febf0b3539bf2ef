"""The Argo Rollouts controller: one reconcile of a Rollout, from what there is to what should change.

The order is that of argo-rollouts rollout/canary.go rolloutCanary and syncRolloutStatusCanary: revisions,
services, traffic, analysis, sizes, pauses, then the status; a step that is done moves the index by one, and the
next step is looked at by the next reconcile only. Blue-green stands in `rollout_bluegreen`. Not simulated:
workloadRef, experiments, restartAt, rollbackWindow, progressDeadlineAbort, ping-pong, plugins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsroom.simulator.controllers.changes import Change, Create, Merge, Note, key_of
from opsroom.simulator.controllers.objects import Obj, count, name_of
from opsroom.simulator.controllers.rollout_analysis import StepAnalysis, look_at_analysis
from opsroom.simulator.controllers.rollout_bluegreen import reconcile_blue_green
from opsroom.simulator.controllers.rollout_canary import (
    at_target,
    delayed_scale_down,
    point_services,
    scale_canary,
    target_of,
    weight_note,
    weights_of,
)
from opsroom.simulator.controllers.rollout_pause import PauseBook, open_book, pause_step_done, wants_pause
from opsroom.simulator.controllers.rollout_revisions import claim_revision
from opsroom.simulator.controllers.rollout_status import base_status, invalid_spec, persist, step_text
from opsroom.simulator.controllers.rollout_view import (
    CANARY_PAUSE,
    COMPONENT,
    INCONCLUSIVE_PAUSE,
    REVISIONS,
    RolloutView,
    view_of,
)


def reconcile_rollout(
    rollout: Obj, replica_sets: Sequence[Obj], runs: Sequence[Obj], services: Mapping[str, Obj], now: float
) -> list[Change]:
    """One pass. `replica_sets` and `runs` (AnalysisRuns) are those it controls; `services` of its namespace."""
    if rollout["spec"].get("replicas") is None:
        return [Merge(key_of("rollouts", rollout), {"spec": {"replicas": 1}})]
    view = view_of(rollout, replica_sets, runs, services, now)
    if (broken := invalid_spec(view)) is not None:
        return broken
    if view.template_or_steps_changed:
        return _start_over(view)
    if view.blue_green is not None:
        return reconcile_blue_green(view)
    return _reconcile_canary(view)


def _start_over(view: RolloutView) -> list[Change]:
    """A new template or new steps: abort, pauses and full promotion are forgotten, the index is reset."""
    changes = claim_revision(view)
    status = base_status(view)
    book = PauseBook(view, cleared=True, abort_removed=True)
    status.pop("promoteFull", None)
    status["blueGreen"].pop("scaleUpPreviewCheckPoint", None)
    if view.steps:
        status["currentStepIndex"] = 0
        if view.is_stable:
            status["currentStepIndex"] = len(view.steps)
            changes.append(Note(view.rollout, COMPONENT, "Normal", "SkipSteps", "Rollback to stable"))
    return changes + persist(view, status, book, _created(changes))


def _created(changes: Sequence[Change]) -> str | None:
    made = (change for change in changes if isinstance(change, Create) and change.resource == "replicasets")
    return next((name_of(change.body) for change in made), None)


def _reconcile_canary(view: RolloutView) -> list[Change]:
    book = open_book(view)
    changes = claim_revision(view)
    created = _created(changes)
    status = base_status(view)
    analysis = look_at_analysis(view, book)
    changes += analysis.changes
    status["canary"] |= analysis.status
    changes += point_services(view, aborted=book.aborted)
    if view.routed:
        weights = weights_of(view, aborted=book.aborted)
        status["canary"]["weights"] = weights
        changes += weight_note(view, weights)
    halted = view.paused_by_user or INCONCLUSIVE_PAUSE in view.pause_reasons
    sizing = [] if halted and view.stable_hash else scale_canary(view, aborted=book.aborted)
    changes += sizing
    busy = any(isinstance(change, Merge) for change in sizing)
    if not busy and not book.aborted and wants_pause(view):
        book.added.append(CANARY_PAUSE)
    changes += _move_on(view, book, status, analysis)
    return changes + REVISIONS.forgotten(view.rollout, view.others) + persist(view, status, book, created)


def _move_on(view: RolloutView, book: PauseBook, status: Obj, analysis: StepAnalysis) -> list[Change]:
    """Full promotion, abort, or one step further: what happens to index, stableRS and pauses."""
    last = len(view.steps)
    changes: list[Change] = []
    if view.status.get("promoteFull") and not view.is_stable:
        book.cleared = book.abort_removed = True
        if last and status.get("currentStepIndex") != last:
            status["currentStepIndex"] = last
    if reason := _promotion_reason(view, book):
        return changes + _promote(view, book, status, reason)
    if book.aborted:
        if last:
            status["currentStepIndex"] = last if view.is_stable else 0
        return changes
    index = view.step_index
    if index is None or index >= last:
        book.cleared = True
        return changes
    if not view.status.get("promoteFull") and _step_done(view, book, status, analysis):
        status["currentStepIndex"] = index + 1
        status["canary"].pop("currentStepAnalysisRunStatus", None)
        book.removed.add(CANARY_PAUSE)
        book.added.clear()
        text = f"Rollout step {index + 1}/{last} completed ({step_text(view.steps[index])})"
        changes.append(Note(view.rollout, COMPONENT, "Normal", "RolloutStepCompleted", text))
    return changes


def _promotion_reason(view: RolloutView, book: PauseBook) -> str:
    """Why the new version becomes the stable one now; "" when it does not. (shouldFullPromote)"""
    if not view.stable_hash or view.stable is None:
        return "Initial deploy"
    if book.aborted or count(view.new, "availableReplicas") < view.wanted:
        return ""
    if view.status.get("promoteFull"):
        return "Full promotion requested"
    if not view.steps or view.step_index == len(view.steps):
        return f"Completed all {len(view.steps)} canary steps"
    return ""


def _promote(view: RolloutView, book: PauseBook, status: Obj, reason: str) -> list[Change]:
    book.cleared = book.abort_removed = True
    status.pop("promoteFull", None)
    status["canary"].pop("currentStepAnalysisRunStatus", None)
    if view.steps:
        status["currentStepIndex"] = len(view.steps)
    if view.is_stable:
        return []
    status["stableRS"] = view.pod_hash
    revision = REVISIONS.number_of(view.new or view.rollout) or 1
    text = f"Rollout completed update to revision {revision} ({view.pod_hash}): {reason}"
    changes: list[Change] = [Note(view.rollout, COMPONENT, "Normal", "RolloutCompleted", text)]
    if view.routed and view.stable is not None:
        delay = view.canary.get("scaleDownDelaySeconds")
        changes += delayed_scale_down(view, view.stable, 30 if delay is None else int(delay))
    return changes


def _step_done(view: RolloutView, book: PauseBook, status: Obj, analysis: StepAnalysis) -> bool:
    """Whether the current step is complete (completedCurrentCanaryStep)."""
    step = view.step
    if view.paused_by_user or step is None:
        return False
    if "pause" in step:
        return pause_step_done(view)
    if "analysis" in step:
        return analysis.passed
    target = target_of(view, aborted=False)
    if "setWeight" in step:
        weights = status["canary"].get("weights")
        routed = weights is None or weights["canary"]["weight"] == int(step["setWeight"])
        return routed and at_target(view, target)
    if "setCanaryScale" in step:
        return at_target(view, target)
    return True
