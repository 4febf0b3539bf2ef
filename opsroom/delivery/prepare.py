"""Everything before the first request: a fresh look, the comparison, the rights, the journal's first line.

With the credentials of whoever acts. Nothing here changes the world but the journal, and a deed that may be prepared
may still be stopped.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from opsroom.delivery import notice, two_people
from opsroom.delivery.engines import engine_for
from opsroom.delivery.engines.approving import ApprovingEngine
from opsroom.delivery.hands import Hands, Prepared, journalled, refuse, refused_by
from opsroom.delivery.plan import Plan, Refused
from opsroom.domain import approval
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb
from opsroom.errors import JournalError, OpsroomError

UNRECORDED = frozenset((Verb.ROLL_BACK, Verb.RELEASE))
"""What a person may do though the journal cannot be written: the way back to safety, and letting go what is held."""


async def prepare(intent: Intent, hands: Hands) -> Prepared | Deed:
    """Everything up to the request: a fresh look, the comparison, the rights, the journal's first line."""
    engine = engine_for(intent.target, intent.verb)
    if engine is None:
        return refuse(intent, Refused(refusal=Refusal.NOT_SUPPORTED, detail=intent.target.engine.value), hands)
    looked = hands.now()
    try:
        sight = await engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refuse(intent, refused_by(error), hands)
    plan = engine.plan(sight, intent)
    if isinstance(plan, Refused):
        return refuse(intent, await named(plan, intent, hands), hands)
    missing = await _missing(plan, hands)
    if missing:
        return refuse(intent, Refused(refusal=Refusal.NO_RIGHT, detail=missing), hands, plan.effect)
    if approval.needed(intent):
        agreed = await _agreed(Prepared(engine, sight, plan, _begun(intent, plan, hands), looked), hands)
        if isinstance(agreed, Refused):
            return refuse(intent, agreed, hands, plan.effect)
        intent, engine, sight, plan = agreed.deed.intent, agreed.engine, agreed.sight, agreed.plan
        looked = agreed.looked
    deed = _begun(intent, plan, hands)
    try:
        await journalled(deed, hands)
    except JournalError as error:
        if intent.automatic or intent.verb not in UNRECORDED:
            return refuse(intent, Refused(refusal=Refusal.JOURNAL, detail=clean(error)), hands)
        deed = msgspec.structs.replace(deed, detail="not_journalled")
        await notice.publish(deed, hands.writer)
    return Prepared(engine, sight, plan, deed, looked)


def _begun(intent: Intent, plan: Plan, hands: Hands) -> Deed:
    return Deed(intent=intent, state=DeedState.JOURNALLED, at=hands.now(), effect=plan.effect)


async def _agreed(ready: Prepared, hands: Hands) -> Prepared | Refused:
    """What a promotion that two people have to want is for this one: the deed itself, or its approval."""
    try:
        intent = await two_people.turn(ready.deed.intent, hands.user, hands.reader, hands.now)
        if isinstance(intent, Refused):
            return intent
        if intent.verb is not Verb.APPROVE:
            return replace(ready, deed=msgspec.structs.replace(ready.deed, intent=intent))
        engine, looked = ApprovingEngine(), hands.now()
        sight = await engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refused_by(error)
    plan = engine.plan(sight, intent)
    return plan if isinstance(plan, Refused) else Prepared(engine, sight, plan, _begun(intent, plan, hands), looked)


async def _missing(plan: Plan, hands: Hands) -> str:
    """The first right that is surely missing, in RBAC's words; empty when none is, or nobody would say."""
    if hands.may is None:
        return ""
    for need in plan.needs:
        if need.name:
            continue
        try:
            right = await hands.may(need.namespace, need.group, need.resource, need.subresource, need.verb)
        except OpsroomError:
            return ""
        if right.allowed is False:
            return right.missing or need.words
    return ""


async def named(refused: Refused, intent: Intent, hands: Hands) -> Refused:
    """``refused`` with the name of who was faster, where that is known."""
    if refused.refusal not in (Refusal.CHANGED, Refusal.NOT_OBSERVED, Refusal.BUSY, Refusal.NOT_UNDER_WAY):
        return refused
    who = await notice.last_actor(hands.reader, intent.target, hands.now())
    if not who:
        return refused
    return Refused(refusal=refused.refusal, detail=f"{refused.detail}, by {who}" if refused.detail else f"by {who}")


async def look_again(ready: Prepared, hands: Hands) -> Prepared | Refused:
    """``ready`` as it stands now, perhaps after somebody else was faster: the same effect still, or a refusal."""
    intent, began = ready.deed.intent, hands.now()
    try:
        sight = await ready.engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refused_by(error)
    plan = ready.engine.plan(sight, intent)
    if isinstance(plan, Refused):
        return plan
    if plan.effect is not ready.plan.effect:
        return Refused(refusal=Refusal.CHANGED, detail=f"effect:{plan.effect.value}")
    return replace(ready, sight=sight, plan=plan, looked=began)
