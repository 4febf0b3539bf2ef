"""Two courses drawn as lines of dots into cells: braille, quarter blocks or plain letters.

A cell holds several dots (braille 2x4, blocks 2x2, letters 1x1), so lines are drawn on a canvas of dots first. Where
both lines meet in a cell the canary's wins. Unicode: braille 2800, quadrants in the Block Elements (2580).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from opsroom.view.line import Role
from opsroom.view.spark import Graphs

Values = Sequence[float | None]
Cells = list[list[tuple[str, Role]]]
Dots = Iterable[tuple[int, int]]

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of a dot by its row and column in the cell."""

_QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the bits of upper left, upper right, lower left, lower right."""

SIZE = {Graphs.BRAILLE: (2, 4), Graphs.BLOCK: (2, 2), Graphs.ASCII: (1, 1)}
"""Dots of a cell, across and down."""

_APART = {Graphs.BRAILLE: 2, Graphs.BLOCK: 4, Graphs.ASCII: 2}
"""The baseline is a dot every so many dots."""


class Canvas(msgspec.Struct, frozen=True):
    """A plot's size in dots, and the value at its top."""

    wide: int
    high: int
    top: float


def plotted(canary: Values, baseline: Values, canvas: Canvas, graphs: Graphs) -> Cells:
    """The canary as a solid line over the baseline's dots, row by row of cells."""
    theirs = list(_points(baseline, canvas, _APART[graphs]))
    ours = list(_line(canary, canvas))
    if graphs is Graphs.ASCII:
        return _letters(ours, theirs, canvas)
    across, down = SIZE[graphs]
    grid = [[0] * (canvas.wide // across) for _ in range(canvas.high // down)]
    own = [[False] * (canvas.wide // across) for _ in range(canvas.high // down)]
    for x, y in ours:
        grid[y // down][x // across] |= _bit(graphs, x % across, y % down)
        own[y // down][x // across] = True
    for x, y in theirs:
        if not own[y // down][x // across]:
            grid[y // down][x // across] |= _bit(graphs, x % across, y % down)
    sign = _QUARTERS.__getitem__ if graphs is Graphs.BLOCK else _braille
    return [
        [(sign(bits), Role.CANARY if mine else Role.BASELINE) for bits, mine in zip(row, whose, strict=True)]
        for row, whose in zip(grid, own, strict=True)
    ]


def _braille(bits: int) -> str:
    return chr(0x2800 + bits) if bits else " "


def _bit(graphs: Graphs, column: int, row: int) -> int:
    return _BRAILLE[row][column] if graphs is Graphs.BRAILLE else 1 << (2 * row + column)


def _letters(ours: Dots, theirs: Dots, canvas: Canvas) -> Cells:
    grid: Cells = [[(" ", Role.BASELINE)] * canvas.wide for _ in range(canvas.high)]
    for dots, sign, role in ((theirs, ".", Role.BASELINE), (ours, "#", Role.CANARY)):
        for x, y in dots:
            grid[y][x] = (sign, role)
    return grid


def _places(values: Values, canvas: Canvas) -> list[tuple[int, float] | None]:
    """Column and height (dots from above) of each value, spread over the whole width; a gap stays one."""
    spread = (canvas.wide - 1) / max(1, len(values) - 1)
    low = canvas.high - 1
    scale = low / canvas.top
    return [
        None if value is None else (round(at * spread), low - min(low, max(0.0, value * scale)))
        for at, value in enumerate(values)
    ]


def _line(values: Values, canvas: Canvas) -> Iterator[tuple[int, int]]:
    """Dots of a line through the values, without holes and without double dots; a gap interrupts it."""
    before: tuple[int, float] | None = None
    last = 0
    for place in _places(values, canvas):
        if place is None:
            before = None
            continue
        x, height = place
        if before is None:
            last = round(height)
            yield x, last
        else:
            x0, from_ = before
            slope = (height - from_) / (x - x0) if x > x0 else 0.0
            for column in range(x0 + 1, x + 1):
                y = round(from_ + slope * (column - x0))
                if y == last:
                    yield column, y
                else:
                    step = 1 if y > last else -1
                    for dot in range(last + step, y + step, step):
                        yield column, dot
                    last = y
        before = place


def _points(values: Values, canvas: Canvas, apart: int) -> Iterator[tuple[int, int]]:
    """Every ``apart``-th dot of the way between the values."""
    before: tuple[int, float] | None = None
    for place in _places(values, canvas):
        if place is not None:
            x, height = place
            x0, from_ = before or place
            slope = (height - from_) / (x - x0) if x > x0 else 0.0
            first = x0 + 1 if before else x
            for column in range(first + -first % apart, x + 1, apart):
                yield column, round(from_ + slope * (column - x0))
        before = place
