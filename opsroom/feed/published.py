"""What viewers may see, kept by sequence and encoded once for all of them.

The worker publishes; each viewer asks for what it has not seen. A row is encoded when the first viewer needs it and
the bytes serve everybody else, so fifty viewers cost hardly more than one. It must not know how bytes travel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import msgspec

from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Uid
from opsroom.feed.change import difference
from opsroom.feed.frames import PART_ROWS, encode

GONE_KEPT = 10_000
"""Departures remembered; a viewer that missed more gets a new picture."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches, and what of it all they may see."""

    name: str = ""
    namespaces: frozenset[str] | None = None
    """None: all."""

    def sees(self, namespace: str) -> bool:
        """Whether this viewer may know of anything in ``namespace``."""
        return self.namespaces is None or namespace in self.namespaces

    def only(self, namespaces: Iterable[str]) -> Viewer:
        """The same viewer, who wants to see no more than these; all they may see where there are none."""
        wanted = frozenset(namespaces)
        if not wanted:
            return self
        return Viewer(self.name, wanted if self.namespaces is None else wanted & self.namespaces)


@dataclass(slots=True)
class _Shown:
    """One row as it is published."""

    row: Row
    seq: int
    """At which this version came."""
    before: Row | None = None
    """The version it replaced."""
    whole: msgspec.Raw | None = None
    change: msgspec.Raw | None = None
    place: tuple[int, float] | None = None

    def loudness(self) -> tuple[int, float]:
        """The order of the board: a viewer draws the first part of a large picture while the others come in."""
        if self.place is None:
            row = self.row
            self.place = (-row.severity, (row.flag.since if row.flag else row.rollout.started) or 0.0)
        return self.place

    def encoded(self) -> msgspec.Raw:
        if self.whole is None:
            self.whole = msgspec.Raw(encode(self.row))
        return self.whole

    def difference(self) -> msgspec.Raw:
        if self.change is None:
            assert self.before is not None  # noqa: S101 - for the type checker; callers test it
            self.change = msgspec.Raw(encode(difference(self.before, self.row)))
        return self.change


class _Frames:
    """Frames that are made when the first viewer comes to them, and kept for the others."""

    def __init__(self, made: Iterator[bytes]) -> None:
        self._made = made
        self._kept: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        for at in count():
            if at == len(self._kept):
                frame = next(self._made, None)
                if frame is None:
                    return
                self._kept.append(frame)
            yield self._kept[at]


class _RawPicture(msgspec.Struct, kw_only=True, omit_defaults=True, tag="picture"):
    seq: int
    room: msgspec.Raw
    rows: list[msgspec.Raw] = []
    more: bool = False


class _RawDelta(msgspec.Struct, kw_only=True, omit_defaults=True, tag="delta"):
    seq: int
    since: int
    room: msgspec.Raw
    rows: list[msgspec.Raw] = []
    changes: list[msgspec.Raw] = []
    gone: list[Uid] = []
    more: bool = False


@dataclass(slots=True)
class Published:
    """The newest picture, and enough of the past to tell a viewer what it missed."""

    seq: int = 0
    """0 until the first publication."""
    room: Room | None = None
    looked: float = 0.0
    _rows: dict[Uid, _Shown] = field(default_factory=dict)
    _gone: dict[Uid, tuple[int, str]] = field(default_factory=dict)
    _floor: int = 0
    """Departures up to this sequence are forgotten."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _cache: dict[tuple[int, frozenset[str] | None], _Frames] = field(default_factory=dict)

    def publish(self, room: Room, rows: Iterable[Row]) -> None:
        """Replace the picture; rows equal to what they were cost nothing on the wire."""
        self.seq += 1
        self.room, self.looked = room, room.at
        seen: dict[Uid, _Shown] = {}
        for row in rows:
            uid = row.rollout.uid
            shown = self._rows.pop(uid, None)
            if shown is None:
                shown = _Shown(row, self.seq)
                self._gone.pop(uid, None)
            elif shown.row is not row and shown.row != row:
                shown = _Shown(row, self.seq, before=shown.row)
            elif shown.before is not None:
                shown.before = shown.change = None
            seen[uid] = shown
        for uid, left in self._rows.items():
            self._gone[uid] = (self.seq, left.row.rollout.namespace)
        while len(self._gone) > GONE_KEPT:
            self._floor = max(self._floor, self._gone.pop(next(iter(self._gone)))[0])
        self._rows = seen
        self._cache.clear()
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def newer_than(self, seq: int, seconds: float) -> bool:
        """Wait until there is something newer than ``seq``; False when ``seconds`` passed without."""
        if self.seq > seq:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def frames_since(self, seq: int, viewer: Viewer) -> Iterable[bytes]:
        """The encoded frame(s) that take ``viewer`` from ``seq`` (0: from nothing) to now, whatever is published later.

        A picture's are encoded one by one as they are taken: the first need not wait for the last.
        """
        key = (seq, viewer.namespaces)
        found = self._cache.get(key)
        if found is None:
            if seq <= self._floor:
                waiting = sorted(self._visible(viewer), key=_Shown.loudness)
                found = _Frames(_picture(self.seq, self._room(viewer), waiting))
            else:
                # At once: what a row was before is forgotten at the next publication.
                found = _Frames(iter(list(self._delta(seq, viewer))))
            self._cache[key] = found
        return found

    def picture(self, viewer: Viewer) -> bytes:
        """Everything, in one frame; empty before the first publication."""
        if self.room is None:
            return b""
        rows = [shown.encoded() for shown in self._visible(viewer)]
        return encode(_RawPicture(seq=self.seq, room=self._room(viewer), rows=rows))

    def rows(self) -> list[Row]:
        """The rows as they were last published."""
        return [shown.row for shown in self._rows.values()]

    def _visible(self, viewer: Viewer) -> Iterator[_Shown]:
        return (shown for shown in self._rows.values() if viewer.sees(shown.row.rollout.namespace))

    def _delta(self, since: int, viewer: Viewer) -> Iterator[bytes]:
        room = self._room(viewer)
        gone = [uid for uid, (at, space) in self._gone.items() if at > since and viewer.sees(space)]
        news = [shown for shown in self._visible(viewer) if shown.seq > since]
        for start in range(0, max(1, len(news)), PART_ROWS):
            part = news[start : start + PART_ROWS]
            small = [s for s in part if since == self.seq - 1 and s.before is not None]
            whole = [s for s in part if not (since == self.seq - 1 and s.before is not None)]
            yield encode(
                _RawDelta(
                    seq=self.seq,
                    since=since,
                    room=room,
                    rows=[s.encoded() for s in whole],
                    changes=[s.difference() for s in small],
                    gone=gone if start == 0 else [],
                    more=start + PART_ROWS < len(news),
                )
            )

    def _room(self, viewer: Viewer) -> msgspec.Raw:
        assert self.room is not None  # noqa: S101 - for the type checker; no frame is asked for before
        return msgspec.Raw(encode(room_for(self.room, viewer, self._namespace_of)))

    def _namespace_of(self, uid: Uid) -> str | None:
        shown = self._rows.get(uid)
        return None if shown is None else shown.row.rollout.namespace


def _picture(seq: int, room: msgspec.Raw, waiting: list[_Shown]) -> Iterator[bytes]:
    for start in range(0, max(1, len(waiting)), PART_ROWS):
        part = [shown.encoded() for shown in waiting[start : start + PART_ROWS]]
        yield encode(_RawPicture(seq=seq, room=room, rows=part, more=start + PART_ROWS < len(waiting)))


def room_for(room: Room, viewer: Viewer, namespace_of: Callable[[Uid], str | None]) -> Room:
    """The room without what ``viewer`` may not know: other namespaces' deeds and places in the queue."""
    if viewer.namespaces is None:
        return room
    entries = tuple(e for e in room.queue.entries if (space := namespace_of(e.uid)) is not None and viewer.sees(space))
    return msgspec.structs.replace(
        room,
        namespaces=tuple(sorted(viewer.namespaces)),
        deeds=tuple(d for d in room.deeds if viewer.sees(d.intent.target.namespace)),
        queue=msgspec.structs.replace(room.queue, entries=entries),
    )
