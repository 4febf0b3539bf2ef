"""Following a deed that was sent until the cluster shows its outcome; sends the further requests of a longer deed.

HTTP 200 proves only storage. A further request that is refused is tried again for a moment (an admission webhook that
is being restarted refuses like one that means it); then what can be taken back is taken back, and what stands is named.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from opsroom.delivery.hands import ENDLESS, Hands, at_state, may_go_on
from opsroom.delivery.plan import HALF_DONE, NOT_DECIDER, TAKEN_BACK, Engine, Progress
from opsroom.delivery.send import send
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState
from opsroom.errors import Conflict, Gone, OpsroomError, OutcomeUnknown, Unreachable
from opsroom.kube.failures import NotServed

TRIES = 5
"""Refusals of a further request (403, 422) before the deed is given up."""

_FIRST_POLL, _LAST_POLL = 0.1, 2.0


@dataclass(slots=True)
class _Refusals:
    """Refusals of a further request in a row."""

    count: int = 0


async def watch_over(engine: Engine, deed: Deed, hands: Hands) -> AsyncIterator[Deed]:
    """Look until the cluster shows what became of ``deed``; sends the further requests of a longer deed."""
    begun, delay, patience, refusals = hands.now(), _FIRST_POLL, hands.patience, _Refusals()
    while not deed.state.settled:
        progress = await _progress(engine, deed, hands)
        if progress is not None:
            patience = max(patience, progress.patience)
            half = await _further(progress, deed, hands, refusals) if progress.then is not None else ""
            if half:
                progress = Progress(state=DeedState.FAILED, detail=half)
            elif progress.state is DeedState.FAILED:
                await _take_back(progress, deed, hands)
            # A spec that was just scaled is unobserved for a moment; what was seen once stays seen.
            back = deed.state is DeedState.SEEN and progress.state is DeedState.ACCEPTED
            if progress.state is not deed.state and not back:
                deed = at_state(deed, progress.state, hands, progress.detail or deed.detail)
                yield deed
                continue
        if hands.now() - begun >= (ENDLESS if deed.state is DeedState.SEEN else patience):
            break
        await hands.wait(delay)
        delay = min(_LAST_POLL, delay * 1.6)
    if deed.state is DeedState.ACCEPTED:
        yield at_state(deed, DeedState.UNKNOWN, hands, deed.detail or "not_seen")


async def _progress(engine: Engine, deed: Deed, hands: Hands) -> Progress | None:
    try:
        return engine.outcome(await engine.look(hands.reader, deed.intent), deed)
    except NotServed:
        return None  # the kind is away just now, which says nothing of the object
    except Gone:
        return Progress(state=DeedState.FAILED, detail="gone")
    except OpsroomError:
        return None


async def _further(progress: Progress, deed: Deed, hands: Hands, refusals: _Refusals) -> str:
    """Send the next request of a deed that is under way; a code when the deed is stuck half-done."""
    if progress.then is None:
        return ""
    if not may_go_on(hands):
        return f"{HALF_DONE}:{progress.stands}:{NOT_DECIDER}"
    try:
        await send(progress.then, hands)
    except (Conflict, OutcomeUnknown, Unreachable):
        return ""
    except OpsroomError as error:
        refusals.count += 1
        return "" if refusals.count < TRIES else await _given_up(progress, deed, error, hands)
    refusals.count = 0
    return ""


async def _given_up(progress: Progress, deed: Deed, error: OpsroomError, hands: Hands) -> str:
    """What stands now that ``error`` has ended the deed, after taking back what can be."""
    gone = await _take_back(progress, deed, hands) and not progress.lasting
    why = clean(error, 200)
    return f"{TAKEN_BACK}:{why}" if gone else f"{HALF_DONE}:{progress.stands}:{why}"


async def _take_back(progress: Progress, deed: Deed, hands: Hands) -> bool:
    """Whether the beginning of a deed that has failed could be taken back; trying once is all that can be done."""
    if progress.back is None or not may_go_on(hands):
        return False
    try:
        await send(progress.back, hands)
    except OpsroomError:
        return False
    return True
