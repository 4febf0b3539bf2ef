"""A stable and a canary Deployment behind one Service.

Promote = stable takes the canary's template, and only when it is complete the canary is scaled to 0: the other order
is a dip in capacity. These are three requests that cannot be one, so the first leaves a mark on the canary that says
whose deed is under way; each next request is found from the state alone, and the last one removes the mark.
Roll back = scale the canary to 0; stable was never touched. ``spec.replicas`` of stable belongs to its autoscaler
and is never written. Source: Kubernetes documentation "Canary deployments".
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from opsroom.delivery import raw
from opsroom.delivery.doors import JSON_PATCH, Raw, Reader
from opsroom.delivery.engines import body, former, marking
from opsroom.delivery.engines.deployment_state import complete, current, failed, hash_of, observed, replicas
from opsroom.delivery.plan import Need, Plan, Progress, Refused, Request, Sight, changed
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb
from opsroom.domain.marks import CANARY_OF, DEED, PROMOTING, ROLLBACK
from opsroom.errors import Gone
from opsroom.kube.failures import NotServed

_SAME = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
_TRACK = "track"

ABANDONED = 900.0
"""Seconds after which a promotion whose mark still stands may be taken over by another one."""


class PairEngine:
    """Acts on the canary Deployment and its stable partner."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Both Deployments and the ReplicaSets of both."""
        target: Raw = await reader.get(_path(intent), dict)
        partner = await _partner(reader, target)
        mine = await former.replica_sets(reader, target)
        theirs = () if partner is None else await former.replica_sets(reader, partner)
        return Sight(target=target, partner=partner, replica_sets=(*mine, *theirs))

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The first request, or why not."""
        target = sight.target
        if raw.text(target, "metadata", "uid") != intent.target.uid:
            return Refused(refusal=Refusal.GONE, detail="recreated")
        if intent.verb in marking.MARKING:
            if marking.other_version(intent, hash_of(current(target, sight.replica_sets))):
                return changed("canary")
            return marking.plan(target, intent, _path(intent), _need(intent), emptied=True)
        if sight.partner is None:
            return Refused(refusal=Refusal.GONE, detail="stable")
        refused = _differs(sight, intent)
        if refused is not None:
            return refused
        return _roll_back(sight, intent) if intent.verb is Verb.ROLL_BACK else _promote(sight, intent)

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come, and the next request of a promotion."""
        target = sight.target
        if raw.text(target, "metadata", "uid") != deed.intent.target.uid:
            return Progress(state=DeedState.FAILED, detail="recreated")
        if deed.intent.verb in marking.MARKING:
            return marking.outcome(target, deed)
        if deed.effect is Effect.TAKE_TEMPLATE:
            return _promoted(sight, deed)
        if deed.effect is Effect.UNDO:
            return _undone(sight, deed)
        if deed.effect is Effect.REVERT:
            return _restored(sight, deed)
        if replicas(target) > 0:
            return None
        gone = observed(target) and raw.number(target, "status", "replicas") == 0
        if gone:
            return Progress(state=DeedState.DONE)
        return Progress(state=DeedState.SEEN if observed(target) else DeedState.ACCEPTED)


def promoted_template(canary: Raw, stable: Raw) -> Raw:
    """The canary's pod template under stable's own labels, where a selector depends on them."""
    value: Raw = copy.deepcopy(raw.table(canary, "spec", "template"))
    labels = raw.table(value, "metadata", "labels")
    labels.pop(former.DEPLOYMENT_HASH, None)
    own = raw.table(stable, "spec", "template", "metadata", "labels")
    keys = {_TRACK, *raw.table(canary, "spec", "selector", "matchLabels")}
    keys.update(raw.table(stable, "spec", "selector", "matchLabels"))
    for key in keys:
        labels.pop(key, None)
        if key in own:
            labels[key] = own[key]
    return value


def _differs(sight: Sight, intent: Intent) -> Refused | None:
    seen, stable = intent.precondition, sight.partner or {}
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
    request = _marked(sight.target, intent, _signed(intent))
    return _wanted(Plan(effect=Effect.TAKE_TEMPLATE, request=request), intent)


def _roll_back(sight: Sight, intent: Intent) -> Plan | Refused:
    stable = sight.partner or {}
    if replicas(sight.target) > 0:
        if _mark(sight.target).owner and _taken(sight.target, stable):
            # Half promoted: stable runs the canary's template, so scaling the canary down would undo nothing.
            return _restore(sight, intent, Effect.REVERT)
        return _wanted(Plan(effect=Effect.SCALE_DOWN, request=_scale_down(sight.target, intent)), intent)
    owner = former.git_owner(stable)
    if owner and not intent.force:
        return Refused(refusal=Refusal.OWNED, detail=owner)
    return _restore(sight, intent, Effect.UNDO)


def taken(sight: Sight) -> bool:
    """Whether stable has the canary's template already: what is left of the promotion only ends it."""
    return sight.partner is not None and _taken(sight.target, sight.partner)


def _restore(sight: Sight, intent: Intent, effect: Effect) -> Plan | Refused:
    """Stable's former template back."""
    stable = sight.partner or {}
    uid = raw.text(stable, "metadata", "uid")
    theirs = [one for one in sight.replica_sets if raw.owned_by(one, uid)]
    find = former.to_undo_to if effect is Effect.UNDO else former.second_highest
    old = find(theirs, former.DEPLOYMENT_REVISION)
    if old is None:
        return Refused(refusal=Refusal.NO_FORMER)
    request = _template_request(stable, intent, former.template(old, former.DEPLOYMENT_HASH))
    return _wanted(Plan(effect=effect, request=request), intent)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Whose promotion is under way, since when, and under which Lease transition (None for a person's)."""

    owner: str = ""
    at: float = 0.0
    fencing: int | None = None


def _mark(canary: Raw) -> _Mark:
    owner, at, fencing, *_ = (*raw.annotation(canary, PROMOTING).split(" "), "", "")
    return _Mark(owner, float(at) if at.isdecimal() else 0.0, int(fencing) if fencing.isdecimal() else None)


def _signed(intent: Intent) -> str:
    return f"{intent.id} {intent.at:.0f}" + ("" if intent.fencing is None else f" {intent.fencing}")


def _busy(canary: Raw, intent: Intent) -> bool:
    """Whether somebody else's promotion is under way and may still go on.

    A decider that lost its Lease does nothing more, so its successor finishes what it began.
    """
    mark = _mark(canary)
    if not mark.owner or intent.force or intent.at - mark.at >= ABANDONED:
        return False
    return mark.fencing is None or intent.fencing is None or mark.fencing >= intent.fencing


def _taken(canary: Raw, stable: Raw) -> bool:
    return bool(raw.table(stable, "spec", "template") == promoted_template(canary, stable))


def _wanted(plan: Plan, intent: Intent) -> Plan | Refused:
    wanted = intent.precondition.effect
    return plan if wanted in (None, plan.effect) else changed(f"effect:{plan.effect.value}")


def _marked(target: Raw, intent: Intent, mark: str | None) -> Request:
    """The mark of a promotion that is under way, of one that is over but half-done (its time is 0), or none."""
    begun = body.deed_mark(intent, Effect.TAKE_TEMPLATE) if mark == _signed(intent) else None
    patch = body.merge(target, intent, annotations={PROMOTING: mark, DEED: begun})
    return Request(path=_path(intent), body=patch, need=_need(intent))


def _scale_down(target: Raw, intent: Intent) -> Request:
    patch = body.merge(target, intent, spec={"replicas": 0}, annotations={PROMOTING: None, DEED: None})
    return Request(path=_path(intent), body=patch, need=_need(intent))


def _template_request(stable: Raw, intent: Intent, value: Raw) -> Request:
    return Request(
        path=former.deployment_path(stable),
        body=body.template(stable, intent, value, unpause=True),
        need=former.deployment_need(stable),
        content_type=JSON_PATCH,
    )


def _unhold(stable: Raw, intent: Intent) -> Request | None:
    return marking.unhold(stable, intent, former.deployment_path(stable), former.deployment_need(stable))


def _promoted(sight: Sight, deed: Deed) -> Progress | None:
    """Three stages, told apart by the mark, stable's template and the canary's size."""
    target, stable, intent = sight.target, sight.partner, deed.intent
    mark = _mark(target).owner
    if stable is None:
        return Progress(state=DeedState.FAILED, detail="stable")
    taken = _taken(target, stable)
    if not mark and replicas(target) == 0:
        return Progress(state=DeedState.DONE) if taken else Progress(state=DeedState.FAILED, detail="rolled_back")
    if mark != intent.id or not observed(target):
        # A template that its controller has not seen has no hash yet: it may be another one than was decided on.
        return None
    # A deed that ends here must lock nobody out by its mark: gone, or of no age where stable has the new template.
    left = _marked(target, intent, f"{intent.id} 0" if taken else None)
    seen = intent.precondition.canary_hash
    if seen and seen != hash_of(current(target, sight.replica_sets)):
        return Progress(state=DeedState.FAILED, detail="superseded", back=left)
    if not taken:
        then = _template_request(stable, intent, promoted_template(target, stable))
        return Progress(state=DeedState.ACCEPTED, then=then, stands="mark", back=left)
    caught = _unhold(stable, intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held", back=left, lasting=True)
    if complete(stable):
        then = _scale_down(target, intent)
        return Progress(state=DeedState.SEEN, then=then, stands="both_new", back=left, lasting=True)
    why = failed(stable)
    if why:
        return Progress(state=DeedState.FAILED, detail=why, back=left)
    return Progress(state=DeedState.SEEN if observed(stable) else DeedState.ACCEPTED)


def _undone(sight: Sight, deed: Deed) -> Progress | None:
    stable = sight.partner
    if stable is None:
        return Progress(state=DeedState.FAILED, detail="stable")
    caught = _unhold(stable, deed.intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held")
    if not observed(stable):
        return Progress(state=DeedState.ACCEPTED)
    if hash_of(current(stable, sight.replica_sets)) == deed.intent.precondition.stable_hash:
        return None
    if complete(stable):
        return Progress(state=DeedState.DONE)
    why = failed(stable)
    return Progress(state=DeedState.FAILED, detail=why) if why else Progress(state=DeedState.SEEN)


def _restored(sight: Sight, deed: Deed) -> Progress | None:
    """A half promotion taken back: stable first, then the canary."""
    stable = sight.partner
    if stable is None:
        return Progress(state=DeedState.FAILED, detail="stable")
    if raw.annotation(stable, ROLLBACK) != deed.intent.id:
        return None
    caught = _unhold(stable, deed.intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held")
    if replicas(sight.target) > 0:
        then = _scale_down(sight.target, deed.intent)
        return Progress(state=DeedState.ACCEPTED, then=then, stands="canary_left")
    if complete(stable):
        return Progress(state=DeedState.DONE)
    why = failed(stable)
    return Progress(state=DeedState.FAILED, detail=why) if why else Progress(state=DeedState.SEEN)


async def _partner(reader: Reader, canary: Raw) -> Raw | None:
    """The stable Deployment: the one that the canary names, else the only one like it on another track."""
    name = raw.annotation(canary, CANARY_OF) or raw.text(canary, "metadata", "labels", CANARY_OF)
    namespace = raw.text(canary, "metadata", "namespace")
    base = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    if name:
        try:
            found: Raw = await reader.get(f"{base}/{name}", dict)
        except NotServed:
            raise
        except Gone:
            return None
        return found
    labels = raw.table(canary, "metadata", "labels")
    same = ",".join(f"{key}={labels[key]}" for key in _SAME if key in labels)
    if not same:
        return None
    answer: Raw = await reader.get(base, dict, {"labelSelector": same})
    mine = raw.text(canary, "metadata", "uid")
    others = [one for one in raw.items(answer, "items") if raw.text(one, "metadata", "uid") != mine and _stable(one)]
    return others[0] if len(others) == 1 else None


def _stable(one: Raw) -> bool:
    tracks = (
        raw.text(one, "metadata", "labels", _TRACK),
        raw.text(one, "spec", "template", "metadata", "labels", _TRACK),
    )
    return "stable" in tracks


def _path(intent: Intent) -> str:
    target = intent.target
    return f"/apis/apps/v1/namespaces/{target.namespace}/deployments/{target.name}"


def _need(intent: Intent) -> Need:
    return Need(group="apps", resource="deployments", namespace=intent.target.namespace)
