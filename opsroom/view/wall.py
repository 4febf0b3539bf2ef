"""The wall: read from four metres, touched by nobody.

How many need a person, and the time, in letters a hand high; what waits for a person as tiles, largest thing on the
screen; below, what moves, the queue and the last deeds. A heartbeat (the age of the picture and the time) shows that
the wall itself is alive; when nothing waits it says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.decision import Flag
from opsroom.domain.freshness import Freshness, age, freshness
from opsroom.view import ages, header, marks, numbers, wall_table, wall_tiles
from opsroom.view.big_signs import big, big_clock, tall
from opsroom.view.header import Status
from opsroom.view.line import Ground, Line, Piece, Role, cut, line, padded, sides
from opsroom.view.order import Group, Wish, arrange, counts, group_of, uids
from opsroom.view.tally import fitting_tally
from opsroom.view.wall_tiles import Wall

BANNER = (110, 36)
"""Cells and lines from which on there is room for big letters."""

ROOMY = 180
"""Cells from which on the banner says in large letters what its number means."""

TABLE_ROWS = 8
"""Least lines of the lower part."""


def wall(room: Room | None, shown: Sequence[Row], status: Status, size: Wall) -> list[Line]:
    """Exactly ``size.rows`` lines."""
    known = {row.rollout.uid: row for row in shown}
    listed = [known[uid] for uid in uids(arrange(shown, Wish()))]
    flagged = [row for row in listed if row.flag is not None]
    others = [row for row in listed if group_of(row) in (Group.MOVING, Group.QUEUED)]
    lines = [_top(room, status, size), line(ground=Ground.BAR), _tally(room, shown, status, size), line()]
    banner = bool(flagged) and size.cells >= BANNER[0] and size.rows >= BANNER[1]
    if banner:
        old = header.picture_is_old(room, status)
        lines += _old_banner(flagged, status, size) if old else _banner(room, listed, flagged, size)
    low = max(TABLE_ROWS, min(len(others) + 3, size.rows // 3))
    high = size.rows - len(lines) - low
    upper = wall_tiles.tiles(flagged, high, size) if flagged else _calm(room, listed, status, high, size)
    lines += upper[:high] + [line()] * (high - len(upper))
    lines += wall_table.table(room, listed, others, low, size, paced=banner or not flagged)
    lines = lines[: size.rows] + [line()] * (size.rows - len(lines))
    return [padded(cut(each, size.cells), size.cells) for each in lines]


def _top(room: Room | None, status: Status, size: Wall) -> Line:
    name = (room.context if room and room.context else "opsroom").upper()
    left = line(
        "  ",
        Piece(name, Role.STRONG),
        Piece("  WALL" if size.cells < 110 else "   WALL, READ-ONLY", Role.DIM),
        ground=Ground.BAR,
    )
    narrow = size.cells < 110
    when = Piece(f"   {numbers.clock(status.now) if narrow else numbers.day(status.now)}  ", Role.STRONG)
    pieces: list[Piece] = []
    if room is not None:
        for source in (*room.sources, header.feed_state(room, status)):
            state = freshness(source, status.now)
            word = "ok " if state is Freshness.FRESH and not narrow else ""
            text = ages.age_text(source, status.now).replace(" ", f" {word}", 1)
            pieces.append(Piece(f"{'  ' if narrow else '   '}{text}", marks.FRESH_ROLE[state]))
    return sides(left, line(*pieces, when), size.cells)


def _tally(room: Room | None, shown: Sequence[Row], status: Status, size: Wall) -> Line:
    said = header.notice(room, status, size.cells - 40)
    flagged = [row for row in shown if row.flag is not None]
    if flagged:
        end = _oldest(flagged, size)
    elif header.picture_is_old(room, status):
        end = line(Piece("nobody knows who is needed  ", Role.WATCH))
    else:
        end = line(Piece("nobody is needed  ", Role.OK))
    if said:
        left = line("  ", Piece(f" {said} ", Role.CRITICAL if status.lost else Role.FLAGGED))
    else:
        left = line(" ", *fitting_tally(counts(shown), size.cells - end.width - 5).pieces)
    return sides(left.on(Ground.BAR), end, size.cells)


def _oldest(flagged: Sequence[Row], size: Wall) -> Line:
    """Since when the oldest flag stands, on what, and who took it."""
    oldest = min(flagged, key=_since)
    name = f" ({oldest.rollout.name})" if size.cells >= 110 else ""
    word = "oldest flag" if size.cells >= 110 else "oldest"
    text = f"{word} {numbers.fine_age(age(_since(oldest), size.now))}{name}, {_taken(oldest.flag)}  "
    return line(Piece(text, Role.FLAGGED))


def _since(row: Row) -> float:
    return row.flag.since if row.flag else 0.0


def _taken(flag: Flag | None) -> str:
    return f"{flag.acknowledged_by} took it" if flag and flag.acknowledged_by else "nobody took it"


def _banner(room: Room | None, listed: Sequence[Row], flagged: Sequence[Row], size: Wall) -> list[Line]:
    """How many need a person, what that means, and the time, to be read from across the room."""
    role = marks.ROLE[max(row.severity for row in flagged)]
    role = Role.FLAGGED if role is Role.CRITICAL else role
    taken = sum(bool(row.flag and row.flag.acknowledged_by) for row in flagged)
    nobody = "nobody took it" if len(flagged) == 1 else "nobody took any"
    said = "NEEDS A PERSON" if len(flagged) == 1 else "NEED A PERSON"
    who = Piece(f"{taken} of {len(flagged)} taken" if taken else nobody, Role.TEXT)
    names, pace = Piece(_names(flagged), Role.FLAGGED), Piece(wall_table.finished(room), Role.DIM)
    queue = Piece(wall_table.queue(room, listed, size.now), Role.DIM)
    large = tall(said, size.graphs) if size.cells >= ROOMY else []
    if large:
        words = [*(line(Piece(each, Role.STRONG)) for each in large), line(names, "   ", who), line(queue, "   ", pace)]
    else:
        words = [line(Piece(said, Role.STRONG)), line(names), line(who), line(queue), line(pace)]
    number = big(str(len(flagged)), size.graphs)
    return _with_clock(
        [line(Piece(digits, role), "     ", *said.pieces) for digits, said in zip(number, words, strict=True)], size
    )


def _names(flagged: Sequence[Row]) -> str:
    return ", ".join(row.rollout.name for row in flagged[:6]) + (" .." if len(flagged) > 6 else "")


def _with_clock(left: Sequence[Line], size: Wall) -> list[Line]:
    """Five lines, with the time at their right."""
    clock = big(numbers.short_clock(size.now), size.graphs)
    ends = (line(Piece(hour, Role.BASELINE), "   ") for hour in clock)
    return [
        *(sides(line("   ", *each.pieces), end, size.cells, gap=4) for each, end in zip(left, ends, strict=True)),
        line(),
    ]


def _old_banner(flagged: Sequence[Row], status: Status, size: Wall) -> list[Line]:
    """That what stands below is the past, to be read from across the room too: an old picture must not look alive."""
    since = numbers.fine_age(status.lost_for) if status.lost_for is not None else ""
    words = f"feed lost {since}" if status.lost else "the picture is old"
    last = f"last seen: {len(flagged)} {'needs' if len(flagged) == 1 else 'need'} a person ({_names(flagged)})"
    large = [line(Piece(each, Role.FLAGGED)) for each in tall(words.rstrip(), size.graphs)]
    said = line(Piece(last, Role.TEXT))
    if not large:
        return _with_clock([line(), line(Piece(words.upper(), Role.FLAGGED)), said, line(), line()], size)
    return _with_clock([*large, line(), said], size)


def _calm(room: Room | None, listed: Sequence[Row], status: Status, high: int, size: Wall) -> list[Line]:
    if room is None:
        said, more = "No picture yet", []
    elif header.picture_is_old(room, status):
        until = "the feed is back" if status.lost else "the worker sees the cluster again"
        said, more = "The picture is old", [f"nothing here may be trusted until {until}"]
    else:
        said = "Nothing needs a person"
        more = [wall_table.finished(room), wall_table.queue(room, listed, size.now)]
    large = tall(said, size.graphs) if high >= 14 else []
    large = large if large and len(large[0]) <= size.cells - 4 else [said]
    middle = [*(line(Piece(each.center(size.cells), Role.STRONG)) for each in large), line()]
    middle += [line(Piece(each.center(size.cells), Role.DIM)) for each in more]
    if high >= 14:
        middle = [*big_clock(status.now, size.cells, size.graphs), line(), line(), *middle]
    return [*([line()] * max(1, (high - len(middle)) // 2)), *middle]
