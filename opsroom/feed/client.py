"""The viewer's end of the feed: keeps a ``Board`` up to date and never gives up.

A lost line is a state with a sentence, not an exception: the client says so, waits a little longer each time (with
jitter, so that fifty viewers do not come back at one instant) and calls again for ever. Light on purpose: asyncio,
h11 and msgspec, nothing else (the terminal's process imports it).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from urllib.parse import urlencode

import msgspec

from opsroom import __version__
from opsroom.clock import awake_or_not
from opsroom.domain.clean import clean
from opsroom.errors import OpsroomError, Unreachable
from opsroom.feed.address import Address, parse
from opsroom.feed.frames import (
    BREATH_SECONDS,
    NAMESPACE,
    WORK_SECONDS,
    Beat,
    Delta,
    Hello,
    NoFrame,
    Picture,
    Sealed,
    SealedDelta,
    bounded,
    decode,
    opened,
    ours,
    read_beat,
)
from opsroom.feed.state import Board, Link, LinkState
from opsroom.feed.stream import BODY_LIMIT, EventReader, Line, Token

SILENCE_SECONDS = 10.0
"""Five beats missed: the line is lost, whatever TCP says."""

FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0
LONGEST_LOCAL_WAIT = 1.0
"""A worker on this machine is about to start more often than not, and a refused connection costs nothing."""


class FeedClient:
    """One viewer.

    ``async for told in client`` never ends by itself: ``told`` is a ``Link`` (the state of the line changed), a
    ``Picture`` or ``Delta`` (already applied to ``board``), or a ``Beat``.
    """

    def __init__(
        self,
        address: str | Address,
        token: Token | None = None,
        *,
        clock: Callable[[], float] = awake_or_not,
        silence: float = SILENCE_SECONDS,
        eager: bool = False,
        namespaces: Sequence[str] = (),
    ) -> None:
        """With ``eager`` the parts of the first picture are told one by one (see ``Board.eager``).

        ``namespaces``: no more than these of what the feed shows; all of it where there are none.
        """
        self.address = parse(address) if isinstance(address, str) else address
        self.board = Board(eager=eager)
        self.link = Link(LinkState.CONNECTING, clock())
        self._token = token
        self._namespaces = namespaces
        self._clock = clock
        self._silence = silence
        self._theirs = ""
        """The version that the worker says it is of."""
        self._jitter = random.Random()  # noqa: S311 - spreads calls, guards nothing

    async def __aiter__(self) -> AsyncIterator[Link | Picture | Delta | Beat]:
        attempts = 0
        while True:
            yield self._move(LinkState.CONNECTING, self.link.error, attempts)
            line: Line | None = None
            try:
                line = await Line.open(self.address)
                self.board.restart()
                async for told in self._listen(line):
                    if self.link.state is not LinkState.LIVE and isinstance(told, Picture):
                        attempts = 0
                        yield self._move(LinkState.LIVE)
                    yield told
                error: OpsroomError = Unreachable(f"the worker at {self.address} ended the feed")
            except NoFrame as raised:
                error = self._of_another_version(raised)
            except OpsroomError as raised:
                error = raised
            finally:
                if line is not None:
                    await line.close()
            attempts += 1
            yield self._move(LinkState.LOST, str(error), attempts)
            await asyncio.sleep(self._wait(attempts))

    async def _listen(self, line: Line) -> AsyncIterator[Picture | Delta | Beat]:
        await line.ask(_asking("/feed", self._namespaces), await _given(self._token), self._silence)
        events = EventReader()
        self._theirs = ""
        greeted, size = False, 0
        held: list[Sealed] = []
        async for piece in line.body(self._silence):
            for data, comment in events.push(piece):
                if comment:
                    beat = read_beat(comment)
                    if beat is not None:
                        self.board.hear(beat, self._clock())
                        yield beat
                    continue
                frame = decode(data)
                if isinstance(frame, Hello):
                    greeted, self._theirs = True, clean(frame.version, 20)
                    continue
                if not greeted:
                    raise Unreachable(f"what answers at {self.address} is no opsroom feed", "Is the address right?")
                size = size + len(data) if frame.more else 0
                if size > BODY_LIMIT:
                    raise Unreachable(f"the picture at {self.address} is larger than {BODY_LIMIT // 2**20} MiB")
                held.append(frame)
                if frame.more and isinstance(frame, SealedDelta):
                    continue
                told = await self._apply(held)
                if told is not None:
                    yield told
                if frame.more:
                    await asyncio.sleep(BREATH_SECONDS)

    async def _apply(self, held: list[Sealed]) -> Picture | Delta | None:
        """Apply a part of a picture, or a change of which all has come; None while nothing is to be shown of it."""
        told = None
        loop = asyncio.get_running_loop()
        since = loop.time()
        while held:
            for frame in opened(held.pop(0)):
                if self.board.apply(frame, self._clock()):
                    told = frame
                if isinstance(frame, Delta) and loop.time() - since > WORK_SECONDS:
                    await asyncio.sleep(BREATH_SECONDS)
                    since = loop.time()
        return told

    def _of_another_version(self, error: NoFrame) -> OpsroomError:
        """``error`` with what is most likely behind it: optional fields may be new, codes in old ones not."""
        if self._theirs in ("", __version__):
            return error
        return Unreachable(
            f"the worker at {self.address} is opsroom {self._theirs}, this is {__version__}: {error.message}",
            "Use the same version on both sides",
        )

    def _move(self, state: LinkState, error: str = "", attempts: int = 0) -> Link:
        since = self.link.since if self.link.state is state else self._clock()
        self.link = Link(state, since, error if state is not LinkState.LIVE else "", attempts)
        return self.link

    def _wait(self, attempts: int) -> float:
        longest: float = min(
            LONGEST_LOCAL_WAIT if self.address.path else LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 10)
        )
        return longest * self._jitter.uniform(0.5, 1.0)


def _asking(path: str, namespaces: Sequence[str]) -> str:
    return path + (f"?{urlencode([(NAMESPACE, name) for name in namespaces])}" if namespaces else "")


async def _given(token: Token | None) -> str:
    """A keyring asks a service of the desktop, and perhaps a person: keys must not wait for that."""
    return await asyncio.to_thread(token) if token is not None else ""


_PICTURE = msgspec.json.Decoder(Picture)


async def fetch_picture(
    address: str | Address,
    token: Token | None = None,
    silence: float = SILENCE_SECONDS,
    namespaces: Sequence[str] = (),
) -> Picture:
    """One whole picture, for ``ls`` and ``show``; of no more than ``namespaces``, where there are any.

    Raises:
        Unreachable: no worker answers there, or what answers is no feed. Unauthorized, NotPermitted: it refuses.
    """
    where = parse(address) if isinstance(address, str) else address
    line = await Line.open(where)
    body = bytearray()
    try:
        await line.ask(_asking("/picture", namespaces), await _given(token), silence)
        async for piece in line.body(silence):
            body += piece
            if len(body) > BODY_LIMIT:
                raise Unreachable(f"the picture at {where} is larger than {BODY_LIMIT // 2**20} MiB")
    finally:
        await line.close()
    with ours(f"what answers at {where} is no opsroom feed"):
        picture = _PICTURE.decode(body)
        bounded(picture)
    return picture
