"""What a deed is done with, and the deed that waits to be sent.

The journal's lines of one deed are written here as well, because every stage writes them: the first before anything
is sent, the last whatever came of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from opsroom.delivery import notice
from opsroom.delivery.doors import Guard, May, Now, Reader, Wait, Writer
from opsroom.delivery.journal import Entry, Record
from opsroom.delivery.plan import Engine, Plan, Refused, Sight
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal
from opsroom.errors import (
    Conflict,
    Gone,
    JournalError,
    NotPermitted,
    OpsroomError,
    Rejected,
    Unauthorized,
    Unreachable,
)
from opsroom.kube.failures import NotServed

PATIENCE = 60.0
"""Seconds a controller may take to react before the deed is left to be settled later."""

ENDLESS = 1800.0
"""Seconds a deed that its controller has seen may take: pods have to start, a pair needs a further request."""

_REFUSALS: tuple[tuple[type[OpsroomError], Refusal], ...] = (
    (NotPermitted, Refusal.NO_RIGHT),
    (Unauthorized, Refusal.UNAUTHORIZED),
    (NotServed, Refusal.UNREACHABLE),
    (Gone, Refusal.GONE),
    (Conflict, Refusal.CONFLICT),
    (Rejected, Refusal.INVALID),
    (Unreachable, Refusal.UNREACHABLE),
)

Clear = Callable[[], Awaitable[Refused | None]]


def always() -> bool:
    """Whoever is no decider loses no Lease."""
    return True


def never() -> bool:
    """Nobody sits in front of whoever decides alone."""
    return False


@dataclass(frozen=True, slots=True)
class Hands:
    """What a deed is done with."""

    reader: Reader
    writer: Writer
    journal: Record
    now: Now = time.time
    """Epoch seconds."""
    wait: Wait = asyncio.sleep
    patience: float = PATIENCE
    """Seconds that its controller may take."""
    guard: Guard = always
    """Asked before each request: is the Lease still ours? A person's hands need none."""
    clear: Clear | None = None
    """Asked right before the first request of an automatic deed: is anything in its way that may have come since?"""
    stopped: Guard = never
    """Asked before the first request: has whoever acts thought better of it while the cluster was busy?"""
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
    looked: float
    """When the look was begun, by the clock of ``Hands``."""

    @property
    def intent(self) -> Intent:
        """What is wanted."""
        return self.deed.intent


def may_go_on(hands: Hands) -> bool:
    """Whether the next request may be sent at all: a worker's only under its Lease, whoever began the deed."""
    return hands.guard()


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


def refused(deed: Deed, why: Refused, hands: Hands) -> Deed:
    """``deed`` as refused."""
    return refuse(deed.intent, why, hands, deed.effect)


def at_state(deed: Deed, state: DeedState, hands: Hands, detail: str | None = None) -> Deed:
    """``deed`` as it is from now on; ``detail`` None keeps what was said."""
    return msgspec.structs.replace(deed, state=state, at=hands.now(), detail=deed.detail if detail is None else detail)


async def close_journal(deed: Deed, first: Deed, hands: Hands) -> Deed:
    """The journal's last line, and a notice for people; neither can change what has happened."""
    if first.detail == "not_journalled" and not deed.detail:
        deed = msgspec.structs.replace(deed, detail="not_journalled")
    await journalled_if_possible(deed, hands)
    if deed.state in (DeedState.FAILED, DeedState.UNKNOWN):
        await notice.publish(deed, hands.writer)
    return deed


async def cancel(ready: Prepared, hands: Hands) -> Deed:
    """The countdown was stopped: the journal's last line."""
    deed = at_state(ready.deed, DeedState.CANCELLED, hands)
    await journalled_if_possible(deed, hands)
    return deed


async def journalled(deed: Deed, hands: Hands) -> None:
    """Write a line about ``deed``; raises JournalError."""
    target = deed.intent.target
    entry = Entry(at=deed.at, writer="", deed=deed, rollout=f"{target.namespace}/{target.name}")
    await asyncio.to_thread(hands.journal.write, entry)


async def journalled_if_possible(deed: Deed, hands: Hands) -> None:
    """The same where nothing can be done about a journal that is broken."""
    try:
        await journalled(deed, hands)
    except JournalError:
        return
