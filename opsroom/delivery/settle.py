"""Deeds that a crash cut off: found in the journal, settled by what the cluster shows.

A journal's first line without a last one means: it may have been sent. Nothing is sent again because of it; the
state of the target tells whether it happened, and a deed of several requests goes on from where it stands. A deed of
one request leaves no mark for other machines, for there is nothing to take up: it happened or it did not, who comes
next is held by a precondition of their own, and who it was stands in the Event (and in ``BY``, where the object itself
was written). It must not decide anything anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import msgspec

from opsroom.delivery.engines import engine_for
from opsroom.delivery.engines.marking import MARKING
from opsroom.delivery.engines.pair_state import taken
from opsroom.delivery.follow import watch_over
from opsroom.delivery.hands import ENDLESS, Hands, close_journal
from opsroom.delivery.journal import Entry
from opsroom.delivery.plan import Progress
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Verb, target_of
from opsroom.domain.marks import DeedMark
from opsroom.domain.rollout import Engine, Rollout

OPEN = frozenset((DeedState.JOURNALLED, DeedState.SENT, DeedState.ACCEPTED, DeedState.SEEN, DeedState.UNKNOWN))

STORED_SECONDS = 20.0
"""Time for a request that was on its way when its sender was killed. One that comes later still meets its own
precondition, which the next deed's write has voided."""

MARK_SECONDS = 5.0
"""The same for a mark, on which nothing but its own release or hold depends."""

CUT_OFF = "cut_off"
"""Detail of a deed of which only its mark is known: whoever began it has died, or is somewhere else."""

NEVER_SENT = "never_sent"
"""Detail of a deed whose request did not reach the cluster: the target still waits for it."""


FOUND_DONE = "found_done"
"""Detail of a deed that was done when it was looked at again: by itself before its sender died, or by whoever came
after. The cluster does not tell these apart (a status bears no name), so neither does the journal."""


def open_deeds(entries: Iterable[Entry], now: float, within: float = ENDLESS) -> list[Deed]:
    """The deeds whose last line leaves them open and that are younger than ``within`` seconds, oldest first."""
    last: dict[str, Deed] = {}
    for entry in entries:
        if entry.deed is not None:
            last[entry.deed.intent.id] = entry.deed
    return [deed for deed in last.values() if deed.state in OPEN and now - deed.intent.at <= within]


def from_mark(rollout: Rollout, mark: DeedMark) -> Deed:
    """The deed that ``mark`` on ``rollout`` speaks of, as far as it tells: begun, and its end not known."""
    seen = Precondition(canary_hash=mark.hash, stable_hash=mark.stable, step=mark.step)
    actor, _, fencing = mark.by.partition("#")
    intent = Intent(
        id=clean(mark.id),
        verb=mark.verb,
        target=target_of(rollout),
        precondition=seen,
        actor=clean(actor),
        at=mark.at,
        automatic=mark.automatic,
        fencing=int(fencing) if fencing.isdecimal() else None,
    )
    return Deed(intent=intent, state=DeedState.UNKNOWN, at=mark.at, effect=mark.effect, detail=CUT_OFF)


async def shown(deed: Deed, hands: Hands) -> Progress | None:
    """How far the cluster shows ``deed`` to have come; None where nothing of it can be seen. Raises as the reader."""
    engine = engine_for(deed.intent.target, deed.intent.verb)
    return None if engine is None else engine.outcome(await engine.look(hands.reader, deed.intent), deed)


async def only_ends(deed: Deed, hands: Hands) -> bool:
    """Whether what is left to do of ``deed`` ends it without harm, whoever began it: seen in the cluster, not its mark.

    The canary of a pair whose stable has its template only goes away; a ``skipAnalysis`` that has done its work is only
    taken back. Everything else waits for a person: nobody goes on with a promotion that somebody else may have left.

    Raises:
        NotPermitted, Unreachable, Gone, Unauthorized: as the reader does.
    """
    engine = engine_for(deed.intent.target, deed.intent.verb)
    if engine is None or deed.effect not in (Effect.TAKE_TEMPLATE, Effect.SKIP_ANALYSIS):
        return False
    sight = await engine.look(hands.reader, deed.intent)
    if deed.effect is Effect.TAKE_TEMPLATE:
        return taken(sight)
    progress = engine.outcome(sight, deed)
    return progress is not None and progress.then is not None


def _patience(deed: Deed) -> float:
    """Seconds in which a deed that was sent must show. Flagger may overwrite its status once; that takes its ticks."""
    if deed.intent.target.engine is Engine.FLAGGER:
        return ENDLESS
    return MARK_SECONDS if deed.intent.verb in (*MARKING, Verb.ACKNOWLEDGE, Verb.APPROVE) else STORED_SECONDS


async def settle(deed: Deed, hands: Hands) -> AsyncIterator[Deed]:
    """Follow ``deed`` from what the cluster shows to its end; yields each state, and journals the last one.

    Where nothing of it can be seen within ``hands.patience`` the request never arrived: it is then ``CANCELLED``
    with the detail ``never_sent``, which frees the rollout for a new decision.
    """
    engine = engine_for(deed.intent.target, deed.intent.verb)
    if engine is None:
        return
    hands = replace(hands, patience=min(hands.patience, _patience(deed)))
    start = msgspec.structs.replace(deed, state=DeedState.UNKNOWN, at=hands.now())
    last = start
    yield start
    async for later in watch_over(engine, start, hands):
        found = last is start and later.state is DeedState.DONE
        last = msgspec.structs.replace(later, detail=FOUND_DONE) if found else later
        yield last
    if last is start:
        last = msgspec.structs.replace(start, state=DeedState.CANCELLED, at=hands.now(), detail=NEVER_SENT)
        yield last
    await close_journal(last, deed, hands)
