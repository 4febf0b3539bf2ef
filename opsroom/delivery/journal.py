"""The journal: who did what and what came of it, as append-only JSON Lines chained by hashes.

Each line holds the SHA-256 of the line before it, so a line that was changed or taken out shows. A line is flushed to
the disk before the deed it speaks of is sent. A crash may tear the last line; the next writer goes on after it and
chains to the torn text, which ``verify`` reports as torn, not as tampering. One file a writer (a lock keeps the
children of one operator apart), put aside when it is full; it never holds secrets, because intents have none.
"""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from opsroom.delivery.generations import before, generations, put_aside
from opsroom.domain.decision import Decision
from opsroom.domain.deed import Deed
from opsroom.errors import JournalError

FULL = 64 * 1024 * 1024
"""Bytes at which a file is put aside and another one begun."""

_TAIL = 1 << 16


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line."""

    at: float
    """Epoch seconds."""
    writer: str
    """Identity of the process that wrote it."""
    prev: str = ""
    """SHA-256 (hex) of the line before it; empty for the first."""
    deed: Deed | None = None
    decision: Decision | None = None
    rollout: str = ""
    """``namespace/name``, where the line speaks of one."""
    note: str = ""
    """A code: ``begun``, ``lease_taken``, ``frozen``, …"""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A line that does not hold."""

    path: str
    line: int
    """1-based."""
    kind: str
    """``torn`` (a crash), ``unreadable``, ``broken_chain`` or ``cut_off`` (the file before this one is not there)."""


class Record(Protocol):
    """What deeds need of a journal."""

    def write(self, entry: Entry) -> None:
        """Append ``entry`` and flush it to the disk; raises JournalError."""
        ...


class Journal:
    """Appends to one file; to the next one when it is full."""

    def __init__(self, path: Path, writer: str, full: int = FULL) -> None:
        self.path = path
        self.writer = writer
        self._full = full

    def write(self, entry: Entry) -> None:
        """Append ``entry`` (its ``prev`` and ``writer`` are filled in) and flush it to the disk.

        Raises:
            JournalError: the disk is full, the folder is missing or not ours, …
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            while not self._written(entry):
                pass
        except OSError as error:
            raise JournalError(
                f"The journal {self.path} cannot be written: {error.strerror or error}", "Free or mount its disk"
            ) from error

    def _written(self, entry: Entry) -> bool:
        """Append to the file as it is now; False when another one has to be begun (by us, or somebody has)."""
        created = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not self._is_at_our_path(handle):
                return False
            if os.fstat(handle).st_size >= self._full:
                put_aside(self.path)
                _flush_folder(self.path.parent)
                return False
            self._append(handle, entry)
        finally:
            os.close(handle)
        if created:
            _flush_folder(self.path.parent)
        return True

    def _is_at_our_path(self, handle: int) -> bool:
        """Whether the file was not put aside while we waited for its lock."""
        mine = os.fstat(handle)
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def _append(self, handle: int, entry: Entry) -> None:
        last, whole = _last_line(handle)
        if not last:
            last = _last_of(before(self.path))
        full = msgspec.structs.replace(entry, prev=_digest(last) if last else "", writer=entry.writer or self.writer)
        data = (b"" if whole else b"\n") + msgspec.json.encode(full) + b"\n"
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_line(handle: int) -> tuple[bytes, bool]:
    """The last line without its end, and whether it has one (True for an empty file)."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end == 0:
        return b"", True
    span = _TAIL
    while True:
        start = max(0, end - span)
        data = os.pread(handle, end - start, start)
        lines = data.removesuffix(b"\n").rsplit(b"\n", 1)
        if len(lines) > 1 or start == 0:
            return lines[-1], data.endswith(b"\n")
        span *= 4


def _last_of(path: Path | None) -> bytes:
    """The last line of the file before the one that is begun; empty where there is none."""
    if path is None:
        return b""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _last_line(handle)[0]
    finally:
        os.close(handle)


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def read(path: Path) -> Iterator[Entry]:
    """The entries of one file, oldest first; what cannot be read is passed over (``verify`` names it).

    Raises:
        JournalError: the file cannot be read at all.
    """
    for line in _lines(path):
        try:
            yield msgspec.json.decode(line, type=Entry)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue


def read_recent(path: Path) -> Iterator[Entry]:
    """The entries of the file at ``path`` and of the one before it; raises JournalError."""
    for file in generations(path)[-2:]:
        yield from read(file)


def merged(paths: Iterable[Path]) -> Iterator[Entry]:
    """The entries of several files in the order of their times; those of one file as it has them.

    Raises:
        JournalError: one of the files cannot be read at all.
    """
    return heapq.merge(*map(read, paths), key=lambda entry: entry.at)


def verify(path: Path) -> list[Fault]:
    """Every line that does not hold; empty when the chain is whole, also from the file before this one."""
    faults: list[Fault] = []
    lines = list(_lines(path))
    former = before(path)
    tail = deque(_lines(former) if former is not None else (), maxlen=1)
    last = tail[0] if tail else None
    for number, line in enumerate(lines, 1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            torn = number == len(lines) or _names(lines[number], line)
            faults.append(Fault(path=str(path), line=number, kind="torn" if torn else "unreadable"))
        else:
            if entry.prev != ("" if last is None else _digest(last)):
                lost = number == 1 and last is None
                faults.append(Fault(path=str(path), line=number, kind="cut_off" if lost else "broken_chain"))
        last = line
    return faults


def _names(following: bytes, line: bytes) -> bool:
    """Whether the writer after ``line`` saw it as it stands: then it was torn, and nobody has changed it since."""
    return f'"prev":"{_digest(line)}"'.encode() in following


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read: {error.strerror or error}") from error
