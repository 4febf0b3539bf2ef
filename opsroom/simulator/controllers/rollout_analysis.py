"""The `analysis` step of an Argo Rollout, as far as the simulator has it.

An AnalysisRun is made for the step and its phase is obeyed: Successful moves on, Failed or Error aborts,
Inconclusive pauses. Nothing here measures anything: whoever owns the metric writes `status.phase` of the run.
Source: argo-rollouts rollout/analysis.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from opsroom.simulator.clock import stamp
from opsroom.simulator.controllers.changes import Change, Create, Note
from opsroom.simulator.controllers.objects import Obj, controller_reference, labels_of, name_of, namespace_of, status_of
from opsroom.simulator.controllers.rollout_pause import PauseBook
from opsroom.simulator.controllers.rollout_view import COMPONENT, INCONCLUSIVE_PAUSE, REVISION, REVISIONS, RolloutView
from opsroom.simulator.controllers.template_hash import ROLLOUT_HASH_LABEL


@dataclass(frozen=True, slots=True)
class StepAnalysis:
    """What the current step's AnalysisRun says; `status` are fields for `status.canary`."""

    passed: bool = False
    status: Obj = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def look_at_analysis(view: RolloutView, book: PauseBook) -> StepAnalysis:
    """Make or read the run of the current step; a failed one aborts, an inconclusive one pauses (in `book`)."""
    step = view.step
    if step is None or "analysis" not in step or book.aborted or view.new is None or view.status.get("promoteFull"):
        return StepAnalysis()
    run = _current_run(view)
    if run is None:
        body = _run(view, step["analysis"])
        note = Note(
            view.rollout, COMPONENT, "Normal", "AnalysisRunRunning", f"Step analysis run '{name_of(body)}' running"
        )
        said = {"name": name_of(body), "status": "Running"}
        return StepAnalysis(status={"currentStepAnalysisRunStatus": said}, changes=(Create("analysisruns", body), note))
    phase = str(status_of(run).get("phase") or "Pending")
    message = str(status_of(run).get("message") or "")
    if phase in ("Failed", "Error"):
        book.abort_added = True
        book.abort_message = f"Step-based analysis phase error/failed: {message}"
    elif phase == "Inconclusive" and not view.resumed:
        book.added.append(INCONCLUSIVE_PAUSE)
    said = {"name": name_of(run), "status": phase} | ({"message": message} if message else {})
    return StepAnalysis(passed=phase == "Successful", status={"currentStepAnalysisRunStatus": said})


def _current_run(view: RolloutView) -> Obj | None:
    name = ((view.status.get("canary") or {}).get("currentStepAnalysisRunStatus") or {}).get("name")
    return next((one for one in view.runs if name_of(one) == name), None)


def _run(view: RolloutView, analysis: Obj) -> Obj:
    index = view.step_index
    revision = str(REVISIONS.number_of(view.new or view.rollout))
    base = f"{name_of(view.rollout)}-{view.pod_hash}-{revision}-{index}"
    taken = {name_of(one) for one in view.runs}
    name, number = base, 1
    while name in taken:
        name, number = f"{base}.{number}", number + 1
    labels = {
        ROLLOUT_HASH_LABEL: str(labels_of(view.new or {"metadata": {}}).get(ROLLOUT_HASH_LABEL, view.pod_hash)),
        "rollout-type": "Step",
        "step-index": str(index),
    }
    return {
        "metadata": {
            "name": name,
            "namespace": namespace_of(view.rollout),
            "labels": labels,
            "annotations": {REVISION: revision},
            "ownerReferences": [controller_reference(view.rollout)],
        },
        "spec": {"metrics": [], "args": analysis.get("args") or []},
        "status": {"phase": "Running", "startedAt": stamp(view.now)},
    }
