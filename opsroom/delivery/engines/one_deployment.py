"""What pairs and rolling Deployments have in common: their marks, and how an update goes."""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines import marking
from opsroom.delivery.engines.deployment_state import complete, current, failed, hash_of
from opsroom.delivery.kinds import need_of, path_of
from opsroom.delivery.plan import Plan, Progress, Refused, Sight, changed
from opsroom.domain.deed import DeedState, Intent, Refusal


def gone_or_marked(sight: Sight, intent: Intent, *, emptied: bool = False) -> Plan | Refused | None:
    """The answer where the object is another one, or only a mark is wanted; None where there is more to it."""
    target = sight.target
    if raw.text(target, "metadata", "uid") != intent.target.uid:
        return Refused(refusal=Refusal.GONE, detail="recreated")
    if intent.verb not in marking.MARKING:
        return None
    if marking.other_version(intent, hash_of(current(target, sight.replica_sets))):
        return changed("canary")
    return marking.plan(target, intent, path_of(intent.target), need_of(intent.target), emptied=emptied)


def wanted(plan: Plan | Refused, intent: Intent) -> Plan | Refused:
    """``plan``, unless it would do something else than the screen has offered."""
    offered = intent.precondition.effect
    if isinstance(plan, Plan) and offered not in (None, plan.effect):
        return changed(f"effect:{plan.effect.value}")
    return plan


def course(deployment: Raw) -> Progress:
    """How far the present update of ``deployment``, which its controller has seen, has come."""
    if complete(deployment):
        return Progress(state=DeedState.DONE)
    why = failed(deployment)
    return Progress(state=DeedState.FAILED, detail=why) if why else Progress(state=DeedState.SEEN)
