"""What a Rollout object says about itself, read as its controller reads it.

Source: Argo Rollouts ``utils/rollout/rolloututil.go`` and ``rollout/canary.go``. ``observedGeneration`` is decimal
text there, and text that is no number counts as observed.
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw

_WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


def observed(target: Raw) -> bool:
    """Whether the controller has seen the present spec (and, with a workloadRef, the present workload)."""
    seen = raw.dig(target, "status", "observedGeneration")
    number = int(seen) if isinstance(seen, str | int) and str(seen).isdecimal() else None
    if number is not None and number < raw.number(target, "metadata", "generation"):
        return False
    workload = raw.annotation(target, _WORKLOAD_GENERATION)
    return not workload or workload == raw.text(target, "status", "workloadObservedGeneration")


def fully_promoted(target: Raw) -> bool:
    """``currentPodHash == stableRS``: nothing is under way."""
    current = raw.text(target, "status", "currentPodHash")
    return bool(current) and current == raw.text(target, "status", "stableRS")


def waits(target: Raw) -> bool:
    """Whether a pause condition stands."""
    return bool(raw.items(target, "status", "pauseConditions"))


def resuming(target: Raw) -> bool:
    """The conditions are gone and the controller has not caught up: a promotion now would skip a step."""
    return raw.flag(target, "status", "controllerPause") and not waits(target)


def inconclusive(target: Raw) -> bool:
    """Whether the analysis of the present step could not tell and the rollout stands still for it."""
    analysis = raw.text(target, "status", "canary", "currentStepAnalysisRunStatus", "status")
    return analysis == "Inconclusive" and waits(target) and raw.flag(target, "status", "controllerPause")


def aborted(target: Raw) -> bool:
    """Whether an abort is asked for or in force; there is no phase of that name."""
    return raw.flag(target, "status", "abort")


def abort_in_force(target: Raw) -> bool:
    """Whether the controller has reacted to the abort."""
    reason = raw.text(raw.condition(target, "Progressing"), "reason")
    return aborted(target) and reason == "RolloutAborted"


def step_index(target: Raw) -> int | None:
    """0-based index of the present step; None where there are no steps."""
    if not raw.items(target, "spec", "strategy", "canary", "steps"):
        return None
    return raw.number(target, "status", "currentStepIndex")
