"""Reading a recording back: the same frames at the same pace, any pace, or from any moment.

``Replay`` has the client's face (``board``, ``link``, asynchronous iteration), so the screens cannot tell. Opening
reads the file once and keeps only where each member begins; a member is read when it is played.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from opsroom.domain.clean import clean
from opsroom.errors import Unreachable
from opsroom.feed.frames import EVENT_LIMIT, PROTOCOL, Beat, Delta, Hello, Picture, bounded
from opsroom.feed.record import GZIP, Line, RecordingError
from opsroom.feed.state import Board, Link, LinkState

CHUNK = 64 * 1024
"""Compressed bytes at a time: zlib expands at most a thousandfold, so memory stays bounded."""

_LINE = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Member:
    """One stretch of the recording that begins with a whole picture."""

    offset: int
    """Bytes into the file."""
    at: float
    """Epoch seconds of its picture."""


class Replay:
    """A recording as a feed.

    Raises:
        RecordingError: the file cannot be read or is no recording (a torn end is not an error).
    """

    def __init__(self, path: Path, speed: float = 1.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.speed = speed
        self.paused = False
        self.board = Board()
        self._clock = clock
        self._looked = clock()
        self._played = 0.0
        self._steps = 0
        self._standing: float | None = None
        """When the last frame was due: its other parts come at once, even while paused."""
        self.over = False
        """Whether the end of the recording is shown; its clock stands still then."""
        self.link = Link(LinkState.CONNECTING, self.time())
        self._wake = asyncio.Event()
        self._goal: float | None = None
        self.members, self.end = _members(path)

    @property
    def start(self) -> float:
        """Epoch seconds of the first picture."""
        return self.members[0].at

    @property
    def at(self) -> float:
        """Epoch seconds of the recording that are shown now."""
        return min(self.end, self.board.worker_now(self.time())) if self.board.room is not None else self.start

    def time(self) -> float:
        """The clock of this replay: seconds of the recording that were played; it stands still while paused.

        It never goes back: ages in the picture are measured with it, whatever is jumped to.
        """
        now = self._clock()
        if not (self.paused or self.over):
            self._played += (now - self._looked) * self.speed
        self._looked = now
        return self._played

    def pace(self, speed: float) -> None:
        """Play at ``speed`` from here on."""
        self.time()
        self.speed = speed
        self._wake.set()

    def step(self) -> None:
        """Stand still, one picture further."""
        self.time()
        self.paused = True
        self._steps += 1
        self._wake.set()

    def seek(self, at: float) -> None:
        """Go on from the last frame at or before ``at`` (epoch seconds)."""
        self._goal = min(max(at, self.start), self.end)
        self._wake.set()

    def pause(self, paused: bool = True) -> None:
        """Stand still, or go on."""
        self.time()
        self.paused, self._steps = paused, 0
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Link | Picture | Delta | Beat]:
        """The frames at their pace; at the end the last picture stays and ``link`` says so."""
        self._goal = self.start
        while True:
            goal, self._goal = self._goal, None
            self.time()
            self.over, self._standing = False, None
            self.board.restart()
            live = False
            async for frame in self._play(self.start if goal is None else goal):
                if not live:
                    live = True
                    self.link = Link(LinkState.LIVE, self.time())
                    yield self.link
                yield frame
            if self._goal is None:
                self.time()
                self.over = True
                self.link = Link(LinkState.LOST, self.time(), f"The recording {self.path.name} ends here")
                yield self.link
                while self._goal is None:
                    await self._woken(None)

    async def _play(self, goal: float) -> AsyncIterator[Picture | Delta]:
        """From ``goal`` to the end, or until somebody seeks: first what stood at ``goal``, then each frame in time."""
        latest: Picture | Delta | None = None
        began: float | None = None
        for line in self._lines(goal):
            if isinstance(line.frame, Hello):
                continue
            if line.at > goal:
                if latest is not None:
                    yield latest
                    latest = None
                began = self.time() if began is None else began
                if not await self._until(began + line.at - goal):
                    return
            try:
                shown = self.board.apply(line.frame, self.time())
            except Unreachable as error:
                raise RecordingError(
                    f"{self.path} does not hold together: {error.message}", "Begin behind that place"
                ) from error
            if shown:
                if line.at > goal:
                    yield line.frame
                else:
                    latest = line.frame
        if latest is not None:
            yield latest

    async def _until(self, due: float) -> bool:
        """Wait until ``due`` on the replay's clock; False when somebody seeks meanwhile."""
        if self._standing == due:
            return self._goal is None
        while self._goal is None and (self.paused or self.time() < due):
            if self.paused and self._steps:
                self._steps -= 1
                self._played = max(self._played, due)
                break
            left = due - self.time()
            await self._woken(None if self.paused or self.speed <= 0 else left / self.speed)
        self._standing = due
        # A replay that is behind its time must leave the screen time to take keys.
        await asyncio.sleep(0)
        return self._goal is None

    async def _woken(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _lines(self, goal: float) -> Iterator[Line]:
        index = max(0, bisect_right([m.at for m in self.members], goal) - 1)
        with self.path.open("rb") as file:
            for member in self.members[index:]:
                file.seek(member.offset)
                yield from _member_lines(file)


def recorded(path: Path) -> Iterator[tuple[int, Line]]:
    """Every line of a recording, with the place in the file at which its member begins.

    Raises:
        RecordingError: the file cannot be read or is no recording.
    """
    try:
        with path.open("rb") as file:
            offset: int | None = 0
            while offset is not None:
                file.seek(offset)
                reader = _MemberReader(file)
                for data in reader.lines():
                    yield offset, _decoded(path, data)
                offset = reader.next_offset
    except OSError as error:
        raise RecordingError(f"cannot read {path} ({error.strerror})", "Name a file made with --record") from error


def _members(path: Path) -> tuple[list[Member], float]:
    """Where the members begin, and when the recording ends."""
    found: list[Member] = []
    end = 0.0
    for offset, line in recorded(path):
        end = max(end, line.at)
        if isinstance(line.frame, Picture) and (not found or found[-1].offset != offset):
            found.append(Member(offset, line.at))
    if not found:
        raise RecordingError(f"{path} holds no picture", "Name a file made with --record")
    return found, end


def _decoded(path: Path, data: bytes) -> Line:
    try:
        line = _LINE.decode(data)
        bounded(line.frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise RecordingError(
            f"{path} is no recording ({clean(error, 200)})", "Name a file made with --record"
        ) from error
    if isinstance(line.frame, Hello) and line.frame.protocol != PROTOCOL:
        raise RecordingError(
            f"{path} was recorded with protocol {line.frame.protocol}, this opsroom reads {PROTOCOL}",
            f"Replay it with opsroom {clean(line.frame.version, 20) or 'of its time'}",
        )
    return line


def _member_lines(file: BinaryIO) -> Iterator[Line]:
    for data in _MemberReader(file).lines():
        yield _LINE.decode(data)


class _MemberReader:
    """Reads the lines of one gzip member from the file's present place."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.next_offset: int | None = None
        """Where the next member begins; None at the (possibly torn) end."""

    def lines(self) -> Iterator[bytes]:
        """Whole lines only.

        Raises:
            RecordingError: not gzip, or a line longer than any frame.
        """
        zipped = zlib.decompressobj(wbits=GZIP)
        rest = b""
        while not zipped.eof:
            data = self._file.read(CHUNK)
            if not data:
                return
            try:
                rest += zipped.decompress(data)
            except zlib.error as error:
                raise RecordingError(f"the recording is damaged ({error})", "Name a file made with --record") from error
            *whole, rest = rest.split(b"\n")
            yield from whole
            if len(rest) > EVENT_LIMIT * 4:
                raise RecordingError("the recording has a line that is longer than any frame")
        here = self._file.tell() - len(zipped.unused_data)
        more = zipped.unused_data or self._file.read(1)
        self.next_offset = here if more else None
