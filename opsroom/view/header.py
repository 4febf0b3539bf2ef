"""The two lines at the top: where we are and how old everything is; how many of what, and what is out of the ordinary.

A frozen picture must never look alive: each source has its age here at all times, and a lost feed says so in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from opsroom.domain.board import Mode, Room
from opsroom.domain.freshness import Freshness, SourceState, age, freshness
from opsroom.view import numbers, queue_words, starting
from opsroom.view.ages import NAMES, cells_of, fitting_ages
from opsroom.view.cells import fit, width
from opsroom.view.line import Ground, Line, Piece, Role, line, padded, sides
from opsroom.view.order import Group, Kind, Sort, Wish
from opsroom.view.strip import Neighbour, beside
from opsroom.view.tally import fitting_tally


class Playing(msgspec.Struct, frozen=True):
    """A recording that is shown instead of a feed."""

    at: float
    """Seconds from its beginning."""
    length: float
    speed: float = 1.0
    paused: bool = False
    over: bool = False
    """Its end is shown."""


class Status(msgspec.Struct, frozen=True):
    """What the screen knows beside the picture."""

    now: float
    """The worker's clock, epoch seconds."""
    feed_age: float | None = None
    """Seconds since the worker last looked, as far as this viewer can know; None: no picture yet."""
    lost: str = ""
    """Why there is no feed; empty while there is one."""
    lost_for: float | None = None
    read_only: bool = False
    wish: Wish = msgspec.field(default_factory=Wish)
    shown: int = 0
    """Rows that pass the filter."""
    frozen_at: float | None = None
    """Epoch seconds at which the person stopped the picture."""
    connecting: bool = False
    playing: Playing | None = None
    unrecorded: str = ""
    """Why a recording that was asked for has ended."""
    so_far: int | None = None
    """Rows that are there while others of the first picture are on their way; None: all are there."""
    here: Neighbour | None = None
    """The context that is shown, where this board has several."""
    others: tuple[Neighbour, ...] = ()
    """Those that are not shown."""


STARTING_SECONDS = 5.0
"""A worker that was just started may take so long to answer; until then its silence is no trouble."""


def feed_state(room: Room | None, status: Status) -> SourceState:
    """The feed itself as one more source."""
    seen = None if status.feed_age is None else status.now - status.feed_age
    return SourceState(name="feed", interval=room.interval if room else 2.0, at=seen)


def picture_is_old(room: Room | None, status: Status) -> bool:
    """Whether the feed, or what its worker sees of the cluster, is too old to promote on."""
    if room is None or status.lost:
        return True
    watched = [feed_state(room, status), *(source for source in room.sources if source.name.startswith("kube"))]
    return any(freshness(source, status.now) in (Freshness.STALE, Freshness.NEVER) for source in watched)


def top(room: Room | None, status: Status, cells: int) -> Line:
    """Context, namespaces and mode at the left; the age of each source and the time at the right.

    Where the board has other contexts, they stand behind a bar; they come before namespaces where there is little room.
    """
    if room is None and status.here is None:
        return padded(line(" ", Piece(starting.NAME, Role.STRONG), ground=Ground.BAR), cells)
    here = _here(room, status, cells)
    if room is None:
        return padded(_bar(*_with_others(here, (), status, cells, ("",))[:2]), cells)
    times = [f"  {numbers.day(status.now)} "] * (cells >= 110) + [f"  {numbers.clock(status.now)} "]
    sources, mode = (*room.sources, feed_state(room, status)), (Piece(" "), _mode(room, status))
    left, others, time = _with_others(here, mode, status, cells - cells_of(sources, status.now) - 2, times)
    taken = others.width + width(time) + 2
    right = line(*fitting_ages(sources, status.now, cells - left.width - taken), Piece(time, Role.TEXT))
    for more in (f"  {_namespaces(room)}", f"  {_who(room)}" if cells >= 110 and not status.lost else ""):
        if left.width + others.width + width(more) + 2 <= cells - right.width:
            left = line(*left.pieces, Piece(more, Role.DIM))
    return sides(_bar(left, others), right, cells)


def _bar(*parts: Line) -> Line:
    return line(*(piece for part in parts for piece in part.pieces), ground=Ground.BAR)


def _here(room: Room | None, status: Status, cells: int) -> Piece:
    """The context that is shown; in brackets where there are others."""
    told = room.context if room is not None else ""
    name = (status.here.name if status.here is not None else told) or "no context"
    prod = any("prod" in each.lower() for each in (name, told))
    name = fit(name, min(width(name), cells // (4 if cells >= 80 else 6)))
    name = f" {name} " if status.here is None else f"[{name}]"
    return Piece(name, Role.PROD, Ground.PROD) if prod else Piece(name, Role.STRONG)


def _with_others(
    name: Piece, rest: Sequence[Piece], status: Status, cells: int, times: Sequence[str]
) -> tuple[Line, Line, str]:
    """``name`` and ``rest``, what there is to say of other contexts, and the time."""
    if status.here is None:
        return line(name, *rest), line(), times[0]
    return beside(name, rest, status.here, status.others, cells, times)


def _namespaces(room: Room) -> str:
    if not room.namespaces:
        return "all ns"
    more = len(room.namespaces) - 1
    return room.namespaces[0] + (f" +{more} ns" if more else "")


def _mode(room: Room, status: Status) -> Piece:
    """What the worker does; of one that is not heard any more nobody knows whether it still does it."""
    if status.playing is not None:
        return Piece("REPLAY", Role.KEY)
    if status.read_only or room.read_only:
        return Piece("READ-ONLY", Role.STRONG)
    if status.lost:
        return Piece("LOST", Role.FLAGGED)
    if freshness(feed_state(room, status), status.now) in (Freshness.STALE, Freshness.NEVER):
        return Piece(f"{mode_word(room).upper()}?", Role.FLAGGED)
    acts = room.mode is Mode.AUTO and room.decider.me
    return Piece(mode_word(room).upper(), Role.OK if acts else Role.STRONG)


def mode_word(room: Room) -> str:
    """``auto``, ``advise``, ``observe``; ``watches`` where it may do more and has not got the Lease."""
    return "watches" if room.mode is not Mode.OBSERVE and not room.decider.me else room.mode.value


def _who(room: Room) -> str:
    """Who decides here, where that is not this worker; else as whom it acts."""
    if room.decider.me:
        return f"as {room.identity}" if room.identity else ""
    return f"{room.decider.identity} decides" if room.decider.identity else "nobody decides here"


def second(room: Room | None, found: Mapping[Kind, int], status: Status, cells: int) -> Line:
    """What is out of the ordinary if anything is, else the tally; filter and order at the right."""
    said = notice(room, status, cells)
    left = line(" ", Piece(said, Role.FLAGGED)) if said else fitting_tally(found, cells)
    return sides(left, line(*_wishes(status)), cells)


def notice(room: Room | None, status: Status, cells: int = 1_000) -> str:
    """The one thing that a person must know about the picture itself; empty when all is well.

    It may be cut at its end: what matters most stands first.
    """
    if status.lost:
        since = numbers.fine_age(status.lost_for)
        if room is None:
            early = status.lost_for is not None and status.lost_for < STARTING_SECONDS and status.playing is None
            return starting.CONNECTING if early else f"NO FEED for {since}: {status.lost}"
        stays = "; the last picture stays"
        lost = f"FEED LOST {since}: {status.lost}"
        return lost + stays if len(lost) + len(stays) < cells else lost
    if room is None:
        words = starting.CONNECTING if status.playing is None else starting.OPENING
        return words if status.connecting else "no picture yet"
    if status.so_far is not None:
        return f"reading the picture: {status.so_far} rollouts so far, the loudest first"
    if status.playing is not None:
        return playing(status.playing)
    if status.unrecorded:
        return f"NOT RECORDED ANY MORE: {status.unrecorded}"
    if status.frozen_at is not None:
        return f"PICTURE STOPPED {numbers.fine_age(age(status.frozen_at, status.now))} ago; space goes on"
    if room.freeze is not None:
        since = numbers.fine_age(age(room.freeze.since, status.now))
        reason = f": {room.freeze.reason}" if room.freeze.reason else ""
        return f"FREEZE by {room.freeze.by} for {since}, no automatic deeds{reason}"
    lost = queue_words.stranded(room)
    if lost:
        return lost
    down = next((source for source in room.sources if source.error), None)
    if down is not None:
        return f"{NAMES.get(down.name, down.name)}: {down.error}"
    if room.policy_note:
        return f"policy: {room.policy_note}"
    return queue_words.notice(room)


def playing(now: Playing) -> str:
    """``REPLAY  3m 12s of 10m 40s, 4 x``: where in the recording this is, and how it goes on."""
    how = "ended" if now.over else "paused" if now.paused else f"{now.speed:g} x"
    return f"REPLAY  {numbers.fine_age(max(0.0, now.at))} of {numbers.fine_age(now.length)}, {how}"


def emptiness(room: Room | None, status: Status) -> str:
    """Why the list is empty."""
    if room is None:
        return starting.EMPTY
    watched = [source for source in room.sources if source.name.startswith("kube")]
    if watched and all(source.at is None for source in watched):
        return "The worker has not read the cluster yet."
    if status.wish.text or status.wish.flagged_only:
        return "Nothing needs a person." if not status.wish.text else "No rollout passes the filter; esc clears it."
    return "This worker sees no rollouts" + (f" in {', '.join(room.namespaces)}." if room.namespaces else ".")


def _wishes(status: Status) -> list[Piece]:
    pieces: list[Piece] = []
    if status.wish.sort is not Sort.SEVERITY:
        pieces.append(Piece(f"by {status.wish.sort.value}  ", Role.DIM))
    if status.wish.flagged_only:
        pieces.append(Piece("only flagged  ", Role.KEY))
    if status.wish.text:
        pieces += [Piece("/", Role.DIM), Piece(f"{status.wish.text}  {status.shown} shown ", Role.KEY)]
    return pieces


def heading(group: str, number: int, cells: int, plain: bool) -> Line:
    """The line above a group of rows."""
    role = Role.STRONG if group == Group.NEEDS_YOU else Role.DIM
    words = line(" ", Piece(group.upper(), role), Piece(f" {number}", Role.DIM))
    if not plain:
        return padded(words, cells)
    return line(*words.pieces, " ", Piece("-" * max(0, cells - words.width - 2), Role.RULE))
