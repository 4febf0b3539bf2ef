"""What a viewer knows: the rows, the room, the worker's clock, and how the line to the worker is.

The client applies frames to it; screens read it and take what changed since they last looked. All times on the
viewer's side are monotonic seconds that the caller passes in, all times inside the frames are the worker's epoch
seconds: two machines' clocks are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Uid
from opsroom.errors import Unreachable
from opsroom.feed.change import applied
from opsroom.feed.frames import Beat, Delta, Picture


class LinkState(StrEnum):
    """How the line to the worker is."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the worker, as the client last found it."""

    state: LinkState
    since: float
    """Monotonic seconds."""
    error: str = ""
    """One sentence that names the thing and the fix; empty unless the line is lost."""
    attempts: int = 0
    """Failed attempts since it was last live."""


@dataclass(frozen=True, slots=True)
class News:
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

    rows: dict[Uid, Row] = field(default_factory=dict)
    room: Room | None = None
    """None until the first picture."""
    seq: int = 0
    worker_at: float = 0.0
    """The worker's clock when it was last heard, epoch seconds."""
    looked: float = 0.0
    """The worker's clock when it last made a picture (changed or not), epoch seconds."""
    heard: float | None = None
    """Monotonic seconds at which the worker was last heard; None: never."""
    latest: tuple[Picture | Delta, ...] = ()
    """The parts of the last complete frame, for who writes frames down."""
    _changed: set[Uid] = field(default_factory=set)
    _gone: set[Uid] = field(default_factory=set)
    _room_changed: bool = False
    _parts: list[Picture | Delta] = field(default_factory=list)
    _restarted: bool = True

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
        if self._restarted:
            self.worker_at = self.looked = 0.0
            self._restarted = False
        # A frame that waited in a slow reader's socket is older than the beat before it.
        self.worker_at = max(beat.at, self.worker_now(now) if beat.at < self.worker_at else 0.0)
        self.looked, self.heard = max(self.looked, beat.looked), now

    def apply(self, frame: Picture | Delta, now: float) -> bool:
        """Apply one frame; False while parts of it are missing (nothing is shown of it until then).

        Raises:
            Unreachable: the frame does not follow what came before; only a new picture helps.
        """
        if self._parts and (type(self._parts[0]) is not type(frame) or self._parts[0].seq != frame.seq):
            self._parts.clear()
            raise Unreachable("the feed broke off in the middle of a picture", "It is asked again")
        self._parts.append(frame)
        if frame.more:
            return False
        parts, self._parts = self._parts, []
        self.latest = tuple(parts)
        if isinstance(frame, Picture):
            self._replace([row for part in parts for row in part.rows])
        else:
            self._merge([part for part in parts if isinstance(part, Delta)])
        self.seq = frame.seq
        self._room_changed = self._room_changed or frame.room != self.room
        self.room = frame.room
        self.hear(Beat(at=frame.room.at, looked=frame.room.at), now)
        return True

    def restart(self) -> None:
        """A new line, perhaps to another worker: its clock counts; the rows stay until its picture comes."""
        self._parts.clear()
        self._restarted = True

    def _replace(self, rows: list[Row]) -> None:
        fresh = {row.rollout.uid: row for row in rows}
        for uid, row in fresh.items():
            if self.rows.get(uid) != row:
                self._touch(uid)
        for uid in self.rows.keys() - fresh.keys():
            self._leave(uid)
        self.rows = fresh

    def _merge(self, parts: list[Delta]) -> None:
        if parts[0].since > self.seq or self.room is None:
            raise Unreachable("the feed left something out", "It is asked again")
        try:
            for part in parts:
                for change in part.changes:
                    self.rows[change.uid] = applied(self.rows[change.uid], change)
                    self._touch(change.uid)
                for row in part.rows:
                    self.rows[row.rollout.uid] = row
                    self._touch(row.rollout.uid)
                for uid in part.gone:
                    if self.rows.pop(uid, None) is not None:
                        self._leave(uid)
        except (KeyError, ValueError) as error:
            raise Unreachable("the feed changed a row that it never sent", "It is asked again") from error

    def _touch(self, uid: Uid) -> None:
        self._changed.add(uid)
        self._gone.discard(uid)

    def _leave(self, uid: Uid) -> None:
        self._gone.add(uid)
        self._changed.discard(uid)
