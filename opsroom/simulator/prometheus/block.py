"""Raw samples of several series over one stretch of time, and the windows that range selectors cut from it.

All series share one time axis; a series with no sample at a time has an empty cell there. Every window of a
range query is a pair of row numbers, so no function here loops over steps in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.grouping import Numbers

# Go's math.NaN() and the two markers: Prometheus' own stale marker (model/value/value.go) and ours for "no
# sample here". All are NaN to arithmetic; only the bits differ.
STALE_BITS = 0x7FF0000000000002
EMPTY_BITS = 0x7FF0000000000ABC
STALE = np.array([STALE_BITS], dtype=np.int64).view(np.float64)
EMPTY = np.array([EMPTY_BITS], dtype=np.int64).view(np.float64)


@dataclass(frozen=True)
class Block:
    """`times` [T] in ms, ascending; `values` [T, N]; `present` [T, N] a true sample; `stale` [T, N] a marker."""

    times: Ints
    values: Floats
    present: Bools
    stale: Bools

    @cached_property
    def complete(self) -> bool:
        """Every cell holds a sample: windows then need no search for the first and last one."""
        return bool(self.present.all())

    @cached_property
    def previous(self) -> Ints:
        """[T, N] row of the newest sample at or before each row, -1 where there is none."""
        rows = np.where(self.present, np.arange(len(self.times))[:, None], -1)
        return np.maximum.accumulate(rows, axis=0)

    @cached_property
    def following(self) -> Ints:
        """[T, N] row of the oldest sample at or after each row, T where there is none."""
        size = len(self.times)
        rows = np.where(self.present, np.arange(size)[:, None], size)
        return np.minimum.accumulate(rows[::-1], axis=0)[::-1]

    @cached_property
    def counted(self) -> Ints:
        """[T + 1, N] samples before each row."""
        zero = np.zeros((1, self.values.shape[1]), dtype=np.int64)
        return np.concatenate([zero, np.cumsum(self.present, axis=0, dtype=np.int64)])


def from_cells(times: Ints, cells: Floats) -> Block:
    """A block from stored cells, told apart by their bits."""
    bits = cells.view(np.int64)
    stale = bits == STALE_BITS
    return Block(times, cells, ~(stale | (bits == EMPTY_BITS)), stale)


@dataclass(frozen=True)
class Windows:
    """One window a step over a block: rows `low` to `high` (exclusive), both [S]."""

    block: Block
    low: Ints
    high: Ints

    @cached_property
    def count(self) -> Ints:
        """[S, N] samples in each window."""
        if self.block.complete:
            width = (self.high - self.low)[:, None]
            return np.broadcast_to(width, (len(self.low), self.block.values.shape[1]))
        return self.block.counted[self.high] - self.block.counted[self.low]

    @cached_property
    def first(self) -> Ints:
        """[S, N] row of the oldest sample in each window; any row where `count` is 0."""
        top = len(self.block.times) - 1
        low = np.minimum(self.low, top)
        if self.block.complete:
            return np.broadcast_to(low[:, None], self.count.shape)
        return np.minimum(self.block.following[low], top)

    @cached_property
    def last(self) -> Ints:
        """[S, N] row of the newest sample in each window; any row where `count` is 0."""
        high = np.maximum(self.high - 1, 0)
        if self.block.complete:
            return np.broadcast_to(high[:, None], self.count.shape)
        return np.maximum(self.block.previous[high], 0)

    def reduce(self, operation: np.ufunc, cells: Floats) -> Floats:
        """[S, N] `operation` over the rows of each window of `cells`; meaningless where a window has no row."""
        pairs = np.stack([self.low, self.high], axis=1).reshape(-1)
        # reduceat takes no index equal to the length, so one more row stands at the end and is never used.
        padded = np.concatenate([cells, cells[-1:]])
        reduced: Floats = operation.reduceat(padded, pairs, axis=0)[::2]
        return reduced


def windows(block: Block, starts: Ints, ends: Ints) -> Windows:
    """Windows from `starts` to `ends` (ms, [S]), both ends included as Prometheus 2.x has it."""
    low = np.searchsorted(block.times, starts, side="left").astype(np.int64)
    high = np.searchsorted(block.times, ends, side="right").astype(np.int64)
    return Windows(block, low, np.maximum(high, low))


def at(table: Numbers, rows: Ints) -> Numbers:
    """[S, N] cells of `table` [T, N] at `rows` [S, N]."""
    return np.take_along_axis(table, rows, axis=0)
