"""What a viewer knows: the rows, the room, the worker's clock, and how the line to the worker is.

The client applies frames to it; screens read it and take what changed since they last looked. All times on the
viewer's side are monotonic seconds that the caller passes in, all times inside the frames are the worker's epoch
seconds: two machines' clocks are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from opsroom.domain.board import Room
from opsroom.domain.rollout import Uid
from opsroom.errors import Unreachable
from opsroom.feed.change import applied
from opsroom.feed.frames import Beat, Delta, Picture
from opsroom.feed.rows import Rows

SET_BACK = 1.0
"""Seconds; a clock that is slewed loses far less between two signs of life."""


class LinkState(StrEnum):
    """How the line to the worker is."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


class Link(msgspec.Struct, frozen=True):
    """The line to the worker, as the client last found it."""

    state: LinkState
    since: float
    """Monotonic seconds."""
    error: str = ""
    """One sentence that names the thing and the fix; empty unless the line is lost."""
    attempts: int = 0
    """Failed attempts since it was last live."""


class News(msgspec.Struct, frozen=True):
    """What changed between two takes."""

    changed: frozenset[Uid] = frozenset()
    """New or changed rows."""
    gone: frozenset[Uid] = frozenset()
    room: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone or self.room)


@dataclass(slots=True)
class Board:
    """The newest complete picture."""

    eager: bool = False
    """Show the first picture while it is still coming in: its loudest rows come first."""
    rows: Rows = field(default_factory=Rows)
    room: Room | None = None
    """None until the first picture."""
    filling: bool = False
    """Whether ``rows`` are the beginning of a first picture whose other parts are on their way."""
    seq: int = 0
    worker_at: float = 0.0
    """The worker's clock when it was last heard, epoch seconds."""
    looked: float = 0.0
    """The worker's clock when it last made a picture (changed or not), epoch seconds."""
    heard: float | None = None
    """Monotonic seconds at which the worker was last heard; None: never."""
    recorded: bool = True
    """Whether somebody writes frames down, from ``latest``: they take much room as they came."""
    latest: tuple[Delta, ...] = ()
    """The parts of the last change, for who writes frames down; none after a whole picture."""
    _changed: set[Uid] = field(default_factory=set)
    _gone: set[Uid] = field(default_factory=set)
    _room_changed: bool = False
    _parts: list[Delta] = field(default_factory=list)
    _coming: Rows | None = None
    """Rows of a picture of which parts are missing."""
    _missing: tuple[type[Picture] | type[Delta], int] | None = None
    """Kind and sequence of the frame of which parts are missing."""
    _restarted: bool = True
    _told: dict[str, float] = field(default_factory=dict)
    """The worker's clock in its last beat and in its last frame: on one line each of the two kinds comes in order."""

    def worker_now(self, now: float) -> float:
        """The worker's clock at monotonic ``now``; measure the ages of sources and scores against this."""
        return self.worker_at + (0.0 if self.heard is None else max(0.0, now - self.heard))

    def age(self, now: float) -> float | None:
        """Seconds since the worker last looked at its world, as far as this viewer can know; None: never."""
        if self.heard is None or self.room is None:
            return None
        return max(0.0, self.worker_now(now) - self.looked)

    def take(self) -> News:
        """What changed since the last take."""
        news = News(frozenset(self._changed), frozenset(self._gone), self._room_changed)
        self._changed, self._gone, self._room_changed = set(), set(), False
        return news

    def hear(self, beat: Beat, now: float) -> None:
        """Note a sign of life."""
        self._hear("beat", beat, now)

    def _hear(self, kind: str, beat: Beat, now: float) -> None:
        # Out of its order only where the worker's clock was set back: then all ages are counted anew.
        if self._restarted or beat.at < self._told.get(kind, 0.0) - SET_BACK:
            self.worker_at = self.looked = 0.0
            self._told.clear()
            self._restarted = False
        self._told[kind] = beat.at
        # A frame that waited in a slow reader's socket is older than the beat before it.
        self.worker_at = max(beat.at, self.worker_now(now) if beat.at < self.worker_at else 0.0)
        self.looked, self.heard = max(self.looked, beat.looked), now

    def apply(self, frame: Picture | Delta, now: float) -> bool:
        """Apply one frame; False while parts of it are missing: a picture is shown when all have come.

        A change is made row by row, and told when all of it has come.

        Raises:
            Unreachable: the frame does not follow what came before: only a new picture helps. Or no row can be so.
        """
        if self._missing is not None and self._missing != (type(frame), frame.seq):
            self._forget_parts()
            raise Unreachable("the feed broke off in the middle of a picture", "It is asked again")
        self._missing = (type(frame), frame.seq) if frame.more else None
        shown = self._fill(frame) if isinstance(frame, Picture) else self._change(frame)
        if not shown:
            return False
        if not frame.more:
            self.seq = frame.seq
        self._room_changed = self._room_changed or frame.room != self.room
        self.room = frame.room
        self._hear("frame", Beat(at=frame.room.at, looked=frame.room.at), now)
        return True

    def restart(self) -> None:
        """A new line, perhaps to another worker: its clock counts; the rows stay until its picture comes."""
        self._forget_parts()
        self._restarted = True

    def _forget_parts(self) -> None:
        self._parts.clear()
        self._missing = self._coming = None

    def _fill(self, part: Picture) -> bool:
        """Take a part of a picture; whether it is to be shown."""
        if self._coming is None:
            first = self.eager and self.room is None
            self.filling = self.filling or first
            self._coming = self.rows if first else self.rows.successor()
        coming = self._coming
        for row in part.rows:
            uid = row.rollout.uid
            coming[uid] = row
            if coming is self.rows:
                self._touch(uid)
        if part.more:
            return coming is self.rows
        self.latest, self._coming, self.filling = (), None, False
        if coming is not self.rows:
            self._replace(coming)
        return True

    def _change(self, part: Delta) -> bool:
        """Make a part of a change; whether it was the last one."""
        if part.since > self.seq or self.room is None:
            raise Unreachable("the feed left something out", "It is asked again")
        rows = self.rows
        try:
            for change in part.changes:
                rows[change.uid] = applied(rows.glance(change.uid), change)
                self._touch(change.uid)
        except (KeyError, ValueError) as error:
            raise Unreachable("the feed changed a row that it never sent", "It is asked again") from error
        for row in part.rows:
            rows[row.rollout.uid] = row
            self._touch(row.rollout.uid)
        for uid in part.gone:
            if rows.pop(uid, None) is not None:
                self._leave(uid)
        if self.recorded:
            self._parts.append(part)
        if part.more:
            return False
        self.latest, self._parts = tuple(self._parts), []
        return True

    def _replace(self, fresh: Rows) -> None:
        for uid in fresh:
            if fresh.differs(self.rows, uid):
                self._touch(uid)
        for uid in self.rows.keys() - fresh.keys():
            self._leave(uid)
        self.rows = fresh

    def _touch(self, uid: Uid) -> None:
        self._changed.add(uid)
        self._gone.discard(uid)

    def _leave(self, uid: Uid) -> None:
        self._gone.add(uid)
        self._changed.discard(uid)
