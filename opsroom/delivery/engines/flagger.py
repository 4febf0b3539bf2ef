"""Flagger: decisions as marks that gates of ours read; a few spec fields; one status field where nothing else is left.

Flagger has no verb for people. A promotion or a roll back is a mark on the Canary, written with the credentials of
whoever decided and read by the gates at Flagger's next tick. Where nobody answers a roll back gate, ``failedChecks``
is set to the threshold: no official interface, and Flagger may overwrite it once with a counter that it computed
before, so it is looked at and written again. Sources: fluxcd/flagger pkg/controller/scheduler.go, scheduler_hooks.go.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import JSON_PATCH, Raw, Reader
from opsroom.delivery.engines import body, flagger_outcome, former, marking
from opsroom.delivery.engines.deployment_state import current, hash_of
from opsroom.delivery.engines.flagger_state import epoch, run_of, target_name, threshold
from opsroom.delivery.kinds import need_of, path_of, path_to
from opsroom.delivery.lease import NAME as LEASE
from opsroom.delivery.lease import NAMESPACE as LEASE_NAMESPACE
from opsroom.delivery.plan import Plan, Progress, Refused, Request, Sight, changed
from opsroom.domain import flagger
from opsroom.domain.deed import Deed, Effect, Intent, Refusal, Verb
from opsroom.domain.flagger import CanaryPhase, Gate, Run
from opsroom.domain.marks import DEED, GATE, GATES, GateMark, read_deed
from opsroom.domain.rollout import Engine
from opsroom.errors import Gone, NotPermitted
from opsroom.kube.failures import NotServed

PRIMARY = "-primary"
LATE = 10.0
"""Seconds by which the clocks of two machines may differ before a Lease counts as left."""

_BACK = frozenset((Effect.ASK_ROLL_BACK, Effect.FAIL_CHECKS))
"""Two ways to one end. Which one is open depends on whether a worker lives, which a stale board cannot know."""


class FlaggerEngine:
    """Acts on Canaries."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """The Canary, its target and primary with their ReplicaSets, and the Lease of the worker behind the gates."""
        target: Raw = await reader.get(path_of(intent.target), dict)
        name, namespace = target_name(target), intent.target.namespace
        partner = await _deployment(reader, namespace, name)
        found = () if partner is None else await former.replica_sets(reader, partner)
        if intent.verb is Verb.ROLL_BACK and flagger.phase_of(raw.text(target, "status", "phase")) in flagger.RESTING:
            primary = await _deployment(reader, namespace, f"{name}{PRIMARY}")
            found = (*found, *(() if primary is None else await former.replica_sets(reader, primary)))
            return Sight(target=target, partner=partner, replica_sets=found, primary=primary)
        return Sight(target=target, partner=partner, replica_sets=found, lease=await _lease(reader))

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The first request, or why not."""
        if raw.text(sight.target, "metadata", "uid") != intent.target.uid:
            return Refused(refusal=Refusal.GONE, detail="recreated")
        run, seen = run_of(sight), intent.precondition
        if intent.verb in marking.MARKING:
            if marking.other_version(intent, run.hash):
                return changed("canary")
            return marking.plan(sight.target, intent, path_of(intent.target), need_of(intent.target), field="suspend")
        if run.phase in flagger.RESTING and intent.verb is Verb.ROLL_BACK:
            return _undo(sight, intent)
        if seen.canary_hash and seen.canary_hash != run.hash:
            return changed("canary")
        if seen.step is not None and intent.verb is not Verb.ROLL_BACK and seen.step != run.step:
            return changed("step")
        plan = _roll_back(sight, intent, run) if intent.verb is Verb.ROLL_BACK else _promote(sight, intent, run)
        wanted = seen.effect
        if not isinstance(plan, Plan):
            return plan
        if wanted in (None, plan.effect) or {wanted, plan.effect} <= _BACK:
            return _checked_again(plan, sight, run)
        return changed(f"effect:{plan.effect.value}")

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come."""
        if raw.text(sight.target, "metadata", "uid") == deed.intent.target.uid and deed.intent.verb in marking.MARKING:
            return marking.outcome(sight.target, deed, field="suspend")
        requests = flagger_outcome.Requests(
            fail=fail_checks(sight.target, deed.intent),
            resume=_main(sight.target, deed.intent, spec={"suspend": False}),
            check_again=_main(sight.target, deed.intent, spec={"skipAnalysis": False}, annotations={DEED: None}),
        )
        return flagger_outcome.outcome(sight, deed, requests)


async def look_for_gate(reader: Reader, namespace: str, name: str, *, template: bool) -> Sight:
    """The Canary and its target as a gate needs them; with ``template`` also the hash that counts before the start."""
    canary: Raw = await reader.get(path_to(Engine.FLAGGER, namespace, name), dict)
    partner = await _deployment(reader, namespace, target_name(canary))
    found = await former.replica_sets(reader, partner) if template and partner is not None else ()
    return Sight(target=canary, partner=partner, replica_sets=found)


def fail_checks(target: Raw, intent: Intent) -> Request:
    """``status.failedChecks`` up to the threshold."""
    wanted = max(threshold(target), raw.number(target, "status", "failedChecks"))
    patch = body.status(target, {"failedChecks": wanted})
    return Request(path=f"{path_of(intent.target)}/status", body=patch, need=need_of(intent.target, "status"))


def served(sight: Sight, at: float) -> bool:
    """Whether a worker was there at ``at`` (epoch seconds) to answer gates; yes where the Lease may not be read."""
    if sight.lease is None:
        return True
    spec = raw.table(sight.lease, "spec")
    renewed = epoch(raw.text(spec, "renewTime"))
    if not raw.text(spec, "holderIdentity") or not raw.annotation(sight.lease, GATES) or renewed is None:
        return False
    return at - renewed <= raw.number(spec, "leaseDurationSeconds") + LATE


def _promote(sight: Sight, intent: Intent, run: Run) -> Plan | Refused:
    if run.phase in flagger.PROMOTING:
        return Refused(refusal=Refusal.NOTHING_TO_PROMOTE)
    if run.phase not in flagger.RUNNING:
        return Refused(refusal=Refusal.NOT_UNDER_WAY)
    if run.suspended:
        return Plan(effect=Effect.UNPAUSE, request=_main(sight.target, intent, spec={"suspend": False}))
    full = intent.verb is Verb.PROMOTE_FULLY
    waits = run.waits_for if not full else run.plan.own - {Gate.ROLLBACK}
    if not waits:
        if intent.force and run.phase is not CanaryPhase.WAITING:
            note: dict[str, str | None] = {DEED: body.deed_mark(intent, Effect.SKIP_ANALYSIS)}
            request = _main(sight.target, intent, spec={"skipAnalysis": True}, annotations=note)
            return Plan(effect=Effect.SKIP_ANALYSIS, request=request)
        return Refused(refusal=Refusal.NO_GATE)
    if not served(sight, intent.at):
        return Refused(refusal=Refusal.GATE_DEAD)
    request = _main(sight.target, intent, annotations={GATE: _mark(intent, run)})
    return Plan(effect=Effect.OPEN_ALL_GATES if full else Effect.OPEN_GATE, request=request)


def _roll_back(sight: Sight, intent: Intent, run: Run) -> Plan | Refused:
    if run.phase in flagger.PROMOTING:
        return Refused(refusal=Refusal.TOO_LATE)
    if run.phase is CanaryPhase.WAITING:
        return Refused(refusal=Refusal.NOT_STARTED)
    if run.phase not in flagger.RUNNING:
        return Refused(refusal=Refusal.NOT_UNDER_WAY, detail=run.phase.value)
    if Gate.ROLLBACK in run.plan.own and served(sight, intent.at):
        # A suspended Canary asks nobody anything: the same write lets it go on, to be rolled back.
        spec: Raw | None = {"suspend": False} if run.suspended else None
        request = _main(sight.target, intent, spec=spec, annotations={GATE: _mark(intent, run)})
        return Plan(effect=Effect.ASK_ROLL_BACK, request=request)
    # The mark comes first: a counter bears no name, and Flagger may overwrite it when whoever set it is dead.
    request = _main(sight.target, intent, annotations={DEED: body.deed_mark(intent, Effect.FAIL_CHECKS)})
    return Plan(effect=Effect.FAIL_CHECKS, request=request, further=(need_of(intent.target, "status"),))


def _undo(sight: Sight, intent: Intent) -> Plan | Refused:
    """The former template on the target: for Flagger a new version, with its whole analysis."""
    holder, seen = sight.partner, intent.precondition
    if holder is None:
        return Refused(refusal=Refusal.NOT_SUPPORTED, detail="target")
    if seen.effect not in (None, Effect.UNDO):
        return Refused(refusal=Refusal.NOT_UNDER_WAY)
    stable = current(sight.primary, sight.replica_sets) if sight.primary is not None else None
    if seen.stable_hash and seen.stable_hash != hash_of(stable):
        return changed("stable")
    owner = former.git_owner(sight.target) or former.git_owner(holder)
    if owner and not intent.force:
        return Refused(refusal=Refusal.OWNED, detail=owner)
    uid = raw.text(holder, "metadata", "uid")
    mine = [one for one in sight.replica_sets if raw.owned_by(one, uid)]
    old = former.to_undo_to(mine, former.DEPLOYMENT_REVISION)
    if old is None:
        return Refused(refusal=Refusal.NO_FORMER)
    patch = body.template(holder, intent, former.template(old, former.DEPLOYMENT_HASH), unpause=True)
    request = Request(
        path=former.deployment_path(holder),
        body=patch,
        need=former.deployment_need(holder),
        content_type=JSON_PATCH,
    )
    return Plan(effect=Effect.UNDO, request=request)


def _checked_again(plan: Plan, sight: Sight, run: Run) -> Plan:
    """``plan``, with a ``skipAnalysis`` taken back that a dead hand left for another version than this one."""
    left, patch = read_deed(raw.annotation(sight.target, DEED)), plan.request.body
    stands = raw.flag(sight.target, "spec", "skipAnalysis") and plan.effect is not Effect.SKIP_ANALYSIS
    if not stands or left is None or left.effect is not Effect.SKIP_ANALYSIS or left.hash in ("", run.hash):
        return plan
    if not isinstance(patch, dict):
        return plan
    patch = {**patch, "spec": {**raw.table(patch, "spec"), "skipAnalysis": False}}
    return msgspec.structs.replace(plan, request=msgspec.structs.replace(plan.request, body=patch))


def _mark(intent: Intent, run: Run) -> str:
    mark = GateMark(
        id=intent.id,
        verb=intent.verb,
        revision=run.revision,
        hash=run.hash,
        number=run.number,
        step=run.step,
        by=body.author(intent),
        at=intent.at,
        automatic=intent.automatic,
    )
    return msgspec.json.encode(mark).decode()


def _main(
    target: Raw, intent: Intent, *, spec: Raw | None = None, annotations: dict[str, str | None] | None = None
) -> Request:
    patch = body.merge(target, intent, spec=spec, annotations=annotations)
    return Request(path=path_of(intent.target), body=patch, need=need_of(intent.target))


async def _deployment(reader: Reader, namespace: str, name: str) -> Raw | None:
    if not name:
        return None
    try:
        found: Raw = await reader.get(path_to(Engine.DEPLOYMENT, namespace, name), dict)
    except NotServed:
        raise
    except Gone:
        return None
    return found


async def _lease(reader: Reader) -> Raw | None:
    """The decider's Lease; an empty one where there is none, None where it may not be read."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{LEASE_NAMESPACE}/leases/{LEASE}"
    try:
        found: Raw = await reader.get(path, dict)
    except NotServed:
        raise
    except Gone:
        return {}
    except NotPermitted:
        return None
    return found
