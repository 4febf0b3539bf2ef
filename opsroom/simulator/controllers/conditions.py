"""Status conditions as apps controllers keep them: order, transitions, what counts as a change.

`lastTransitionTime` moves with the status word only, `lastUpdateTime` with status or reason. Nothing here
decides which condition holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsroom.simulator.clock import stamp
from opsroom.simulator.controllers.objects import Obj

Conditions = list[Obj]


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition a controller finds to hold now; `status` is "True", "False" or "Unknown"."""

    type: str
    status: str
    reason: str
    message: str


def find(conditions: Conditions, kind: str) -> Obj | None:
    return next((one for one in conditions if one["type"] == kind), None)


def reason_of(conditions: Conditions, kind: str) -> str:
    """The reason of that condition, "" when there is none."""
    found = find(conditions, kind)
    return "" if found is None else str(found.get("reason", ""))


def put(conditions: Conditions, finding: Finding, now: float, *, touch: bool = False) -> Conditions:
    """The list with this condition set; the same status and reason change nothing, unless `touch`.

    `touch` renews lastUpdateTime and message, as the Progressing condition does at every sign of life.
    """
    previous = find(conditions, finding.type)
    same = previous is not None and previous["status"] == finding.status and previous["reason"] == finding.reason
    if same and not touch:
        return conditions
    moved = stamp(now)
    if previous is not None and previous["status"] == finding.status:
        moved = str(previous["lastTransitionTime"])
    entry: Obj = {
        "type": finding.type,
        "status": finding.status,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": moved,
        "reason": finding.reason,
        "message": finding.message,
    }
    return [one for one in conditions if one["type"] != finding.type] + [entry]


def drop(conditions: Conditions, kind: str) -> Conditions:
    return [one for one in conditions if one["type"] != kind]
