"""Rolling Deployments: a paused update is the canary.

Promote = un-pause. Roll back = un-pause and put the former template back in ONE JSON patch: kubectl's way (resume,
then undo) lets more bad pods out in between. The patch tests the resourceVersion that it rests on, and bears the mark
that lets it pass our own hold. Source: kubectl ``polymorphichelpers/{objectresumer,rollback}.go``.
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import JSON_PATCH, Raw, Reader
from opsroom.delivery.engines import body, former, marking
from opsroom.delivery.engines.deployment_state import complete, current, hash_of, observed, replicas, stable
from opsroom.delivery.engines.one_deployment import course, gone_or_marked, wanted
from opsroom.delivery.kinds import need_of, path_of
from opsroom.delivery.plan import Plan, Progress, Refused, Request, Sight, changed
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb
from opsroom.domain.marks import ROLLBACK


class RollingEngine:
    """Acts on one Deployment."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """The Deployment and its ReplicaSets."""
        target: Raw = await reader.get(path_of(intent.target), dict)
        return Sight(target=target, replica_sets=await former.replica_sets(reader, target))

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The one request, or why not."""
        answer = gone_or_marked(sight, intent)
        if answer is not None:
            return answer
        if not observed(sight.target):
            return Refused(refusal=Refusal.NOT_OBSERVED)
        seen = intent.precondition.canary_hash
        if seen and seen != hash_of(current(sight.target, sight.replica_sets)):
            return changed("canary")
        back = intent.verb is Verb.ROLL_BACK
        return wanted(_roll_back(sight, intent) if back else _promote(sight.target, intent), intent)

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come."""
        target = sight.target
        if raw.text(target, "metadata", "uid") != deed.intent.target.uid:
            return Progress(state=DeedState.FAILED, detail="recreated")
        if deed.intent.verb in marking.MARKING:
            return marking.outcome(target, deed)
        if deed.effect is Effect.UNPAUSE:
            return _promoted(sight, deed)
        return _reverted(sight, deed)


def _promote(target: Raw, intent: Intent) -> Plan | Refused:
    if complete(target):
        return Refused(refusal=Refusal.NOT_UNDER_WAY)
    if not raw.flag(target, "spec", "paused"):
        return Refused(refusal=Refusal.NOTHING_TO_PROMOTE)
    patch = body.merge(target, intent, spec={"paused": False})
    return Plan(
        effect=Effect.UNPAUSE, request=Request(path=path_of(intent.target), body=patch, need=need_of(intent.target))
    )


def _roll_back(sight: Sight, intent: Intent) -> Plan | Refused:
    target, seen = sight.target, intent.precondition
    if under_way(sight):
        old, effect = stable(target, sight.replica_sets, seen.stable_hash), Effect.REVERT
    else:
        if seen.stable_hash and seen.stable_hash != hash_of(current(target, sight.replica_sets)):
            return changed("stable")
        owner = former.git_owner(target)
        if owner and not intent.force:
            return Refused(refusal=Refusal.OWNED, detail=owner)
        old, effect = former.to_undo_to(sight.replica_sets, former.DEPLOYMENT_REVISION), Effect.UNDO
    if old is None:
        return Refused(refusal=Refusal.NO_FORMER)
    patch = body.template(target, intent, former.template(old, former.DEPLOYMENT_HASH), unpause=True)
    request = Request(path=path_of(intent.target), body=patch, need=need_of(intent.target), content_type=JSON_PATCH)
    return Plan(effect=effect, request=request)


def under_way(sight: Sight) -> bool:
    """Whether an update stands half-way: pods of a former template are left."""
    new = current(sight.target, sight.replica_sets)
    return any(replicas(one) > 0 for one in sight.replica_sets if one is not new)


def _promoted(sight: Sight, deed: Deed) -> Progress | None:
    target = sight.target
    if raw.flag(target, "spec", "paused"):
        return None
    if not observed(target):
        return Progress(state=DeedState.ACCEPTED)
    new = hash_of(current(target, sight.replica_sets))
    if deed.intent.precondition.canary_hash not in ("", new):
        return Progress(state=DeedState.FAILED, detail="superseded")
    return course(target)


def _reverted(sight: Sight, deed: Deed) -> Progress | None:
    """Rolled back when no pod of the bad template is wanted any more; its own pods may still be ending."""
    target, bad = sight.target, _bad_hash(deed)
    stored = raw.annotation(target, ROLLBACK) == deed.intent.id
    caught = marking.unhold(target, deed.intent, path_of(deed.intent.target), need_of(deed.intent.target))
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="held")
    if not observed(target):
        return Progress(state=DeedState.ACCEPTED) if stored else None
    new = current(target, sight.replica_sets)
    if new is None or hash_of(new) == bad:
        return Progress(state=DeedState.ACCEPTED) if stored else None
    left = former.with_hash(sight.replica_sets, former.DEPLOYMENT_HASH, bad) if bad else None
    if left is not None and replicas(left) == 0 and raw.number(left, "status", "replicas") == 0:
        return Progress(state=DeedState.DONE)
    return course(target)


def _bad_hash(deed: Deed) -> str:
    seen = deed.intent.precondition
    return seen.stable_hash if deed.effect is Effect.UNDO else seen.canary_hash
