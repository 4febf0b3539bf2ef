"""A metric's canary against its baseline on one axis, with the baseline's band and all gaps.

The canary is a solid line, the baseline a dotted one, so the two can be told apart without colour; the band is the
middle 80 % of the baseline's own values. The axis ends at a round number, so that it does not twitch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsroom.domain.series import Metric, Series
from opsroom.view import evidence, numbers
from opsroom.view.cells import fit
from opsroom.view.line import Ground, Line, Piece, Role, line, sides
from opsroom.view.spark import Graphs, buckets

AXIS = 8
"""Cells of the labels at the left."""

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille dots of a cell by row and column (Unicode 2800 block)."""

LEAST_VALUES = 30
"""A chart's width stands for at least so many values, so that a young canary is not drawn as an old one."""

_ROUND = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)

Values = Sequence[float | None]
Cells = list[list[tuple[str, Role]]]


@dataclass(frozen=True, slots=True)
class Box:
    """What there is room for."""

    cells: int
    rows: int
    """Of the plot alone; the title comes on top."""
    graphs: Graphs


@dataclass(frozen=True, slots=True)
class Canvas:
    """A plot's size in dots, and the value at its top."""

    wide: int
    high: int
    top: float

    def y(self, value: float) -> int:
        """Row of dots from above."""
        return self.high - 1 - min(self.high - 1, max(0, round(value / self.top * (self.high - 1))))


def chart(metric: Metric, box: Box, stands_out: bool) -> list[Line]:
    """A title line and ``box.rows`` lines of plot."""
    dots = 2 if box.graphs is Graphs.BRAILLE else 1
    wide = max(4, box.cells - AXIS) * dots
    canary, seconds = _sampled(metric.canary, wide)
    baseline, _ = _sampled(metric.baseline, wide)
    canvas = Canvas(wide, box.rows * (4 if dots == 2 else 1), ceiling(metric.name, canary, baseline))
    ours, theirs = list(_trace(canary, canvas)), list(_points(baseline, canvas))
    cells = _braille(ours, theirs, canvas) if dots == 2 else _signs(ours, theirs, canvas)
    low, high = band(metric.baseline.values)
    plot = []
    for index, signs in enumerate(cells):
        upper = canvas.top * (box.rows - index) / box.rows
        lower = canvas.top * (box.rows - index - 1) / box.rows
        banded = low is not None and high is not None and high >= lower and low < upper
        made = _runs(signs, Ground.BAND if banded else None, stands_out)
        label = fit(_label(metric.name, index, box.rows, canvas.top), AXIS - 1, right=True)
        plot.append(Line((Piece(label + " ", Role.DIM), *made)))
    return [_title(metric, box, stands_out, len(canary) * seconds), *plot]


def ceiling(name: str, *series: Values) -> float:
    """The round number at the top of the axis."""
    if name == "score":
        return 1.0
    most = max((value for values in series for value in values if value is not None), default=0.0)
    most = max(most, 0.02 if name == "error_rate" else 1e-9)
    power = 10.0 ** math.floor(math.log10(most))
    return next((factor * power for factor in _ROUND if factor * power >= most * 0.9999), 10 * power)


def band(values: Values) -> tuple[float | None, float | None]:
    """The middle 80 % of the baseline's values; (None, None) below five values."""
    known = sorted(value for value in values if value is not None)
    if len(known) < 5:
        return None, None
    return known[len(known) // 10], known[-1 - len(known) // 10]


def _sampled(series: Series, wide: int) -> tuple[list[float | None], float]:
    """At most one value for each column of dots, and the seconds of one value; a young series keeps its place."""
    length = min(wide, max(len(series.values), LEAST_VALUES))
    return buckets(series, length)


def _points(values: Values, canvas: Canvas) -> Iterator[tuple[int, int]]:
    """Every second dot along the values: a dotted line."""
    for x, y in _trace(values, canvas, joined=False):
        if x % 2 == 0:
            yield x, y


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


def _braille(ours: list[tuple[int, int]], theirs: list[tuple[int, int]], canvas: Canvas) -> Cells:
    grid = [[0] * (canvas.wide // 2) for _ in range(canvas.high // 4)]
    own = [[False] * (canvas.wide // 2) for _ in range(canvas.high // 4)]
    for x, y in ours:
        grid[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        own[y // 4][x // 2] = True
    for x, y in theirs:
        if not own[y // 4][x // 2]:
            grid[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return [
        [(chr(0x2800 + bits) if bits else " ", Role.CANARY if mine else Role.BASELINE) for bits, mine in cells]
        for cells in (list(zip(b, m, strict=True)) for b, m in zip(grid, own, strict=True))
    ]


def _signs(ours: list[tuple[int, int]], theirs: list[tuple[int, int]], canvas: Canvas) -> Cells:
    grid: Cells = [[(" ", Role.BASELINE)] * canvas.wide for _ in range(canvas.high)]
    for dots, sign, role in ((theirs, ".", Role.BASELINE), (ours, "#", Role.CANARY)):
        for x, y in dots:
            grid[y][x] = (sign, role)
    return grid


def _title(metric: Metric, box: Box, stands_out: bool, seconds: float) -> Line:
    name, canary, baseline = metric.name, metric.canary.last, metric.baseline.last
    low, high = band(metric.baseline.values)
    words = [
        Piece(fit(evidence.name(name), AXIS - 1, right=True) + " ", Role.STRONG),
        Piece(evidence.value(name, canary, baseline), Role.FLAGGED if stands_out else Role.CANARY),
    ]
    if metric.baseline.values:
        words += [Piece("  baseline ", Role.DIM), Piece(evidence.value(name, baseline, canary), Role.BASELINE)]
    if low is not None and high is not None and box.cells >= 58:
        words.append(Piece(f"  band {evidence.value(name, low, high)} to {evidence.value(name, high, low)}", Role.DIM))
    return sides(line(*words), line(Piece(numbers.duration(seconds), Role.DIM)), box.cells)


def _label(name: str, index: int, rows: int, top: float) -> str:
    if index == 0:
        return evidence.axis(name, top)
    return "0" if index == rows - 1 else ""


def _runs(cells: list[tuple[str, Role]], ground: Ground | None, stands_out: bool) -> list[Piece]:
    """Neighbouring cells of one role as one piece."""
    pieces: list[Piece] = []
    for sign, found in cells:
        role = Role.FLAGGED if stands_out and found is Role.CANARY else found
        if pieces and (pieces[-1].role is role or sign == " "):
            pieces[-1] = pieces[-1]._replace(text=pieces[-1].text + sign)
        else:
            pieces.append(Piece(sign, role, ground))
    return pieces
