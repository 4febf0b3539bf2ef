"""The wall: read from four metres, touched by nobody.

Whatever waits for a person comes as tiles, largest thing on the screen; below, what moves and the last deeds. A
heartbeat (the age of the picture and the time) shows that the wall itself is alive; when nothing waits it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.domain.board import Room, Row
from opsroom.domain.freshness import Freshness, age, freshness
from opsroom.view import detail, evidence, header, marks, numbers, rows, words
from opsroom.view.big_clock import big_clock
from opsroom.view.cells import fit
from opsroom.view.chart import Box, chart
from opsroom.view.header import Status
from opsroom.view.line import Ground, Line, Piece, Role, beside, cut, line, padded, sides
from opsroom.view.news_pages import deed_row
from opsroom.view.order import Group, Wish, arrange, counts, group_of
from opsroom.view.spark import Graphs, spark
from opsroom.view.tally import fitting_tally

TILE_ROWS, TILE_MOST = 9, 18
"""Lines of a tile, at least and at most."""

TABLE_ROWS = 7
"""Least lines of the lower part."""


@dataclass(frozen=True, slots=True)
class Wall:
    """What there is room for."""

    cells: int
    rows: int
    now: float
    graphs: Graphs = Graphs.BRAILLE
    plain: bool = False


def wall(room: Room | None, shown: Sequence[Row], status: Status, size: Wall) -> list[Line]:
    """Exactly ``size.rows`` lines."""
    lines = [_top(room, status, size), line(ground=Ground.BAR), _tally(room, shown, status, size), line()]
    known = {row.rollout.uid: row for row in shown}
    listed = [known[entry.uid] for entry in arrange(shown, Wish()) if entry.uid is not None]
    flagged = [row for row in listed if row.flag is not None]
    others = [row for row in listed if group_of(row) in (Group.MOVING, Group.QUEUED)]
    low = max(TABLE_ROWS, min(len(others) + 3, size.rows // 3))
    high = size.rows - len(lines) - low
    upper = _tiles(flagged, high, size) if flagged else _calm(room, status, high, size)
    lines += upper[:high] + [line()] * (high - len(upper))
    lines += _lower(room, others, low, size)
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
            text = header.age_text(source, status.now).replace(" ", f" {word}", 1)
            pieces.append(Piece(f"{'  ' if narrow else '   '}{text}", marks.FRESH_ROLE[state]))
    return sides(left, line(*pieces, when), size.cells)


def _tally(room: Room | None, shown: Sequence[Row], status: Status, size: Wall) -> Line:
    said = header.notice(room, status)
    flags = [row.flag for row in shown if row.flag is not None]
    words_for = size.cells - 50
    left = line("  ", Piece(said, Role.FLAGGED)) if said else line(" ", *fitting_tally(counts(shown), words_for).pieces)
    if not flags:
        return sides(left.on(Ground.BAR), line(Piece("nobody is needed  ", Role.OK)), size.cells)
    oldest = min(flags, key=lambda flag: flag.since)
    taken = sum(bool(flag.acknowledged_by) for flag in flags)
    who = f"{taken} of {len(flags)} taken" if taken else "nobody has taken one"
    text = f"oldest flag {numbers.fine_age(age(oldest.since, status.now))}   {who}  "
    return sides(left.on(Ground.BAR), line(Piece(text, Role.FLAGGED)), size.cells)


def _calm(room: Room | None, status: Status, high: int, size: Wall) -> list[Line]:
    if room is None:
        said, more = "No picture yet", ""
    elif status.lost:
        said, more = "The picture is old", "nothing here may be trusted until the feed is back"
    else:
        said, more = "Nothing needs a person", _velocity(room)
    middle = [line(Piece(said.center(size.cells), Role.STRONG)), line(), line(Piece(more.center(size.cells), Role.DIM))]
    if high >= 14:
        middle = [*big_clock(status.now, size.cells, size.graphs), line(), line(), *middle]
    return [*([line()] * max(1, (high - len(middle)) // 2)), *middle]


def _tiles(flagged: list[Row], high: int, size: Wall) -> list[Line]:
    """Tiles side by side, as high as there is room for; what has no tile is named in one line."""
    abreast = 2 if size.cells >= 160 else 1
    down = max(1, min(-(-len(flagged) // abreast), high // TILE_ROWS))
    tall = min(TILE_MOST, (high - (len(flagged) > abreast * down)) // down)
    lines: list[Line] = []
    for at in range(0, min(len(flagged), abreast * down), abreast):
        pair = [_tile(row, tall, size.cells // abreast - 2, size) for row in flagged[at : at + abreast]]
        lines += pair[0] if len(pair) == 1 else beside(pair[0], pair[1], size.cells // abreast, size.cells)
    rest = flagged[abreast * down :]
    if rest:
        names = ", ".join(row.rollout.name for row in rest[:8])
        lines.append(line("  ", Piece(f"and {len(rest)} more: {names}", Role.FLAGGED)))
    return lines


def _tile(row: Row, high: int, cells: int, size: Wall) -> list[Line]:
    rollout = row.rollout
    severity = row.severity
    since = numbers.fine_age(age(row.flag.since if row.flag else None, size.now))
    taken = f", {row.flag.acknowledged_by} took it" if row.flag and row.flag.acknowledged_by else ""
    head = line(
        "  ",
        Piece(f" {marks.MARK[severity]} ", marks.ROLE[severity]),
        Piece(f"  {rollout.name}", Role.STRONG),
        Piece(f"   {rollout.namespace}   step {rows.step(rollout)}   weight {rollout.weight}%", Role.TEXT),
    )
    score = numbers.score(row.verdict.score if row.verdict else None)
    lines = [
        sides(head, line(Piece(f"{rows.state(row, size.now)} {since}{taken}", Role.FLAGGED)), cells),
        cut(line("       ", Piece(f"score {score}   ", Role.STRONG), Piece(_cause(row, size.now), Role.TEXT)), cells),
    ]
    if high > TILE_ROWS + 2:
        lines.append(line())
    harm = {found.metric: found.harm for found in (row.verdict.evidence if row.verdict else ())}
    names = detail.charted(row)[: 2 if cells >= 90 else 1]
    plots = []
    for name in names:
        metric = evidence.metric(row, name)
        if metric is not None:
            box = Box((cells - 4) // len(names) - 2, high - len(lines) - 2, size.graphs)
            plots.append(chart(metric, box, harm.get(name, 0.0) >= rows.HARMFUL))
    if len(plots) == 2:
        lines += beside(plots[0], plots[1], (cells - 4) // 2, cells)
    elif plots:
        lines += plots[0]
    return [*lines, *([line()] * (high - len(lines)))]


def _cause(row: Row, now: float) -> str:
    found = evidence.strongest(row)
    return evidence.sentence(found, row, now) if found is not None else words.flag(row)


def _lower(room: Room | None, others: list[Row], high: int, size: Wall) -> list[Line]:
    left_cells = size.cells * 56 // 100 if size.cells >= 160 else size.cells
    left = [line("  ", Piece("MOVING AND QUEUED", Role.DIM))]
    fits = max(0, high - 2 - (len(others) > high - 2))
    left += [_moving(row, left_cells, size) for row in others[:fits]]
    if len(others) > fits:
        left.append(line("  ", Piece(f"and {len(others) - fits} more", Role.DIM)))
    if not others:
        left.append(line("    ", Piece("nothing is on its way", Role.DIM)))
    if size.cells < 160:
        return left
    right = [line(Piece("LAST DEEDS", Role.DIM), Piece(f"     {_velocity(room)}", Role.TEXT))]
    deeds = room.deeds if room else ()
    right += [Line(deed_row(deed, 28).pieces[1:]) for deed in deeds[:fits]]
    return beside(left, right, left_cells, size.cells)


def _velocity(room: Room | None) -> str:
    if room is None:
        return ""
    counts, queue = room.counts, room.queue
    slots = f" for {queue.limit} slots" if queue.limit else ""
    done = f"{counts.promoted} promoted, {counts.rolled_back} rolled back"
    return f"{done}, {queue.waiting} waiting{slots}"


def _moving(row: Row, cells: int, size: Wall) -> Line:
    rollout = row.rollout
    mark, role = marks.MARK[row.severity], marks.ROLE[row.severity]
    score = row.verdict.score if row.verdict else None
    weight = f"{rollout.weight}%" if rollout.under_way else numbers.NONE
    graph = ""
    metric = evidence.metric(row, "error_rate")
    if metric is not None and cells >= 100:
        graph = spark("error_rate", metric.canary, metric.baseline, 16, size.graphs)
    return line(
        Piece("  "),
        Piece(mark, role),
        Piece(" " * (4 - len(mark))),
        Piece(fit(rollout.name, 26) + "  ", Role.TEXT),
        Piece(fit(rollout.namespace, 12) + "  ", Role.DIM),
        Piece(fit(rows.step(rollout), 5, right=True)),
        Piece(fit(weight, 6, right=True)),
        Piece(fit(numbers.score(score), 7, right=True) + "  ", rows.score_role(score)),
        Piece(fit(graph, 18) if cells >= 100 else "", Role.BASELINE),
        Piece(rows.state(row, size.now), role),
    )
