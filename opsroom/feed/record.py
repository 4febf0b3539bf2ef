"""A recording: everything one viewer saw, with times, in an append-only file.

gzip members of JSON lines. Each member begins with a whole picture, so a replay can start at any of them, and each
line is flushed, so a recording that was cut off (kill -9, full disk) loses its last line at most. ``zcat FILE`` shows
it. A line is ``{"at": worker's epoch seconds, "frame": ...}``; the first line of the file is the hello.
What looks like a secret is masked before it is written; names are masked in a copy (``shared_copy``).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from opsroom import __version__
from opsroom.domain.board import Room
from opsroom.domain.masking import without_secrets
from opsroom.errors import OpsroomError
from opsroom.feed.frames import PART_ROWS, Frame, Hello, Picture
from opsroom.feed.state import Board

MEMBER_SECONDS = 30.0
"""A whole picture this often: the most that a jump in a replay has to read and apply."""

GZIP = 31
"""zlib's ``wbits`` for the gzip format with the largest window."""


class RecordingError(OpsroomError):
    """A recording cannot be written or read."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a recording."""

    at: float
    """The worker's epoch seconds."""
    frame: Frame


class Recorder:
    """Writes what a viewer's board shows."""

    def __init__(self, path: Path) -> None:
        """Open a new file.

        Raises:
            RecordingError: it exists already or cannot be made.
        """
        self.path = path
        self._zip = zlib.compressobj(wbits=GZIP)
        self._member: float | None = None
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise RecordingError(f"{path} exists already", "Name a new file for the recording") from error
        except OSError as error:
            raise RecordingError(f"cannot record into {path} ({error.strerror})", "Name another file") from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def note(self, board: Board) -> None:
        """Write the frame that was just applied to ``board``, in all its parts.

        Raises:
            RecordingError: the disk is full or gone.
        """
        if board.room is None:
            return
        at = board.room.at
        parts: Iterable[Frame] = board.latest or _whole(board, board.room)
        if self._member is None or not 0 <= at - self._member < MEMBER_SECONDS:
            self._next_member(at)
            parts = _whole(board, board.room)
        for part in parts:
            self._write(Line(at=at, frame=part))

    def close(self) -> None:
        """End the file; twice does no harm.

        Raises:
            RecordingError: the disk is full or gone.
        """
        if self._file.closed:
            return
        try:
            self._put(self._zip.flush(zlib.Z_FINISH))
        finally:
            self._file.close()

    def _next_member(self, at: float) -> None:
        first = self._member is None
        if not first:
            self._put(self._zip.flush(zlib.Z_FINISH))
            self._zip = zlib.compressobj(wbits=GZIP)
        self._member = at
        if first:
            self._write(Line(at=at, frame=Hello(version=__version__)))

    def _write(self, line: Line) -> None:
        data = without_secrets(msgspec.json.encode(line)) + b"\n"
        self._put(self._zip.compress(data) + self._zip.flush(zlib.Z_SYNC_FLUSH))

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise RecordingError(f"cannot record into {self.path} ({error.strerror})", "Free some space") from error


def _whole(board: Board, room: Room) -> Iterator[Frame]:
    """What ``board`` shows as one picture, in parts that are quickly decoded."""
    rows, left = iter(board.rows.values()), len(board.rows)
    while True:
        left -= PART_ROWS
        yield Picture(seq=board.seq, room=room, rows=tuple(islice(rows, PART_ROWS)), more=left > 0)
        if left <= 0:
            return
