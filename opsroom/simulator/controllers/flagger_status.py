"""The status of a Canary as Flagger writes it: what each phase sets, what it zeroes, and its one condition.

Pure. Source: fluxcd/flagger pkg/canary/status.go (syncCanaryStatus, setStatusPhase, MakeStatusConditions). Writers
take the newest status and set their own fields on it, as the real one does after a conflict: so a counter that was
computed before a call overwrites what somebody wrote meanwhile.
"""

from __future__ import annotations

from opsroom.simulator.clock import stamp
from opsroom.simulator.controllers.objects import Obj, status_of

KEEPS_WEIGHT = ("Progressing", "Waiting")

_CONDITIONS = {
    "Initializing": ("Unknown", "New Deployment detected, starting initialization."),
    "Initialized": ("True", "Deployment initialization completed."),
    "Waiting": ("Unknown", "Waiting for approval."),
    "WaitingPromotion": ("Unknown", "Waiting for approval."),
    "Progressing": ("Unknown", "New revision detected, progressing canary analysis."),
    "Promoting": ("Unknown", "Canary analysis completed, starting primary rolling update."),
    "Finalising": ("Unknown", "Canary analysis completed, routing all traffic to primary."),
    "Succeeded": ("True", "Canary analysis completed successfully, promotion finished."),
    "Failed": ("False", "Canary analysis failed, Deployment scaled to zero."),
}


def with_fields(canary: Obj, now: float, **fields: object) -> Obj:
    """The status with some fields set."""
    return {**status_of(canary), **fields, "lastTransitionTime": stamp(now)}


def synced(canary: Obj, phase: str, applied: str, now: float, *, weight: int = 0, failed: int = 0) -> Obj:
    """The status at the beginning or the end of a run: counters as given, `applied` taken over."""
    fields: dict[str, object] = {
        "phase": phase,
        "canaryWeight": weight,
        "failedChecks": failed,
        "iterations": 0,
        "lastAppliedSpec": applied,
        "conditions": _conditions(canary, phase, now),
    }
    if phase == "Initialized":
        fields["lastPromotedSpec"] = applied
    return with_fields(canary, now, **fields)


def in_phase(canary: Obj, phase: str, iterations: int, now: float) -> Obj:
    """The status in another phase of the same run; `iterations` are those of the analysis."""
    fields: dict[str, object] = {"phase": phase, "conditions": _conditions(canary, phase, now)}
    if phase not in KEEPS_WEIGHT:
        fields |= {"canaryWeight": 0, "iterations": iterations - 1 if phase == "WaitingPromotion" else 0}
    if phase == "Succeeded":
        fields["lastPromotedSpec"] = status_of(canary).get("lastAppliedSpec", "")
    return with_fields(canary, now, **fields)


def _conditions(canary: Obj, phase: str, now: float) -> list[Obj]:
    status, message = _CONDITIONS[phase]
    found = status_of(canary).get("conditions") or []
    before = found[0] if found else {}
    if before.get("status") == status and before.get("reason") == phase:
        return list(found)
    moved = before["lastTransitionTime"] if before.get("status") == status else stamp(now)
    return [
        {
            "type": "Promoted",
            "status": status,
            "reason": phase,
            "message": message,
            "lastUpdateTime": stamp(now),
            "lastTransitionTime": moved,
        }
    ]
