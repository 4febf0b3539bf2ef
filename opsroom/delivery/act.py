"""A deed by a person, as a process of its own: with the operator's credentials, and able to be stopped.

The board starts it when a key is pressed: while the countdown runs it loads the client, checks the rights, looks at
the target afresh and writes the journal's first line; it sends on the line ``go``. End of input, any other line or
SIGTERM before that cancels. It works when no worker is alive. The command line runs the same deed without waiting.
It must not know screens: it speaks JSON lines of ``Deed``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from opsroom.delivery.deliver import carry_out
from opsroom.delivery.doors import Now
from opsroom.delivery.hands import Hands, Prepared, cancel, close_journal, refuse, refused_by
from opsroom.delivery.prepare import prepare
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb
from opsroom.errors import NotPermitted, OpsroomError, Unreachable, UsageError, WaitingError

GO = b"go"

Stop = asyncio.Future[Literal[True]]
Emit = Callable[[Deed], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """A deed by a person, before there is a connection."""

    connect: Callable[[], Awaitable[Hands]]
    """Opens the cluster with this person's credentials; raises types of ``opsroom.errors``."""
    emit: Emit
    now: Now = time.time
    """Epoch seconds, for a deed that never got hands."""


async def act(stdin: asyncio.StreamReader, setting: Setting) -> int:
    """One deed from ``stdin``: an ``Intent`` as JSON on the first line, then ``go``. Returns the exit code.

    Raises:
        UsageError: the first line is no intent.
    """
    line = await _line(stdin)
    try:
        intent = msgspec.json.decode(line, type=Intent)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f"The intent on standard input cannot be read: {error}", "See opsroom act --help") from error
    word = asyncio.ensure_future(_line(stdin))
    try:
        return await _begin(intent, setting, word)
    finally:
        word.cancel()


async def run_deed(intent: Intent, setting: Setting) -> int:
    """The same deed at once, for ``opsroom promote|rollback|hold|flag``. Returns the exit code.

    ctrl+c is a signal like any other: before the request it stops the deed, after it only the following.
    """
    said: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    said.set_result(GO)
    return await _begin(intent, setting, said)


async def _begin(intent: Intent, setting: Setting, word: asyncio.Future[bytes]) -> int:
    stop = asyncio.Event()
    with _signals(stop):
        stopped = asyncio.ensure_future(stop.wait())
        try:
            return await _act(intent, setting, word, stopped)
        finally:
            stopped.cancel()


async def _line(stdin: asyncio.StreamReader) -> bytes:
    """The next line; empty for one that is longer than any of ours (the stream's limit)."""
    try:
        return await stdin.readline()
    except ValueError:
        return b""


async def _act(intent: Intent, setting: Setting, word: asyncio.Future[bytes], stopped: Stop) -> int:
    ready = await _ready(intent, setting, stopped)
    if isinstance(ready, Deed):
        return _end(ready, setting)
    prepared, hands = ready
    setting.emit(prepared.deed)
    await asyncio.wait((word, stopped), return_when=asyncio.FIRST_COMPLETED)
    if stopped.done() or word.result().strip() != GO:
        return _end(await cancel(prepared, hands), setting)
    return await _send(prepared, replace(hands, stopped=stopped.done), setting, stopped)


async def _ready(intent: Intent, setting: Setting, stopped: Stop) -> tuple[Prepared, Hands] | Deed:
    connecting = asyncio.ensure_future(setting.connect())
    try:
        await asyncio.wait((connecting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            return Deed(intent=intent, state=DeedState.CANCELLED, at=setting.now())
        hands = connecting.result()
    except OpsroomError as error:
        refused = refused_by(error)
        return Deed(
            intent=intent,
            state=DeedState.REFUSED,
            at=setting.now(),
            refusal=refused.refusal,
            detail=refused.detail,
        )
    finally:
        connecting.cancel()
    # Who acts is what the cluster says, not what the screen believed.
    intent = msgspec.structs.replace(intent, actor=hands.user or intent.actor, automatic=False, fencing=None)
    try:
        prepared = await prepare(intent, hands)
    except OpsroomError as error:
        return refuse(intent, refused_by(error), hands)
    return prepared if isinstance(prepared, Deed) else (prepared, hands)


async def _send(prepared: Prepared, hands: Hands, setting: Setting, stopped: Stop) -> int:
    """Send and follow. Once sent, a signal only ends the following: the deed is left to be settled."""
    last = prepared.deed
    async with contextlib.aclosing(_stoppable(carry_out(prepared, hands), stopped)) as states:
        async for deed in states:
            last = deed
            setting.emit(deed)
    if stopped.done() and not last.state.settled:
        await close_journal(last, prepared.deed, hands)
    return exit_code(last)


async def _stoppable(states: AsyncIterator[Deed], stopped: Stop) -> AsyncGenerator[Deed, None]:
    """``states`` until ``stopped``, but never before the request was answered."""
    answered = False
    while True:
        following = asyncio.ensure_future(anext(states, None))
        await asyncio.wait((following, stopped) if answered else (following,), return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
            return
        deed = following.result()
        if deed is None:
            return
        answered = deed.state is not DeedState.SENT
        yield deed


def _end(deed: Deed, setting: Setting) -> int:
    setting.emit(deed)
    return exit_code(deed)


def exit_code(deed: Deed) -> int:
    """0 done, 1 not done, 3 approved and left to a second person, 4 not permitted, 5 unreachable."""
    if deed.state in (DeedState.DONE, DeedState.SEEN):
        return WaitingError.exit_code if deed.intent.verb is Verb.APPROVE else 0
    if deed.refusal in (Refusal.NO_RIGHT, Refusal.UNAUTHORIZED, Refusal.READ_ONLY):
        return NotPermitted.exit_code
    return Unreachable.exit_code if deed.refusal is Refusal.UNREACHABLE else 1


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP set ``stop`` while this is open."""
    loop = asyncio.get_running_loop()
    taken = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Not in the main thread, or not on this platform: end of input still cancels.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
