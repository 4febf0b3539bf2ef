"""The first request of a deed, with its precondition.

A refused precondition (409, a failed test) means: look again and weigh again, so a second press can never skip a step.
What an automatic deed rests on is asked once more right before: the Lease, and whatever may have come in its way.
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.engines.body import author
from opsroom.delivery.engines.marking import MARKING
from opsroom.delivery.hands import Hands, Prepared, at_state, may_go_on, refused, refused_by
from opsroom.delivery.plan import Refused, Request
from opsroom.delivery.prepare import look_again, named
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb
from opsroom.domain.marks import BY
from opsroom.errors import Conflict, Gone, OpsroomError, OutcomeUnknown, Unauthorized, Unreachable
from opsroom.kube.served import absent

LOOKS = 4
"""Looks at a target that keeps changing, before the deed is given up."""

LOOK_KEEPS = 5.0
"""Seconds from a look to the request that rests on it: a process may be stopped in between, or a person may wait."""

OVERTAKEN = 30.0
"""Seconds after which an automatic promotion that could not be sent is decided anew: its score has grown old."""


async def send_first(ready: Prepared, hands: Hands) -> tuple[Prepared, DeedState] | Deed:
    """Send the first request; after a refused precondition look and weigh again. A Deed means: refused, or stopped."""
    last: OpsroomError | None = None
    for attempt in range(LOOKS):
        if hands.stopped():
            return at_state(ready.deed, DeedState.CANCELLED, hands)
        if attempt or abs(hands.now() - ready.looked) > LOOK_KEEPS:
            looked = await look_again(ready, hands)
            if isinstance(looked, Refused):
                return refused(ready.deed, await named(looked, ready.intent, hands), hands)
            ready = looked
        no = await _in_the_way(ready.intent, hands)
        if no is not None:
            return refused(ready.deed, no, hands)
        try:
            await send(ready.plan.request, hands)
        except OutcomeUnknown:
            return ready, DeedState.UNKNOWN
        except Conflict as error:
            if await _stands_by_us(ready, hands):
                return ready, DeedState.ACCEPTED
            last = error
        except Unreachable as error:
            if isinstance(error, Unauthorized) or error.retry_after is None:
                return refused(ready.deed, refused_by(error), hands)
            last = error
            await hands.wait(min(error.retry_after, 10.0))
        except OpsroomError as error:
            return refused(ready.deed, refused_by(error), hands)
        else:
            return ready, DeedState.ACCEPTED
    return refused(ready.deed, refused_by(last) if last else Refused(refusal=Refusal.CONFLICT), hands)


async def _stands_by_us(ready: Prepared, hands: Hands) -> bool:
    """Whether a mark that was refused stands already, written by us: something on the line has sent it twice."""
    if ready.intent.verb not in MARKING:
        return False
    try:
        sight = await ready.engine.look(hands.reader, ready.intent)
    except OpsroomError:
        return False
    progress = ready.engine.outcome(sight, ready.deed)
    done = progress is not None and progress.state is DeedState.DONE
    return done and raw.annotation(sight.target, BY) == author(ready.intent)


async def _in_the_way(intent: Intent, hands: Hands) -> Refused | None:
    """Why ``intent`` may not be sent at this very moment; None where nothing is in its way."""
    found = await hands.clear() if intent.automatic and hands.clear is not None else None
    if not may_go_on(hands):
        return Refused(refusal=Refusal.CONFLICT, detail="not_decider")
    if _overtaken(intent, hands):
        return Refused(refusal=Refusal.CHANGED, detail="overtaken")
    return found


def _overtaken(intent: Intent, hands: Hands) -> bool:
    promotes = intent.verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY)
    return intent.automatic and promotes and abs(hands.now() - intent.at) > OVERTAKEN


async def send(request: Request, hands: Hands) -> None:
    """One PATCH, or what stands in its place where its path answers 404; raises as the writer does."""
    try:
        await hands.writer.patch(request.path, request.body, content_type=request.content_type)
    except Gone:
        if request.new is not None:
            await hands.writer.post(request.collection, request.new)
            return
        if request.fallback is None or not await absent(hands.reader, request.path):
            raise  # a subresource that is away for a moment must not turn one request into another
        await hands.writer.patch(
            request.fallback.path, request.fallback.body, content_type=request.fallback.content_type
        )
