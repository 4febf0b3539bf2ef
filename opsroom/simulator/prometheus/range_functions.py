"""Functions of a range vector: what `rate`, `increase` and the `_over_time` family make of each window.

Source: prometheus/promql/functions.go (2.42), extrapolatedRate, instantValue and the aggregations over time. All
windows of all series are computed at once from prefix sums and the rows of their first and last samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.block import Block, at
from opsroom.simulator.prometheus.values import Range

Answer = tuple[Floats, Bools]


def _rate(selected: Range) -> Answer:
    return _extrapolated(selected, counter=True, per_second=True)


def _increase(selected: Range) -> Answer:
    return _extrapolated(selected, counter=True, per_second=False)


def _delta(selected: Range) -> Answer:
    return _extrapolated(selected, counter=False, per_second=False)


def _irate(selected: Range) -> Answer:
    return _last_two(selected, counter=True)


def _idelta(selected: Range) -> Answer:
    return _last_two(selected, counter=False)


def _extrapolated(selected: Range, counter: bool, per_second: bool) -> Answer:
    block, windows = selected.block, selected.windows
    first, last, count = windows.first, windows.last, windows.count
    start_value, start, end = at(block.values, first), block.times[first], block.times[last]
    change = at(block.values, last) - start_value
    if counter:
        change = change + _between(_reset_amounts(block), first, last)
    sampled = (end - start) / 1000
    to_start = (start - (selected.ends[:, None] - selected.width)) / 1000
    to_end = (selected.ends[:, None] - end) / 1000
    gap = sampled / np.maximum(count - 1, 1)
    if counter:
        # A counter cannot have been below zero: never extrapolate past where it would have started.
        to_zero = sampled * (start_value / change)
        bounded = (change > 0) & (start_value >= 0) & (to_zero < to_start)
        to_start = np.where(bounded, to_zero, to_start)
    threshold = gap * 1.1
    covered = sampled + np.where(to_start < threshold, to_start, gap / 2)
    covered = covered + np.where(to_end < threshold, to_end, gap / 2)
    factor = covered / sampled
    if per_second:
        factor = factor / (selected.width / 1000)
    return change * factor, count >= 2


def _filled(block: Block) -> Floats:
    """[T, N] the newest sample at or before each row; meaningless before the first one."""
    return block.values if block.complete else at(block.values, np.maximum(block.previous, 0))


def _steps(block: Block) -> tuple[Floats, Floats, Bools]:
    """Samples [T - 1, N] with the ones before them, and where both are there."""
    filled = _filled(block)
    there = block.present[1:] if block.complete else block.present[1:] & (block.previous[:-1] >= 0)
    return filled[1:], filled[:-1], there


def _reset_amounts(block: Block) -> Floats:
    """[T, N] what a counter lost at each row by starting again."""
    new, old, there = _steps(block)
    lost = np.where(there & (new < old), old, 0.0)
    return np.concatenate([np.zeros((1, lost.shape[1])), lost])


def _between(amounts: Floats, first: Ints, last: Ints) -> Floats:
    """Sums of `amounts` after row `first` up to row `last`."""
    if not amounts.any():
        return np.zeros(first.shape)
    finite = np.isfinite(amounts)
    summed = np.cumsum(np.where(finite, amounts, 0.0), axis=0)
    total = at(summed, last) - at(summed, first)
    if finite.all():
        return total
    # Differences of infinite sums are NaN, so infinite amounts are looked for one sign at a time.
    for infinite in (np.inf, -np.inf):
        seen = np.cumsum(amounts == infinite, axis=0)
        total = total + np.where(at(seen, last) > at(seen, first), infinite, 0.0)
    return total


def _last_two(selected: Range, counter: bool) -> Answer:
    block, windows = selected.block, selected.windows
    last = windows.last
    if block.complete:
        before = np.maximum(last - 1, 0)
    else:
        before = np.maximum(np.take_along_axis(block.previous, np.maximum(last - 1, 0), axis=0), 0)
    new, old = at(block.values, last), at(block.values, before)
    change = new - old
    if counter:
        change = np.where(new < old, new, change) / ((block.times[last] - block.times[before]) / 1000)
    return change, windows.count >= 2


def _changes(selected: Range) -> Answer:
    new, old, there = _steps(selected.block)
    differs = there & (new != old) & ~(np.isnan(new) & np.isnan(old))
    return _counted(selected, differs)


def _resets(selected: Range) -> Answer:
    new, old, there = _steps(selected.block)
    return _counted(selected, there & (new < old))


def _counted(selected: Range, happened: Bools) -> Answer:
    amounts = np.concatenate([np.zeros((1, happened.shape[1])), happened.astype(np.float64)])
    windows = selected.windows
    return _between(amounts, windows.first, windows.last), windows.count > 0


def _sum(selected: Range) -> Answer:
    cells = np.where(selected.block.present, selected.block.values, 0.0)
    return selected.windows.reduce(np.add, cells), selected.windows.count > 0


def _avg(selected: Range) -> Answer:
    total, there = _sum(selected)
    return total / np.maximum(selected.windows.count, 1), there


def _count(selected: Range) -> Answer:
    return selected.windows.count.astype(np.float64), selected.windows.count > 0


def _max(selected: Range) -> Answer:
    return selected.windows.reduce(np.fmax, _quiet(selected.block)), selected.windows.count > 0


def _min(selected: Range) -> Answer:
    return selected.windows.reduce(np.fmin, _quiet(selected.block)), selected.windows.count > 0


def _quiet(block: Block) -> Floats:
    """Values with ordinary NaN in the empty cells, which fmax and fmin pass over as Prometheus does.

    The markers of empty cells are signalling NaN, and one of those wins against any number.
    """
    return np.where(block.present, block.values, np.nan)


def _last(selected: Range) -> Answer:
    return at(selected.block.values, selected.windows.last), selected.windows.count > 0


def _present(selected: Range) -> Answer:
    return np.ones(selected.windows.count.shape), selected.windows.count > 0


RANGE_FUNCTIONS: Mapping[str, Callable[[Range], Answer]] = {
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "irate": _irate,
    "idelta": _idelta,
    "changes": _changes,
    "resets": _resets,
    "sum_over_time": _sum,
    "avg_over_time": _avg,
    "count_over_time": _count,
    "max_over_time": _max,
    "min_over_time": _min,
    "last_over_time": _last,
    "present_over_time": _present,
}
