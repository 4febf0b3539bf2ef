"""One deed from intent to outcome.

Look afresh with the actor's credentials, compare with what was on the screen, write the journal's first line, send
one request with a precondition, and believe the cluster, not the HTTP status. A refused precondition (409, a failed
test) means: look again and weigh again, so a second press can never skip a step. An answer that never came is
UNKNOWN until the cluster shows what happened. It must not know why a deed is wanted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import msgspec

from opsroom.delivery import notice, two_people
from opsroom.delivery.doors import Guard, May, Now, Reader, Wait, Writer
from opsroom.delivery.engines import engine_for
from opsroom.delivery.engines.approving import ApprovingEngine
from opsroom.delivery.journal import Entry, Record
from opsroom.delivery.plan import Engine, Plan, Progress, Refused, Request, Sight
from opsroom.domain import approval
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb
from opsroom.errors import (
    Conflict,
    Gone,
    JournalError,
    NotPermitted,
    OpsroomError,
    OutcomeUnknown,
    Rejected,
    Unauthorized,
    Unreachable,
)

LOOKS = 4
"""Looks at a target that keeps changing, before the deed is given up."""

PATIENCE = 60.0
"""Seconds a controller may take to react before the deed is left to be settled later."""

ENDLESS = 1800.0
"""Seconds a deed that its controller has seen may take: pods have to start, a pair needs a further request."""

OVERTAKEN = 30.0
"""Seconds after which an automatic promotion that could not be sent is decided anew: its score has grown old."""

_FIRST_POLL, _LAST_POLL = 0.1, 2.0
_REFUSALS: tuple[tuple[type[OpsroomError], Refusal], ...] = (
    (NotPermitted, Refusal.NO_RIGHT),
    (Unauthorized, Refusal.UNAUTHORIZED),
    (Gone, Refusal.GONE),
    (Conflict, Refusal.CONFLICT),
    (Rejected, Refusal.INVALID),
    (Unreachable, Refusal.UNREACHABLE),
)


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Hands:
    """What a deed is done with."""

    reader: Reader
    writer: Writer
    journal: Record
    now: Now = time.time
    wait: Wait = asyncio.sleep
    patience: float = PATIENCE
    guard: Guard = _always
    """Asked before each request of an automatic deed: is the Lease still ours?"""
    may: May | None = None
    """Access review; without it the request itself finds out."""
    user: str = ""
    """The name by which the API server knows the person who acts; empty where it did not say."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A deed that was looked at and journalled, and waits for its request to be sent."""

    engine: Engine
    sight: Sight
    plan: Plan
    deed: Deed


async def deliver(
    intent: Intent,
    reader: Reader,
    writer: Writer,
    journal: Record,
    *,
    now: Now = time.time,
    wait: Wait = asyncio.sleep,
    patience: float = PATIENCE,
    guard: Guard = _always,
) -> AsyncIterator[Deed]:
    """Carry out ``intent``; yields the deed in each state it reaches, the last one being where it was left.

    Never raises ``OpsroomError``: a failure is a state with a refusal or a detail. ``now`` gives epoch seconds,
    ``wait`` sleeps, ``patience`` (s) bounds the wait for the controller.
    """
    hands = Hands(reader, writer, journal, now, wait, patience, guard)
    ready = await prepare(intent, hands)
    if isinstance(ready, Deed):
        yield ready
        return
    yield ready.deed
    async for deed in carry_out(ready, hands):
        yield deed


async def prepare(intent: Intent, hands: Hands) -> Prepared | Deed:
    """Everything up to the request: a fresh look, the comparison, the rights, the journal's first line."""
    engine = engine_for(intent.target, intent.verb)
    if engine is None:
        return refuse(intent, Refused(refusal=Refusal.NOT_SUPPORTED, detail=intent.target.engine.value), hands)
    try:
        sight = await engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refuse(intent, refused_by(error), hands)
    plan = engine.plan(sight, intent)
    if isinstance(plan, Refused):
        return refuse(intent, await _named(plan, intent, hands), hands)
    missing = await _missing(plan, hands)
    if missing:
        return refuse(intent, Refused(refusal=Refusal.NO_RIGHT, detail=missing), hands, plan.effect)
    if approval.needed(intent):
        agreed = await _agreed(Prepared(engine, sight, plan, _begun(intent, plan, hands)), hands)
        if isinstance(agreed, Refused):
            return refuse(intent, agreed, hands, plan.effect)
        intent, engine, sight, plan = agreed.deed.intent, agreed.engine, agreed.sight, agreed.plan
    deed = _begun(intent, plan, hands)
    try:
        await _journal(deed, hands)
    except JournalError as error:
        if intent.automatic or intent.verb is not Verb.ROLL_BACK:
            return refuse(intent, Refused(refusal=Refusal.JOURNAL, detail=clean(error)), hands)
        deed = msgspec.structs.replace(deed, detail="not_journalled")
        await notice.publish(deed, hands.writer)
    return Prepared(engine, sight, plan, deed)


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
        engine = ApprovingEngine()
        sight = await engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refused_by(error)
    plan = engine.plan(sight, intent)
    return plan if isinstance(plan, Refused) else Prepared(engine, sight, plan, _begun(intent, plan, hands))


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


async def carry_out(ready: Prepared, hands: Hands) -> AsyncIterator[Deed]:
    """Send what was prepared and follow it until it is settled or patience ends."""
    sent = await _send_first(ready, hands)
    if isinstance(sent, Deed):
        yield await close_journal(sent, ready.deed, hands)
        return
    ready, state = sent
    yield _state(ready.deed, DeedState.SENT, hands)
    deed = _state(ready.deed, state, hands)
    if state is DeedState.UNKNOWN:
        await _journal_quietly(deed, hands)
    yield deed
    await notice.publish(deed, hands.writer)
    async for later in watch_over(ready.engine, deed, hands):
        deed = later
        yield deed
    await close_journal(deed, ready.deed, hands)


async def _send_first(ready: Prepared, hands: Hands) -> tuple[Prepared, DeedState] | Deed:
    """Send the first request; after a refused precondition look and weigh again. A Deed means: refused."""
    last: OpsroomError | None = None
    for attempt in range(LOOKS):
        if attempt:
            looked = await _look_again(ready, hands)
            if isinstance(looked, Refused):
                return _refused(ready.deed, await _named(looked, ready.deed.intent, hands), hands)
            ready = looked
        if not _may(ready.deed.intent, hands):
            return _refused(ready.deed, Refused(refusal=Refusal.CONFLICT, detail="not_decider"), hands)
        if _overtaken(ready.deed.intent, hands):
            return _refused(ready.deed, Refused(refusal=Refusal.CHANGED, detail="overtaken"), hands)
        try:
            await _patch(ready.plan.request, hands)
        except OutcomeUnknown:
            return ready, DeedState.UNKNOWN
        except Conflict as error:
            last = error
        except Unreachable as error:
            if isinstance(error, Unauthorized) or error.retry_after is None:
                return _refused(ready.deed, refused_by(error), hands)
            last = error
            await hands.wait(min(error.retry_after, 10.0))
        except OpsroomError as error:
            return _refused(ready.deed, refused_by(error), hands)
        else:
            return ready, DeedState.ACCEPTED
    return _refused(ready.deed, refused_by(last) if last else Refused(refusal=Refusal.CONFLICT), hands)


async def _named(refused: Refused, intent: Intent, hands: Hands) -> Refused:
    """``refused`` with the name of who was faster, where that is known."""
    if refused.refusal not in (Refusal.CHANGED, Refusal.NOT_OBSERVED, Refusal.BUSY, Refusal.NOT_UNDER_WAY):
        return refused
    who = await notice.last_actor(hands.reader, intent.target, hands.now())
    if not who:
        return refused
    return Refused(refusal=refused.refusal, detail=f"{refused.detail}, by {who}" if refused.detail else f"by {who}")


async def _look_again(ready: Prepared, hands: Hands) -> Prepared | Refused:
    intent = ready.deed.intent
    try:
        sight = await ready.engine.look(hands.reader, intent)
    except OpsroomError as error:
        return refused_by(error)
    plan = ready.engine.plan(sight, intent)
    if isinstance(plan, Refused):
        return plan
    if plan.effect is not ready.plan.effect:
        return Refused(refusal=Refusal.CHANGED, detail=f"effect:{plan.effect.value}")
    return replace(ready, sight=sight, plan=plan)


async def watch_over(engine: Engine, deed: Deed, hands: Hands) -> AsyncIterator[Deed]:
    """Look until the cluster shows what became of ``deed``; sends the further requests of a longer deed."""
    begun, delay, patience = hands.now(), _FIRST_POLL, hands.patience
    while not deed.state.settled:
        try:
            progress = engine.outcome(await engine.look(hands.reader, deed.intent), deed)
        except Gone:
            progress = Progress(state=DeedState.FAILED, detail="gone")
        except OpsroomError:
            progress = None
        if progress is not None:
            patience = max(patience, progress.patience)
            half = await _further(progress, deed, hands) if progress.then is not None else ""
            if half:
                progress = Progress(state=DeedState.FAILED, detail=half)
            # A spec that was just scaled is unobserved for a moment; what was seen once stays seen.
            back = deed.state is DeedState.SEEN and progress.state is DeedState.ACCEPTED
            if progress.state is not deed.state and not back:
                deed = _state(deed, progress.state, hands, progress.detail or deed.detail)
                yield deed
                continue
        if hands.now() - begun >= (ENDLESS if deed.state is DeedState.SEEN else patience):
            break
        await hands.wait(delay)
        delay = min(_LAST_POLL, delay * 1.6)
    if deed.state is DeedState.ACCEPTED:
        yield _state(deed, DeedState.UNKNOWN, hands, deed.detail or "not_seen")


async def _further(progress: Progress, deed: Deed, hands: Hands) -> str:
    """Send the next request of a deed that is under way; a code when the deed is stuck half-done."""
    if progress.then is None:
        return ""
    if not _may(deed.intent, hands):
        return "half_done:not_decider"
    try:
        await _patch(progress.then, hands)
    except (Conflict, OutcomeUnknown, Unreachable):
        return ""
    except OpsroomError as error:
        return f"half_done:{clean(error, 200)}"
    return ""


async def _patch(request: Request, hands: Hands) -> None:
    try:
        await hands.writer.patch(request.path, request.body, content_type=request.content_type)
    except Gone:
        if request.new is not None:
            await hands.writer.post(request.collection, request.new)
            return
        if request.fallback is None:
            raise
        await hands.writer.patch(
            request.fallback.path, request.fallback.body, content_type=request.fallback.content_type
        )


def _may(intent: Intent, hands: Hands) -> bool:
    return not intent.automatic or hands.guard()


def _overtaken(intent: Intent, hands: Hands) -> bool:
    promotes = intent.verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY)
    return intent.automatic and promotes and abs(hands.now() - intent.at) > OVERTAKEN


def refused_by(error: OpsroomError) -> Refused:
    """The refusal that ``error`` amounts to, with its own words."""
    for kind, refusal in _REFUSALS:
        if isinstance(error, kind):
            return Refused(refusal=refusal, detail=clean(error))
    return Refused(refusal=Refusal.INVALID, detail=clean(error))


def refuse(intent: Intent, refused: Refused, hands: Hands, effect: Effect | None = None) -> Deed:
    """The deed as refused."""
    return Deed(
        intent=intent,
        state=DeedState.REFUSED,
        at=hands.now(),
        effect=effect,
        refusal=refused.refusal,
        detail=refused.detail,
    )


def _refused(deed: Deed, refused: Refused, hands: Hands) -> Deed:
    return refuse(deed.intent, refused, hands, deed.effect)


def _state(deed: Deed, state: DeedState, hands: Hands, detail: str | None = None) -> Deed:
    return msgspec.structs.replace(deed, state=state, at=hands.now(), detail=deed.detail if detail is None else detail)


async def close_journal(deed: Deed, first: Deed, hands: Hands) -> Deed:
    """The journal's last line, and a notice for people; neither can change what has happened."""
    if first.detail == "not_journalled" and not deed.detail:
        deed = msgspec.structs.replace(deed, detail="not_journalled")
    await _journal_quietly(deed, hands)
    if deed.state in (DeedState.FAILED, DeedState.UNKNOWN):
        await notice.publish(deed, hands.writer)
    return deed


async def cancel(ready: Prepared, hands: Hands) -> Deed:
    """The countdown was stopped: the journal's last line."""
    deed = _state(ready.deed, DeedState.CANCELLED, hands)
    await _journal_quietly(deed, hands)
    return deed


async def _journal(deed: Deed, hands: Hands) -> None:
    target = deed.intent.target
    entry = Entry(at=deed.at, writer="", deed=deed, rollout=f"{target.namespace}/{target.name}")
    await asyncio.to_thread(hands.journal.write, entry)


async def _journal_quietly(deed: Deed, hands: Hands) -> None:
    try:
        await _journal(deed, hands)
    except JournalError:
        return
