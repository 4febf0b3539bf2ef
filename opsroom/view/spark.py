"""Sparklines: a series in a few cells, on a scale that is the same for every row.

A scale per row would blow noise up to the full height and make two rows incomparable. Time buckets are multiples of
the wall clock, so that a cell once drawn does not change while the series moves on; gaps stay gaps.
Braille: 2 samples by 4 levels a cell (Unicode 2800 block). Blocks: 1 sample by 8 levels. ASCII: 1 by 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from opsroom.domain.series import Series

_LEFT = (0x40, 0x44, 0x46, 0x47)
_RIGHT = (0x80, 0xA0, 0xB0, 0xB8)
"""Dots of the two columns of a braille cell, filled from below to level 1..4."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = ".:|#"


class Graphs(StrEnum):
    """What graphs are drawn with."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"


def level(metric: str, value: float, baseline: float | None) -> float:
    """Height 0..1 of ``value`` on the fixed scale of ``metric``.

    ``error_rate``: square root up to 10 %, so that 0.5 % can be told from none. All others: how many times the
    baseline of the same moment, on a logarithmic scale from 1/2 to 8 (1 lies at a quarter); where there is no
    baseline to compare with, one quarter.
    """
    if metric == "error_rate":
        return min(1.0, math.sqrt(max(0.0, value) / 0.1))
    if baseline is None or baseline <= 0 or value <= 0:
        return 0.0 if value <= 0 else 0.25
    return min(1.0, max(0.0, (math.log2(value / baseline) + 1.0) / 4.0))


def buckets(series: Series, samples: int) -> tuple[list[float | None], float]:
    """The newest ``samples`` means over wall-clock buckets, oldest first, and the seconds of one bucket."""
    values = series.values
    if not values or samples <= 0 or series.step <= 0 or not math.isfinite(series.end / series.step):
        return [None] * max(0, samples), series.step
    factor = max(1, math.ceil(len(values) / samples))
    newest = round(series.end / series.step)
    sums: dict[int, tuple[float, int]] = {}
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            continue
        bucket = (newest - (len(values) - 1 - index)) // factor
        total, seen = sums.get(bucket, (0.0, 0))
        sums[bucket] = (total + value, seen + 1)
    last = newest // factor
    means = [sums.get(bucket) for bucket in range(last - samples + 1, last + 1)]
    return [None if mean is None else mean[0] / mean[1] for mean in means], factor * series.step


def spark(metric: str, canary: Series, baseline: Series, cells: int, graphs: Graphs) -> str:
    """``canary`` in exactly ``cells`` cells, newest at the right."""
    per_cell = 2 if graphs is Graphs.BRAILLE else 1
    values, _ = buckets(canary, cells * per_cell)
    others, _ = buckets(baseline, cells * per_cell)
    heights = [
        None if value is None else level(metric, value, other) for value, other in zip(values, others, strict=True)
    ]
    return draw(heights, graphs)


def draw(heights: Sequence[float | None], graphs: Graphs) -> str:
    """Heights 0..1 as characters: two heights a cell in braille, one otherwise; None is a blank."""
    if graphs is Graphs.BRAILLE:
        pairs = zip(heights[::2], heights[1::2], strict=False)
        return "".join(_braille(left, right) for left, right in pairs)
    signs = _BLOCKS if graphs is Graphs.BLOCK else _ASCII
    return "".join(" " if height is None else signs[_step(height, len(signs)) - 1] for height in heights)


def _step(height: float, levels: int) -> int:
    return min(levels, 1 + int(height * levels))


def _braille(left: float | None, right: float | None) -> str:
    dots = (0 if left is None else _LEFT[_step(left, 4) - 1]) | (0 if right is None else _RIGHT[_step(right, 4) - 1])
    return chr(0x2800 + dots) if dots else " "
