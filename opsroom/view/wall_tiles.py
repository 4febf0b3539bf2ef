"""The wall's tiles: one for each rollout that waits for a person, as large as there is room for.

The loudest gets the width of the wall where their number is odd, so that no part of the wall stays empty; what has no
tile is named in one line.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsroom.domain.board import Row
from opsroom.domain.freshness import age
from opsroom.domain.series import Metric
from opsroom.view import detail, evidence, marks, numbers, rows, words
from opsroom.view.big_signs import tall
from opsroom.view.cells import width
from opsroom.view.chart import Box, chart
from opsroom.view.line import Line, Piece, Role, beside, cut, line, sides
from opsroom.view.spark import Graphs

TILE_ROWS = 9
"""Least lines of a tile."""

ROOMY = 14
"""Lines from which on a tile has room for more than its cause and a chart."""

ABREAST = 150
"""Cells from which on tiles stand two abreast."""

MARGIN = 8
"""Cells before a tile's words; the mark stands in them."""

CHART_CELLS = 44
"""Least cells of a chart beside another."""


@dataclass(frozen=True, slots=True)
class Wall:
    """What there is room for."""

    cells: int
    rows: int
    now: float
    graphs: Graphs = Graphs.BRAILLE
    plain: bool = False


def tiles(flagged: list[Row], high: int, size: Wall) -> list[Line]:
    """Exactly ``high`` lines, if there is room for a tile at all."""
    sides_ = _arranged(flagged, high, size)
    placed = sum(map(len, sides_))
    room = high - (placed < len(flagged))
    lines: list[Line] = []
    for at, side in enumerate(sides_):
        tall = room // len(sides_) + (at < room % len(sides_))
        cells = size.cells // len(side)
        drawn = [_tile(row, tall, cells - 2, size) for row in side]
        lines += drawn[0] if len(drawn) == 1 else beside(drawn[0], drawn[1], cells, size.cells)
    rest = flagged[placed:]
    if rest:
        names = ", ".join(row.rollout.name for row in rest[:8]) + (" .." if len(rest) > 8 else "")
        lines.append(line("  ", Piece(f"and {len(rest)} more: {names}", Role.FLAGGED)))
    return lines


def _arranged(flagged: list[Row], high: int, size: Wall) -> list[list[Row]]:
    """Which tiles stand side by side, from top to bottom."""
    down = max(1, high // TILE_ROWS)
    if size.cells < ABREAST:
        return [[row] for row in flagged[:down]]
    first = len(flagged) % 2
    wanted = [flagged[:1]] * first + [flagged[at : at + 2] for at in range(first, len(flagged), 2)]
    return wanted if len(wanted) <= down else [flagged[at : at + 2] for at in range(0, 2 * down, 2)]


def _tile(row: Row, high: int, cells: int, size: Wall) -> list[Line]:
    roomy = high >= ROOMY
    lines = _head(row, cells, size, roomy)
    if roomy:
        lines += [*_more(row, cells, size), line()]
    news = detail.news(row, cells - 4, 2) if roomy else []
    apart = [line()] if news and high >= ROOMY + 4 else []
    lines += _charts(row, high - len(lines) - 1 - len(news) - len(apart), cells, size)
    lines += [*apart, *(line("   ", *each.pieces) for each in news)]
    return [*lines, *([line()] * (high - len(lines)))][:high]


def _head(row: Row, cells: int, size: Wall, roomy: bool) -> list[Line]:
    """Which rollout, where it stands, since when it waits, and the strongest reason."""
    harmful = Role.FLAGGED if evidence.strongest(row) is not None else Role.STRONG
    cause = Piece(_cause(row, size.now), harmful if roomy else Role.TEXT)
    score = Piece(f"score {numbers.score(row.verdict.score if row.verdict else None)}", Role.STRONG)
    large = _large(row, score, cells, size) if roomy else []
    if large:
        return [*large, cut(line(" " * MARGIN, cause), cells)]
    mark = f" {marks.MARK[row.severity]} "
    head = line(
        "  ",
        Piece(mark, marks.ROLE[row.severity]),
        Piece(" " * (MARGIN - 2 - len(mark)) + row.rollout.name, Role.STRONG),
        Piece(f"   {_place(row)}", Role.TEXT),
    )
    second = line(" " * MARGIN, score, "   ", cause)
    return [sides(head, line(Piece(_standing(row, size.now), Role.FLAGGED)), cells), cut(second, cells)]


def _large(row: Row, score: Piece, cells: int, size: Wall) -> list[Line]:
    """The name in letters that are read from across the room, the rest at the right; none where it has no room."""
    name = tall(row.rollout.name, size.graphs)
    right = [Piece(_standing(row, size.now), Role.FLAGGED), Piece(_place(row), Role.TEXT), score]
    if not name or MARGIN + len(name[0]) + 3 + max(width(piece.text) for piece in right) > cells:
        return []
    signs = ("", marks.MARK[row.severity], "")
    return [
        sides(
            line("  ", Piece(sign.center(4), marks.ROLE[row.severity]), "  ", Piece(each, Role.STRONG)),
            line(end),
            cells,
        )
        for sign, each, end in zip(signs, name, right, strict=True)
    ]


def _standing(row: Row, now: float) -> str:
    since = numbers.fine_age(age(row.flag.since if row.flag else None, now))
    taken = f", {row.flag.acknowledged_by} took it" if row.flag and row.flag.acknowledged_by else ""
    return f"{rows.state(row, now)}, {since}{taken}"


def _place(row: Row) -> str:
    rollout = row.rollout
    weight = f"   weight {rollout.weight}%" if rollout.under_way else ""
    step = f"   step {rows.step(rollout)}" if rows.step(rollout) != numbers.NONE else ""
    return f"{rollout.namespace}{step}{weight}"


def _cause(row: Row, now: float) -> str:
    found = evidence.strongest(row)
    return evidence.sentence(found, row, now) if found is not None else words.flag(row)


def _more(row: Row, cells: int, size: Wall) -> list[Line]:
    """What else speaks for it, and where it stands in its plan."""
    first = _cause(row, size.now)
    said = [(text, role) for text, role in detail.why(row, size.now) if text != first and "score" not in text[:6]]
    lines = [cut(line(" " * MARGIN, Piece(text, role)), cells) for text, role in said[:2]]
    plan = detail.steps(row.rollout, cells - MARGIN)
    return lines + [line(" " * MARGIN, *each.pieces[2:]) for each in plan]


def _charts(row: Row, high: int, cells: int, size: Wall) -> list[Line]:
    loud = {found.metric for found in (row.verdict.evidence if row.verdict else ()) if found.harm >= rows.HARMFUL}
    abreast = max(1, min(3, (cells - 4) // CHART_CELLS))
    shown: list[Metric] = []
    score = evidence.course(row) if abreast > 2 else None
    for name in detail.charted(row)[: abreast - (score is not None)]:
        metric = evidence.metric(row, name)
        if metric is not None:
            shown.append(metric)
    shown += [score] if score is not None else []
    if not shown or high < 3:
        return []
    wide = (cells - 2) // len(shown)
    drawn = [chart(each, Box(wide - 3, high - 1, size.graphs), each.name in loud) for each in shown]
    joined = drawn[0]
    for at, more in enumerate(drawn[1:], 1):
        joined = beside(joined, more, at * wide, cells)
    return joined
