"""A stable and a canary Deployment behind one Service.

Promote = stable takes the canary's template, and only when it is complete the canary is scaled to 0: the other order
is a dip in capacity. These are three requests that cannot be one, so the first leaves a mark on the canary that says
whose deed is under way; each next request is found from the state alone, and the last one removes the mark.
Roll back = scale the canary to 0; stable was never touched. ``spec.replicas`` of stable belongs to its autoscaler
and is never written. Source: Kubernetes documentation "Canary deployments".
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.engines import former, marking, pair_outcome
from opsroom.delivery.engines.deployment_state import current, hash_of, observed, replicas
from opsroom.delivery.engines.one_deployment import gone_or_marked, wanted
from opsroom.delivery.engines.pair_requests import give_template, put_mark, scale_down
from opsroom.delivery.engines.pair_state import mark_of, partner, signed, taken
from opsroom.delivery.kinds import path_of
from opsroom.delivery.plan import Plan, Progress, Refused, Sight, changed
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb

ABANDONED = 900.0
"""Seconds after which a promotion whose mark still stands may be taken over by another one."""


class PairEngine:
    """Acts on the canary Deployment and its stable partner."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Both Deployments and the ReplicaSets of both."""
        target: Raw = await reader.get(path_of(intent.target), dict)
        stable = await partner(reader, target)
        mine = await former.replica_sets(reader, target)
        theirs = () if stable is None else await former.replica_sets(reader, stable)
        return Sight(target=target, partner=stable, replica_sets=(*mine, *theirs))

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The first request, or why not."""
        answer = gone_or_marked(sight, intent, emptied=True)
        if answer is not None:
            return answer
        if sight.partner is None:
            return Refused(refusal=Refusal.GONE, detail="stable")
        refused = _differs(sight, sight.partner, intent)
        if refused is not None:
            return refused
        back = intent.verb is Verb.ROLL_BACK
        return wanted(_roll_back(sight, sight.partner, intent) if back else _promote(sight, intent), intent)

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come, and the next request of a promotion."""
        if raw.text(sight.target, "metadata", "uid") != deed.intent.target.uid:
            return Progress(state=DeedState.FAILED, detail="recreated")
        if deed.intent.verb in marking.MARKING:
            return marking.outcome(sight.target, deed)
        return pair_outcome.outcome(sight, deed)


def _differs(sight: Sight, stable: Raw, intent: Intent) -> Refused | None:
    seen = intent.precondition
    if not (observed(sight.target) and observed(stable)):
        return Refused(refusal=Refusal.NOT_OBSERVED)
    if seen.canary_hash and seen.canary_hash != hash_of(current(sight.target, sight.replica_sets)):
        return changed("canary")
    if seen.stable_hash and seen.stable_hash != hash_of(current(stable, sight.replica_sets)):
        return changed("stable")
    return None


def _promote(sight: Sight, intent: Intent) -> Plan | Refused:
    if replicas(sight.target) == 0:
        return Refused(refusal=Refusal.NOT_UNDER_WAY)
    if _busy(sight.target, intent):
        return Refused(refusal=Refusal.BUSY, detail="promoting")
    if raw.flag(sight.target, "spec", "paused"):
        return Refused(refusal=Refusal.NOTHING_TO_PROMOTE, detail="paused")
    return Plan(effect=Effect.TAKE_TEMPLATE, request=put_mark(sight.target, intent, signed(intent)))


def _busy(canary: Raw, intent: Intent) -> bool:
    """Whether somebody else's promotion is under way and may still go on.

    A decider that lost its Lease does nothing more, so its successor finishes what it began.
    """
    mark = mark_of(canary)
    if not mark.owner or intent.force or intent.at - mark.at >= ABANDONED:
        return False
    return mark.fencing is None or intent.fencing is None or mark.fencing >= intent.fencing


def _roll_back(sight: Sight, stable: Raw, intent: Intent) -> Plan | Refused:
    if replicas(sight.target) > 0:
        if mark_of(sight.target).owner and taken(sight):
            # Half promoted: stable runs the canary's template, so scaling the canary down would undo nothing.
            return _restore(sight, stable, intent, Effect.REVERT)
        return Plan(effect=Effect.SCALE_DOWN, request=scale_down(sight.target, intent))
    owner = former.git_owner(stable)
    if owner and not intent.force:
        return Refused(refusal=Refusal.OWNED, detail=owner)
    return _restore(sight, stable, intent, Effect.UNDO)


def _restore(sight: Sight, stable: Raw, intent: Intent, effect: Effect) -> Plan | Refused:
    """Stable's former template back."""
    theirs = [one for one in sight.replica_sets if raw.owned_by(one, raw.text(stable, "metadata", "uid"))]
    find = former.to_undo_to if effect is Effect.UNDO else former.second_highest
    old = find(theirs, former.DEPLOYMENT_REVISION)
    if old is None:
        return Refused(refusal=Refusal.NO_FORMER)
    return Plan(effect=effect, request=give_template(stable, intent, former.template(old, former.DEPLOYMENT_HASH)))
