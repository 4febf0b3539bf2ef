"""The deeds that this worker knows of: its own, and those of people on this machine, read from their journals.

A person's ``opsroom act`` is a process of its own that may outlive its board and our worker; the journal folder is
where it says what it did. Reading goes on where it stopped, line by line, and passes over what it cannot read.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from pathlib import Path

import msgspec

from opsroom.delivery.generations import generations
from opsroom.delivery.journal import Entry
from opsroom.domain.deed import Deed
from opsroom.domain.rollout import Uid

SHOWN = 20
KEPT = 20_000
"""Rollouts whose last deed is remembered."""

FIRST_LOOK = 256 * 1024
"""Bytes of an old journal that are read at the start; older deeds are the journal command's."""

_ENTRY = msgspec.json.Decoder(Entry)


class Deeds:
    """The last deeds, newest first, one line a deed."""

    def __init__(self) -> None:
        self._shown: deque[Deed] = deque(maxlen=SHOWN)
        self._last: OrderedDict[Uid, Deed] = OrderedDict()

    def of(self, uid: Uid) -> Deed | None:
        """The last deed on one rollout."""
        return self._last.get(uid)

    def note(self, deed: Deed) -> None:
        """Take the newest state of a deed."""
        uid = deed.intent.target.uid
        if uid not in self._last or deed.at >= self._last[uid].at:
            self._last[uid] = deed
            self._last.move_to_end(uid)
        if len(self._last) > KEPT:
            self._last.popitem(last=False)
        for index, known in enumerate(self._shown):
            if known.intent.id == deed.intent.id:
                self._shown[index] = deed
                return
        self._shown.appendleft(deed)

    @property
    def latest(self) -> tuple[Deed, ...]:
        """Newest first by the time that is shown of each: that of its last state, not of its beginning."""
        return tuple(sorted(self._shown, key=lambda deed: -deed.at))


class Journals:
    """Follows all journal files in a folder but our own."""

    def __init__(self, folder: Path, own: Path) -> None:
        self._folder = folder
        self._own = own
        self._read: dict[Path, tuple[int, int]] = {}
        """Inode of each file when it was last looked at, and how far it was read."""

    def news(self) -> list[Deed]:
        """Deeds that were written since the last look, oldest first."""
        try:
            files = [path for path in self._folder.glob("*.jsonl") if path != self._own]
        except OSError:
            return []
        return sorted((deed for path in files for deed in self._new_lines(path)), key=lambda deed: deed.at)

    def _new_lines(self, path: Path) -> list[Deed]:
        try:
            now = path.stat()
            inode, start = self._read.get(path, (now.st_ino, max(0, now.st_size - FIRST_LOOK)))
            if (inode, start) == (now.st_ino, now.st_size):
                self._read[path] = inode, start
                return []
            rest: list[Deed] = []
            if inode != now.st_ino:
                # It was full and put aside: what was written to it since stands there.
                aside = next((one for one in generations(path) if one.stat().st_ino == inode), None)
                rest = [] if aside is None else self._from(aside, start)[0]
                start = 0
            found, end = self._from(path, 0 if now.st_size < start else start)
        except OSError:
            return []
        self._read[path] = now.st_ino, end
        return [*rest, *found]

    @staticmethod
    def _from(path: Path, start: int) -> tuple[list[Deed], int]:
        """The deeds of the whole lines after ``start``, and where the last of these lines ends."""
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        whole, end, _ = data.rpartition(b"\n")
        found = []
        for line in whole.split(b"\n"):
            try:
                entry = _ENTRY.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if entry.deed is not None:
                found.append(entry.deed)
        return found, start + len(whole) + len(end)
