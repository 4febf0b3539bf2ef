"""A metric's canary against its baseline on one axis, with the baseline's band and all gaps.

The canary is a solid line, the baseline a dotted one, so the two can be told apart without colour; the band is the
middle 80 % of the baseline's own values. The axis ends at a round number, so that it does not twitch. The width is
what the two have seen together: of a young canary there is a short time in large, not a long one left blank.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE
from opsroom.view import evidence, numbers
from opsroom.view.cells import fit
from opsroom.view.line import Ground, Line, Piece, Role, line, sides
from opsroom.view.plot import SIZE, Canvas, Values, plotted
from opsroom.view.spark import Graphs, buckets

AXIS = 9
"""Cells of the labels at the left."""

NAME_MOST = 24

LEAST_VALUES = 6
"""A chart's width stands for at least so many values."""

SCORE = "score"

LEAST_TOP = {"error_rate": 0.02, "restarts": 1.0}
"""What the axis reaches at least, so that next to nothing does not look like much."""

_ROUND = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


class Box(msgspec.Struct, frozen=True):
    """What there is room for."""

    cells: int
    rows: int
    """Of the plot alone; the title comes on top."""
    graphs: Graphs


def chart(metric: Metric, box: Box, stands_out: bool) -> list[Line]:
    """A title line and ``box.rows`` lines of plot."""
    across, down = SIZE[box.graphs]
    wide = max(4, box.cells - AXIS) * across
    seen = span(metric)
    canary, seconds = _sampled(metric.canary, seen, wide)
    baseline, _ = _sampled(metric.baseline, seen, wide)
    canvas = Canvas(wide, box.rows * down, ceiling(metric.name, canary, baseline))
    low, high = (PROMOTE_BELOW, ROLL_BACK_ABOVE) if metric.name == SCORE else band(metric.baseline.values)
    plot = []
    for index, signs in enumerate(plotted(canary, baseline, canvas, box.graphs)):
        upper = canvas.top * (box.rows - index) / box.rows
        lower = canvas.top * (box.rows - index - 1) / box.rows
        banded = low is not None and high is not None and high >= lower and low < upper
        made = _runs(signs, Ground.BAND if banded else None, stands_out)
        label = fit(_label(metric.name, index, box.rows, canvas.top), AXIS - 1, right=True)
        plot.append(Line((Piece(label + " ", Role.DIM), *made)))
    return [_title(metric, box, stands_out, len(canary) * seconds), *plot]


def span(metric: Metric) -> int:
    """How many of the newest values there is something to see in: from the first one of either."""
    lengths = []
    for series in (metric.canary, metric.baseline):
        first = next((at for at, value in enumerate(series.values) if value is not None), len(series.values))
        lengths.append(len(series.values) - first)
    return max(*lengths, LEAST_VALUES)


def ceiling(name: str, *series: Values) -> float:
    """The round number at the top of the axis."""
    if name == SCORE:
        return 1.0
    most = max((value for values in series for value in values if value is not None), default=0.0)
    most = max(most, LEAST_TOP.get(name, 1e-9))
    unit = 1024.0 ** math.floor(math.log(most, 1024)) if name.startswith("memory") and most >= 1024 else 1.0
    power = unit * 10.0 ** math.floor(math.log10(most / unit))
    return next((factor * power for factor in _ROUND if factor * power >= most * 0.9999), 10 * power)


def band(values: Values) -> tuple[float | None, float | None]:
    """The middle 80 % of the baseline's values; (None, None) below five values."""
    known = sorted(value for value in values if value is not None)
    if len(known) < 5:
        return None, None
    return known[len(known) // 10], known[-1 - len(known) // 10]


def _sampled(series: Series, seen: int, wide: int) -> tuple[list[float | None], float]:
    """The newest ``seen`` values, at most one for each column of dots, and the seconds of one."""
    together = math.ceil(seen / wide)
    newest = Series(series.end, series.step, series.values[-seen:])
    return buckets(newest, math.ceil(seen / together))


def _title(metric: Metric, box: Box, stands_out: bool, seconds: float) -> Line:
    name, canary, baseline = metric.name, metric.canary.last, metric.baseline.last
    low, high = band(metric.baseline.values)
    words = [
        Piece(f"{evidence.name(name)[:NAME_MOST]:>{AXIS - 1}} ", Role.STRONG),
        Piece(evidence.value(name, canary, baseline), Role.FLAGGED if stands_out else Role.CANARY),
    ]
    if metric.baseline.values:
        words += [Piece("  baseline ", Role.DIM), Piece(evidence.value(name, baseline, canary), Role.BASELINE)]
    more = ""
    if name == SCORE:
        more = f"  watched on from {PROMOTE_BELOW:.2f} to {ROLL_BACK_ABOVE:.2f}"
    elif low is not None and high is not None:
        more = f"  band {evidence.value(name, low, high)} to {evidence.value(name, high, low)}"
    spans = numbers.duration(seconds)
    room = box.cells - line(*words).width - 2
    end = f"last {spans}" if room >= len(spans) + 5 else spans if room >= len(spans) else ""
    if len(more) + len(end) <= room:
        words.append(Piece(more, Role.DIM))
    return sides(line(*words), line(Piece(end, Role.DIM)), box.cells)


def _label(name: str, index: int, rows: int, top: float) -> str:
    """The value at a row's upper edge: at the top, in the middle of a tall plot, and 0 at the bottom."""
    if index == 0:
        return evidence.axis(name, top)
    if index == rows - 1:
        return "0"
    return evidence.axis(name, top / 2) if rows >= 8 and 2 * index == rows else ""


def _runs(cells: Iterable[tuple[str, Role]], ground: Ground | None, stands_out: bool) -> list[Piece]:
    """Neighbouring cells of one role as one piece; a blank goes with what stands before it."""
    pieces: list[Piece] = []
    signs: list[str] = []
    now = Role.BASELINE
    for sign, role in cells:
        if sign != " " and role is not now:
            if signs:
                pieces.append(_piece(signs, now, ground, stands_out))
            signs, now = [], role
        signs.append(sign)
    if signs:
        pieces.append(_piece(signs, now, ground, stands_out))
    return pieces


def _piece(signs: list[str], role: Role, ground: Ground | None, stands_out: bool) -> Piece:
    return Piece("".join(signs), Role.FLAGGED if stands_out and role is Role.CANARY else role, ground)
