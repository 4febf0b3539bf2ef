"""One deed from intent to outcome.

Look afresh with the actor's credentials, compare with what was on the screen, write the journal's first line, send
one request with a precondition, and believe the cluster, not the HTTP status. An answer that never came is UNKNOWN
until the cluster shows what happened. It must not know why a deed is wanted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from opsroom.delivery import notice
from opsroom.delivery.follow import watch_over
from opsroom.delivery.hands import Hands, Prepared, at_state, close_journal, journalled_if_possible
from opsroom.delivery.prepare import prepare
from opsroom.delivery.send import send_first
from opsroom.domain.deed import Deed, DeedState, Intent


async def deliver(intent: Intent, hands: Hands) -> AsyncIterator[Deed]:
    """Carry out ``intent``; yields the deed in each state it reaches, the last one being where it was left.

    Never raises ``OpsroomError``: a failure is a state with a refusal or a detail.
    """
    ready = await prepare(intent, hands)
    if isinstance(ready, Deed):
        yield ready
        return
    yield ready.deed
    async for deed in carry_out(ready, hands):
        yield deed


async def carry_out(ready: Prepared, hands: Hands) -> AsyncIterator[Deed]:
    """Send what was prepared and follow it until it is settled or patience ends."""
    sent = await send_first(ready, hands)
    if isinstance(sent, Deed):
        yield await close_journal(sent, ready.deed, hands)
        return
    ready, state = sent
    yield at_state(ready.deed, DeedState.SENT, hands)
    deed = at_state(ready.deed, state, hands)
    if state is DeedState.UNKNOWN:
        await journalled_if_possible(deed, hands)
    yield deed
    await notice.publish(deed, hands.writer)
    async for later in watch_over(ready.engine, deed, hands):
        deed = later
        yield deed
    await close_journal(deed, ready.deed, hands)
