"""What this screen shows: the newest picture, or the one that was stopped; order, filter, and the row under the cursor.

Shared by all screens of an app. The row under the cursor is known by uid, so nothing that comes and goes can put
another one there; re-sorting is held while the cursor moves and for a moment after.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Uid
from opsroom.feed.rows import Rows
from opsroom.feed.state import Board, Link, LinkState
from opsroom.ui.census import Census
from opsroom.view.header import Playing, Status
from opsroom.view.neighbour import neighbour
from opsroom.view.order import Entry, Sort, Standing, Wish, entries, matcher, standing, uids
from opsroom.view.strip import Neighbour, called

if TYPE_CHECKING:
    from opsroom.feed.replay import Replay

HELD_FOR = 2.0
"""Seconds after the last move of the cursor during which nothing is re-sorted."""

SLICE = 100
"""Rows looked at in one go, a few milliseconds."""

FILLING_PAUSE = 0.5
"""Seconds between two arrangements while the first picture comes in: it comes in many parts."""


class Feed(Protocol):
    """Where pictures come from; ``opsroom.feed.client.FeedClient`` is one."""

    @property
    def board(self) -> Board:
        """The newest picture."""

    @property
    def link(self) -> Link:
        """How the line to the worker is."""

    def __aiter__(self) -> AsyncIterator[object]:
        """Something was heard; never ends."""


class Sight:
    """The picture as this screen shows it."""

    def __init__(
        self,
        feed: Feed,
        clock: Callable[[], float],
        read_only: bool = False,
        replay: Replay | None = None,
        context: str = "",
    ) -> None:
        self.feed = feed
        self.clock = clock
        self._context = context
        self.read_only = read_only or replay is not None
        self.replay = replay
        self.rows: Rows = feed.board.rows
        self.room: Room | None = feed.board.room
        self.wish = Wish()
        self.entries: list[Entry] = []
        self.uids: list[Uid] = []
        """The rows in ``entries``."""
        self.selected: Uid | None = None
        self.touched = False
        """Whether a person has moved the cursor or acted; until then it stays at the top, where the loudest row is."""
        self.stopped_at: float | None = None
        """Worker's clock at which the person stopped the picture."""
        self.roomy = False
        self.filling = False
        """Whether more rows of the first picture are on their way."""
        self._lost: float | None = None
        """Monotonic seconds since when there is no feed."""
        self.worker: Callable[[], str] = str
        """Why the own worker is not there, where this screen has one and knows it."""
        self.broken = ""
        """Why reading the feed ended, which it never should."""
        self.others: Callable[[], tuple[Neighbour, ...]] = tuple
        """The other contexts of this board, as their strip tells of them."""
        self.census = Census()
        self._unseen: set[Uid] = set()
        """Rows that have changed and were not looked at."""
        self._standings: dict[Uid, Standing] = {}
        self._matches = matcher("")
        self._stale_order = True
        self._moved = -HELD_FOR
        self._arranged = -FILLING_PAUSE
        self._settled = clock()
        self._target: object = None

    @property
    def context(self) -> str:
        """The context that deeds go to, as far as this screen was told; else the one that the feed names."""
        room = self.feed.board.room
        return self._context or (room.context if room is not None else "")

    @property
    def name(self) -> str:
        """The context for people: where the feed is called otherwise, both names."""
        room = self.feed.board.room
        return called(self.context, room.context if room is not None else "")

    @property
    def now(self) -> float:
        """The worker's clock; that of the stopped picture while it is stopped."""
        return self.live_now if self.stopped_at is None else self.stopped_at

    @property
    def live_now(self) -> float:
        """The worker's clock."""
        return self.feed.board.worker_now(self.clock())

    @property
    def standing(self) -> bool:
        """Whether this is a recording that stands still: what comes then was asked for by a key."""
        return self.replay is not None and (self.replay.paused or self.replay.over)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return None if self.selected is None else self.rows.get(self.selected)

    @property
    def settled_for(self) -> float:
        """Seconds since the row under the cursor became what it is, drawn or not."""
        # The feed changes rows between two paints: a key is meant for what was painted.
        self._note_target()
        return self.clock() - self._settled

    def status(self) -> Status:
        """For the header."""
        status, others = self._status(), self.others()
        return replace(status, here=self._told_as(status), others=others) if others else status

    def seen_from_elsewhere(self) -> Neighbour:
        """For the header of another context of this board."""
        return self._told_as(self._status())

    def _told_as(self, status: Status) -> Neighbour:
        return neighbour(self.name, self.room, self.census.kinds, status)

    def _status(self) -> Status:
        link, now = self.feed.link, self.clock()
        away = link.state is not LinkState.LIVE and self.replay is None
        lost = self.broken or ((self.worker() or link.error) if away else "")
        # The client's own time begins anew with each attempt; a person counts from the first.
        self._lost = (link.since if self._lost is None else self._lost) if lost else None
        return Status(
            now=self.live_now,
            feed_age=self.feed.board.age(now),
            lost=lost,
            lost_for=None if self._lost is None else now - self._lost,
            read_only=self.read_only,
            wish=self.wish,
            shown=len(self.uids),
            frozen_at=self.stopped_at,
            connecting=link.state is LinkState.CONNECTING,
            playing=self._playing(),
            unrecorded=getattr(self.feed, "unrecorded", ""),
            so_far=len(self.rows) if self.filling else None,
        )

    def _playing(self) -> Playing | None:
        replay = self.replay
        if replay is None:
            return None
        return Playing(replay.at - replay.start, replay.end - replay.start, replay.speed, replay.paused, replay.over)

    def take(self) -> None:
        """Take what the feed has brought since the last time; a stopped picture stays."""
        while self.absorb(SLICE):
            pass
        if self.stopped_at is None:
            self._arrange()
            self._note_target()

    def absorb(self, most: int) -> bool:
        """Look at up to ``most`` rows that the feed has brought; whether others wait. Nothing moves until ``take``."""
        if self.stopped_at is not None:
            return False
        board = self.feed.board
        news = board.take()
        self.rows, self.room, self.filling = board.rows, board.room, board.filling
        for uid in news.gone:
            self._unseen.discard(uid)
            self.census.count(uid, None)
            self._stale_order |= self._standings.pop(uid, None) is not None
        self._unseen |= news.changed
        for _ in range(min(most, len(self._unseen))):
            uid = self._unseen.pop()
            row = self.rows.glance(uid)
            self.census.count(uid, row)
            self._place(uid, row)
        return bool(self._unseen)

    def _place(self, uid: Uid, row: Row) -> None:
        place = standing(row, self.wish, self._matches)
        if place != self._standings.get(uid):
            self._stale_order = True
            if place is None:
                self._standings.pop(uid, None)
            else:
                self._standings[uid] = place

    def _arrange(self) -> None:
        now = self.clock()
        held = now - self._moved < HELD_FOR or (self.filling and now - self._arranged < FILLING_PAUSE)
        if not self._stale_order or (held and self.entries):
            return
        self._arranged = now
        self.entries = entries(self._standings, self.roomy)
        self.uids = uids(self.entries)
        self._stale_order = False
        gone = self.selected not in self.uids and not (self.selected in self.rows and self.uids)
        if gone or not self.touched:
            self.select(next(iter(self.uids), None))

    def order(self, wish: Wish) -> None:
        """Show the rows another way, at once."""
        self.wish = wish
        self._matches = matcher(wish.text)
        self._standings = {}
        for uid in self.rows:
            self._place(uid, self.rows.glance(uid))
        self._stale_order, self._moved = True, -HELD_FOR
        self._arrange()
        if self.selected not in self.uids:
            self.select(next(iter(self.uids), None))

    def next_sort(self) -> None:
        """The next order."""
        sorts = list(Sort)
        self.order(replace(self.wish, sort=sorts[(sorts.index(self.wish.sort) + 1) % len(sorts)]))

    def be_roomy(self, roomy: bool) -> None:
        """Blank lines between groups, or none."""
        if roomy is not self.roomy:
            self.roomy, self._stale_order, self._moved = roomy, True, -HELD_FOR
            self._arrange()

    def come(self) -> None:
        """This context is shown from now on; a key that was meant for another one must not act here."""
        self.take()
        self._settled = self.clock()

    def stop(self) -> None:
        """Stop the picture, or let it go on."""
        if self.stopped_at is None:
            self.stopped_at, self.rows = self.live_now, self.rows.copy()
        else:
            self.stopped_at = None
            self.take()

    def select(self, uid: Uid | None) -> None:
        """Put the cursor on a row."""
        if uid != self.selected:
            self.selected = uid
            self._note_target()

    def move(self, by: int, flagged: bool = False) -> None:
        """Move the cursor by rows; with ``flagged`` to the next flagged one in that direction, around the end."""
        self._moved, self.touched = self.clock(), True
        among = [uid for uid in self.uids if uid in self.census.flags] if flagged else self.uids
        if not among:
            return
        if self.selected in among:
            at = among.index(self.selected) + by
            at = at % len(among) if flagged else max(0, min(len(among) - 1, at))
        else:
            at = 0 if by > 0 else len(among) - 1
        self.select(among[at])

    def _note_target(self) -> None:
        """Remember when the thing that a key would act on last became another."""
        row = self.row
        rollout = row.rollout if row else None
        canary = rollout.canary.hash if rollout and rollout.canary else ""
        flagged = row is not None and row.flag is not None
        target = (self.selected, canary, rollout.step if rollout else None, flagged)
        if target != self._target:
            self._target, self._settled = target, self.clock()
