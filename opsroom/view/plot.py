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

    def y(self, value: float) -> int:
        """Row of dots from above."""
        return self.high - 1 - min(self.high - 1, max(0, round(value / self.top * (self.high - 1))))


def plotted(canary: Values, baseline: Values, canvas: Canvas, graphs: Graphs) -> Cells:
    """The canary as a solid line over the baseline's dots, row by row of cells."""
    apart = _APART[graphs]
    theirs = [(x, y) for x, y in _trace(baseline, canvas, joined=False) if x % apart == 0]
    ours = list(_trace(canary, canvas))
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
    return [
        [(_sign(graphs, bits), Role.CANARY if mine else Role.BASELINE) for bits, mine in zip(row, whose, strict=True)]
        for row, whose in zip(grid, own, strict=True)
    ]


def _bit(graphs: Graphs, column: int, row: int) -> int:
    return _BRAILLE[row][column] if graphs is Graphs.BRAILLE else 1 << (2 * row + column)


def _sign(graphs: Graphs, bits: int) -> str:
    if graphs is Graphs.BLOCK:
        return _QUARTERS[bits]
    return chr(0x2800 + bits) if bits else " "


def _letters(ours: Dots, theirs: Dots, canvas: Canvas) -> Cells:
    grid: Cells = [[(" ", Role.BASELINE)] * canvas.wide for _ in range(canvas.high)]
    for dots, sign, role in ((theirs, ".", Role.BASELINE), (ours, "#", Role.CANARY)):
        for x, y in dots:
            grid[y][x] = (sign, role)
    return grid


def _trace(values: Values, canvas: Canvas, joined: bool = True) -> Iterator[tuple[int, int]]:
    """Dots of a line through the values, spread over the whole width; a gap interrupts it."""
    before: tuple[int, float] | None = None
    spread = (canvas.wide - 1) / max(1, len(values) - 1)
    for index, value in enumerate(values):
        if value is None:
            before = None
            continue
        x = round(index * spread)
        x0, v0 = before or (x, value)
        last = canvas.y(v0)
        for column in range(x0 + 1 if before else x, x + 1):
            part = (column - x0) / (x - x0) if x > x0 else 1.0
            y = canvas.y(v0 + (value - v0) * part)
            for dot in range(min(y, _next(last, y)), max(y, _next(last, y)) + 1) if joined else (y,):
                yield column, dot
            last = y
        before = (x, value)


def _next(last: int, y: int) -> int:
    """The neighbour of ``last`` on the way to ``y``: a line without holes and without double dots."""
    return last + (1 if y > last else -1 if y < last else 0)
