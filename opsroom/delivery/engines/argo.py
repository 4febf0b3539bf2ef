"""Argo Rollouts: canary and blue-green, by the requests of the project's own kubectl plugin, made safe.

Sources: Argo Rollouts ``pkg/kubectl-argo-rollouts/cmd/{promote,abort,undo}``. Made safe: the plugin's promote skips
a step when nothing is paused, so this one is refused then; every request carries the resourceVersion of the look
that it rests on; an un-pause is never combined with a step. ``/status`` silently drops all but ``status`` and the
main resource drops ``status``, so each request goes to exactly one of them.
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import JSON_PATCH, Raw, Reader
from opsroom.delivery.engines import argo_outcome, body, former, marking
from opsroom.delivery.engines.argo_state import (
    aborted,
    fully_promoted,
    inconclusive,
    observed,
    resuming,
    step_index,
    waits,
)
from opsroom.delivery.kinds import need_of, path_of, path_to
from opsroom.delivery.plan import Plan, Progress, Refused, Request, Sight, changed
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb
from opsroom.domain.rollout import Engine

REVISION = "rollout.argoproj.io/revision"
HASH_LABEL = "rollouts-pod-template-hash"


class ArgoEngine:
    """Acts on Rollouts."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """The Rollout; for a roll back of a finished one also its ReplicaSets and its workload."""
        target: Raw = await reader.get(path_of(intent.target), dict)
        if intent.verb is not Verb.ROLL_BACK or not fully_promoted(target):
            return Sight(target=target)
        replica_sets = await former.replica_sets(reader, target)
        return Sight(target=target, replica_sets=replica_sets, partner=await _workload(reader, target, intent))

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The first request, or why not."""
        refused = _differs(sight.target, intent)
        if refused is not None:
            return refused
        if intent.verb in marking.MARKING:
            return marking.plan(sight.target, intent, path_of(intent.target), need_of(intent.target))
        plan = _roll_back(sight, intent) if intent.verb is Verb.ROLL_BACK else _promote(sight.target, intent)
        wanted = intent.precondition.effect
        if isinstance(plan, Plan) and wanted is not None and wanted is not plan.effect:
            return changed(f"effect:{plan.effect.value}")
        return plan

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come, from the Rollout alone."""
        if deed.intent.verb in marking.MARKING:
            return marking.outcome(sight.target, deed)
        caught = marking.unhold(sight.target, deed.intent, path_of(deed.intent.target), need_of(deed.intent.target))
        if caught is not None:
            return Progress(state=DeedState.ACCEPTED, then=caught, stands="held")
        return argo_outcome.outcome(sight.target, deed, unpause(sight.target, deed.intent))


def unpause(target: Raw, intent: Intent) -> Request:
    """``spec.paused`` false and nothing else; it bumps no step."""
    patch = body.merge(target, intent, spec={"paused": False})
    return Request(path=path_of(intent.target), body=patch, need=need_of(intent.target))


def _differs(target: Raw, intent: Intent) -> Refused | None:
    """What is not as it was when the deed was asked for."""
    seen = intent.precondition
    if raw.text(target, "metadata", "uid") != intent.target.uid:
        return Refused(refusal=Refusal.GONE, detail="recreated")
    current, stable = raw.text(target, "status", "currentPodHash"), raw.text(target, "status", "stableRS")
    if seen.canary_hash and seen.canary_hash != current:
        return changed("canary")
    if seen.stable_hash and seen.stable_hash != stable:
        return changed("stable")
    if seen.step is not None and intent.verb is not Verb.ROLL_BACK and seen.step != step_index(target):
        return changed("step")
    return None


def _promote(target: Raw, intent: Intent) -> Plan | Refused:
    if fully_promoted(target) or aborted(target):
        return Refused(refusal=Refusal.NOT_UNDER_WAY)
    if not observed(target) or resuming(target):
        return Refused(refusal=Refusal.NOT_OBSERVED)
    if intent.verb is Verb.PROMOTE_FULLY:
        return _on_status(target, intent, Effect.FULL, {"promoteFull": True}, {"paused": False})
    if not waits(target):
        if raw.flag(target, "spec", "paused"):
            return Plan(effect=Effect.UNPAUSE, request=unpause(target, intent))
        return Refused(refusal=Refusal.NOTHING_TO_PROMOTE)
    fields: Raw = {"pauseConditions": None}
    if inconclusive(target):
        fields |= {"controllerPause": False, "currentStepIndex": (step_index(target) or 0) + 1}
        return _on_status(target, intent, Effect.ACCEPT_INCONCLUSIVE, fields, None)
    blue_green = bool(raw.table(target, "spec", "strategy", "blueGreen"))
    effect = Effect.SWITCH if blue_green else Effect.NEXT_STEP
    return _on_status(target, intent, effect, fields, {"paused": False})


def _roll_back(sight: Sight, intent: Intent) -> Plan | Refused:
    target = sight.target
    if fully_promoted(target):
        return _undo(sight, intent)
    if not raw.text(target, "status", "stableRS"):
        return Refused(refusal=Refusal.NO_FORMER)
    full = raw.flag(target, "status", "promoteFull")
    if aborted(target) and not full:
        return Refused(refusal=Refusal.NOT_UNDER_WAY, detail="aborted")
    fields: Raw = {"abort": True}
    if full:
        # The controller takes an abort back while a full promotion is in force (argo-rollouts#4461).
        fields["promoteFull"] = False
    return _on_status(target, intent, Effect.ABORT, fields, None)


def _undo(sight: Sight, intent: Intent) -> Plan | Refused:
    """The template of the revision before this one, as a new update through all steps."""
    if sight.partner is None and raw.table(sight.target, "spec", "workloadRef"):
        # Its template stands in an object of a kind that is not patched from here.
        return Refused(refusal=Refusal.NOT_SUPPORTED, detail="workloadRef")
    owner = former.git_owner(sight.target) or former.git_owner(sight.partner or {})
    if owner and not intent.force:
        return Refused(refusal=Refusal.OWNED, detail=owner)
    old = former.to_undo_to(sight.replica_sets, REVISION)
    if old is None:
        return Refused(refusal=Refusal.NO_FORMER)
    holder = sight.partner if sight.partner is not None else sight.target
    patch = body.template(holder, intent, former.template(old, HASH_LABEL), unpause=sight.partner is None)
    path = path_of(intent.target) if sight.partner is None else former.deployment_path(holder)
    need = need_of(intent.target) if sight.partner is None else former.deployment_need(holder)
    return Plan(effect=Effect.UNDO, request=Request(path=path, body=patch, need=need, content_type=JSON_PATCH))


def _on_status(target: Raw, intent: Intent, effect: Effect, fields: Raw, spec: Raw | None) -> Plan:
    """A status patch; with the unified body on the main resource where the CRD has no status subresource."""
    patch = body.status(target, fields)
    main = patch if spec is None else {**patch, "spec": spec}
    path = path_of(intent.target)
    fallback = Request(path=path, body=main, need=need_of(intent.target))
    request = Request(path=f"{path}/status", body=patch, need=need_of(intent.target, "status"), fallback=fallback)
    further = (need_of(intent.target),) if raw.flag(target, "spec", "paused") else ()
    return Plan(effect=effect, request=request, further=further)


async def _workload(reader: Reader, target: Raw, intent: Intent) -> Raw | None:
    """The Deployment behind a ``workloadRef``: its template is the Rollout's."""
    reference = raw.table(target, "spec", "workloadRef")
    if not reference or raw.text(reference, "kind") not in ("", "Deployment"):
        return None
    name = raw.text(reference, "name")
    return await reader.get(path_to(Engine.DEPLOYMENT, intent.target.namespace, name), dict)
