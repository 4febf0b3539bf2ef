"""Samples of many series in memory for a bounded time, a whole scrape appended at once.

Rows are scrapes and columns are series, in chunks of time: a scrape is one row write, old time goes by dropping
a chunk, and a chunk has room for those series only that were scraped in its time. Numbers of series that left memory
are given out again. So a day of new pods does not grow it. What cannot happen: two samples of a series at one time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.block import EMPTY, STALE, Block, from_cells
from opsroom.simulator.prometheus.labels import Labels, Texts
from opsroom.simulator.prometheus.matchers import Matcher

NEVER = -(2**62)


class _Chunk:
    """Some rows of time with a column for each series that has a sample among them.

    `place` gives a series' column by its number, -1 for none; cells without a sample hold the empty marker.
    """

    def __init__(self, rows: int) -> None:
        self.times: Ints = np.zeros(rows, dtype=np.int64)
        self.used = 0
        self._data: Floats = np.zeros((rows, 0))
        self._place: Ints = np.zeros(0, dtype=np.int64)
        self._width = 0

    def put(self, row: int, ids: Ints, values: Floats) -> None:
        if len(ids) and (more := int(ids.max()) + 1 - len(self._place)) > 0:
            self._place = np.concatenate([self._place, np.full(_roomy(more), -1, dtype=np.int64)])
        new = ids[self._place[ids] < 0]
        if len(new):
            self._place[new] = np.arange(self._width, self._width + len(new))
            self._width += len(new)
            if (more := self._width - self._data.shape[1]) > 0:
                extra = np.full((len(self.times), _roomy(more)), EMPTY[0])
                self._data = np.concatenate([self._data, extra], axis=1)
        self._data[row, self._place[ids]] = values

    def cells(self, low: int, high: int, ids: Ints) -> Floats:
        known = ids < len(self._place)
        columns = self._place[ids[known]]
        if known.all() and (columns >= 0).all():
            return np.take(self._data[low:high], columns, axis=1)
        found = np.full((high - low, len(ids)), EMPTY[0])
        there = columns >= 0
        found[:, np.flatnonzero(known)[there]] = np.take(self._data[low:high], columns[there], axis=1)
        return found


def _roomy(more: int) -> int:
    """Room for `more` and some, so that arrays are seldom copied."""
    return more + more // 8 + 64


class Tsdb:
    """The store. Times are seconds at the door and whole milliseconds inside, as in Prometheus."""

    def __init__(self, retention_seconds: float = 2400.0, rows_per_chunk: int = 120) -> None:
        self.texts = Texts()
        self.retention_seconds = retention_seconds
        self._retention = round(retention_seconds * 1000)
        self._rows = rows_per_chunk
        self._chunks: list[_Chunk] = []
        self._ids: dict[tuple[tuple[str, str], ...], int] = {}
        self._keys: list[tuple[tuple[str, str], ...] | None] = []
        self._free: list[int] = []
        self._columns: dict[str, Ints] = {}
        self._room = 256
        self._newest: Ints = np.full(self._room, NEVER, dtype=np.int64)
        self._oldest: Ints = np.full(self._room, NEVER, dtype=np.int64)
        self._held: Bools = np.zeros(self._room, dtype=np.bool_)
        self._alive: Bools = np.zeros(self._room, dtype=np.bool_)

    @property
    def newest_time(self) -> float | None:
        """The newest sample's time in seconds, None while there is none."""
        return int(self._newest_ms()) / 1000 if self._chunks else None

    def series(self, labels: Mapping[str, str]) -> int:
        """The number of the series with these labels (`__name__` among them), held until `release`."""
        key = tuple(sorted((name, value) for name, value in labels.items() if value))
        number = self._ids.get(key)
        if number is None:
            number = self._admit(key)
        self._held[number] = True
        return number

    def release(self, ids: Sequence[int] | Ints) -> None:
        """Let go of series: their numbers may serve others once their samples are past retention."""
        self._held[np.asarray(ids, dtype=np.int64)] = False

    def append(self, series_id: int, t: float, value: float) -> None:
        """One sample; raises ValueError when `t` lies before the newest row and is not a row itself."""
        self.append_batch(np.array([series_id]), t, np.array([value], dtype=np.float64))

    def append_batch(self, ids: Ints, t: float, values: Floats) -> None:
        """Samples of different series at one time (seconds); raises ValueError as `append` does."""
        ms = round(t * 1000)
        chunk, row = self._row(ms)
        chunk.put(row, ids, values)
        self._newest[ids] = np.maximum(self._newest[ids], ms)
        self._oldest[ids] = np.where(self._oldest[ids] == NEVER, ms, self._oldest[ids])

    def mark_stale(self, ids: Ints, t: float) -> None:
        """Say that these series ended: they answer nothing from `t` on."""
        self.append_batch(ids, t, np.full(len(ids), STALE[0]))

    def scrape(self, ids: Ints, t: float, values: Floats) -> None:
        """One scrape of everything: what the last one had and this one has not becomes stale at `t`."""
        now = np.zeros(self._room, dtype=np.bool_)
        now[ids] = True
        self.append_batch(ids, t, values)
        gone = np.flatnonzero(self._alive & ~now)
        if len(gone):
            self.mark_stale(gone, t)
        self._alive = now

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Ints:
        """Numbers of the series that match all and have a sample (or marker) in the time between."""
        size = len(self._keys)
        chosen = (self._newest[:size] >= start_ms) & (self._oldest[:size] <= end_ms)
        chosen &= self._newest[:size] != NEVER
        zeros = np.zeros(size, dtype=np.int64)
        for matcher in matchers:
            column = self._columns.get(matcher.name)
            chosen &= matcher.accepts(zeros if column is None else column[:size], self.texts)
        return np.flatnonzero(chosen)

    def labels(self, ids: Ints) -> Labels:
        """The label sets of these series."""
        columns = {name: codes[ids] for name, codes in self._columns.items()}
        return Labels(self.texts, {name: codes for name, codes in columns.items() if codes.any()}, len(ids))

    def read(self, ids: Ints, start_ms: int, end_ms: int) -> Block:
        """All cells of these series from `start_ms` to `end_ms`, both included."""
        times: list[Ints] = [np.zeros(0, dtype=np.int64)]
        cells: list[Floats] = [np.zeros((0, len(ids)))]
        for chunk in self._chunks:
            used = chunk.times[: chunk.used]
            low = int(np.searchsorted(used, start_ms, side="left"))
            high = int(np.searchsorted(used, end_ms, side="right"))
            if low < high:
                times.append(used[low:high])
                cells.append(chunk.cells(low, high, ids))
        return from_cells(np.concatenate(times), np.concatenate(cells))

    def _admit(self, key: tuple[tuple[str, str], ...]) -> int:
        number = self._free.pop() if self._free else len(self._keys)
        if number == len(self._keys):
            self._keys.append(None)
            if number >= self._room:
                self._grow()
        self._keys[number] = key
        self._ids[key] = number
        for name, value in key:
            if name not in self._columns:
                self._columns[name] = np.zeros(self._room, dtype=np.int64)
            self._columns[name][number] = self.texts.code(value)
        return number

    def _grow(self) -> None:
        more = self._room
        self._room *= 2
        never = np.full(more, NEVER, dtype=np.int64)
        self._newest = np.concatenate([self._newest, never])
        self._oldest = np.concatenate([self._oldest, never])
        self._held = np.concatenate([self._held, np.zeros(more, dtype=np.bool_)])
        self._alive = np.concatenate([self._alive, np.zeros(more, dtype=np.bool_)])
        zeros = np.zeros(more, dtype=np.int64)
        self._columns = {name: np.concatenate([codes, zeros]) for name, codes in self._columns.items()}

    def _newest_ms(self) -> int:
        chunk = self._chunks[-1]
        return int(chunk.times[chunk.used - 1])

    def _row(self, ms: int) -> tuple[_Chunk, int]:
        """The chunk and row for a time, made now when it is newer than all; ValueError when it is too old."""
        if not self._chunks or ms > self._newest_ms():
            if not self._chunks or self._chunks[-1].used == self._rows:
                self._expire(ms)
                self._chunks.append(_Chunk(self._rows))
            chunk = self._chunks[-1]
            chunk.times[chunk.used] = ms
            chunk.used += 1
            return chunk, chunk.used - 1
        for chunk in reversed(self._chunks):
            row = int(np.searchsorted(chunk.times[: chunk.used], ms))
            if row < chunk.used and chunk.times[row] == ms:
                return chunk, row
        raise ValueError(f"out of order sample: {ms} ms is before the newest, {self._newest_ms()} ms")

    def _expire(self, ms: int) -> None:
        """Drop chunks past retention, then the series that have nothing left and nobody holds."""
        limit = ms - self._retention
        kept = [chunk for chunk in self._chunks if chunk.times[chunk.used - 1] >= limit]
        if len(kept) == len(self._chunks):
            return
        self._chunks = kept
        oldest = int(kept[0].times[0]) if kept else ms
        size = len(self._keys)
        known = np.array([key is not None for key in self._keys], dtype=np.bool_)
        self._oldest[:size] = np.where(self._oldest[:size] == NEVER, NEVER, np.maximum(self._oldest[:size], oldest))
        gone = known & (self._newest[:size] < oldest) & ~self._held[:size] & ~self._alive[:size]
        for number in np.flatnonzero(gone).tolist():
            self._forget(number)

    def _forget(self, number: int) -> None:
        key = self._keys[number]
        if key is not None:
            del self._ids[key]
        self._keys[number] = None
        self._newest[number] = self._oldest[number] = NEVER
        for codes in self._columns.values():
            codes[number] = 0
        self._free.append(number)
