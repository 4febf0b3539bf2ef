"""The last T steps of every metric of every arm, kept so that only the newest steps have to be asked for.

One array a metric, one row an arm, one column a step; going on means shifting columns. Absent is NaN. Which columns
were answered is remembered by metric: silence of a Prometheus that answered is not the silence of one that did not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from opsroom.sources.aligned import Floats

Arm = tuple[str, str]
"""(namespace, name of the ReplicaSet or Service)."""

FIRST_ROWS = 64


class Ring:
    """T steps of ``step`` seconds; call ``advance`` before filling."""

    def __init__(self, step: float, window: int) -> None:
        self.step = step
        self.window = window
        self.end = 0
        """Number of the newest step: its epoch seconds are ``end * step``."""
        self._rows: dict[Arm, int] = {}
        self._free: list[int] = []
        self._capacity = FIRST_ROWS
        self._values: dict[str, Floats] = {}
        self._answered: dict[str, NDArray[np.bool_]] = {}
        self._swept = 0

    @property
    def times(self) -> Floats:
        """Epoch seconds of the columns."""
        return np.arange(self.end - self.window + 1, self.end + 1, dtype=np.float64) * self.step

    def advance(self, end: int) -> None:
        """Make ``end`` the newest step; a jump by T or more (the clock was set, the machine slept) empties everything.

        A little back is no jump: the lag was measured anew, and time will catch up.
        """
        by = end - self.end
        if -self.window < by <= 0:
            return
        forget = abs(by) >= self.window
        for name, values in self._values.items():
            answered = self._answered[name]
            if forget:
                values[:] = np.nan
                answered[:] = False
                continue
            values[:, :-by] = values[:, by:]
            values[:, -by:] = np.nan
            answered[:-by] = answered[by:]
            answered[-by:] = False
        self.end = end
        if forget or end - self._swept >= self.window:
            self._sweep()

    def missing_since(self, metric: str) -> int | None:
        """Number of the oldest step in the window from which on ``metric`` was not answered; None when all was."""
        answered = self._answered.get(metric)
        if answered is None:
            return self.end - self.window + 1
        gaps = np.flatnonzero(~answered)
        return None if not len(gaps) else int(self.end - self.window + 1 + gaps[0])

    def fill(
        self,
        metric: str,
        first: int,
        last: int,
        arms: Iterable[Arm],
        lengths: Iterable[int],
        points: Floats,
        whole: bool = True,
    ) -> None:
        """Store an answer for the steps ``first`` to ``last``, in place of whatever stood there.

        ``points`` is N × 2 (epoch seconds, value), the series of ``arms`` one after the other, ``lengths`` long each.
        Steps of an answer that is not ``whole`` are kept and still count as not answered: silence in them is no zero.
        """
        rows = np.repeat(np.array([self._row(arm) for arm in arms], dtype=np.int64), np.fromiter(lengths, np.int64))
        values, answered = self._of(metric)
        begin = self.end - self.window + 1
        low, high = max(0, first - begin), min(self.window, last - begin + 1)
        values[:, low:high] = np.nan
        answered[low:high] = whole
        if not len(points):
            return
        columns = np.rint(points[:, 0] / self.step).astype(np.int64) - begin
        inside = (columns >= low) & (columns < high) & np.isfinite(points[:, 1])
        values[rows[inside], columns[inside]] = points[inside, 1]

    def put(self, metric: str, arms: list[Arm], now: Floats, columns: int) -> None:
        """Store one value an arm for the newest ``columns`` steps."""
        rows = [self._row(arm) for arm in arms]
        values, answered = self._of(metric)
        values[rows, -columns:] = now[:, None]
        answered[-columns:] = True

    def rows(self, metric: str, arms: list[Arm | None]) -> Floats:
        """R × T values of ``arms``; NaN for None and for the unknown."""
        found = np.full((len(arms), self.window), np.nan)
        values = self._values.get(metric)
        if values is None:
            return found
        rows = np.array([-1 if arm is None else self._rows.get(arm, -1) for arm in arms], dtype=np.int64)
        known = rows >= 0
        found[known] = values[rows[known]]
        return found

    def answered(self, metric: str) -> NDArray[np.bool_]:
        """Which columns Prometheus answered for ``metric``."""
        found = self._answered.get(metric)
        return np.zeros(self.window, dtype=np.bool_) if found is None else found

    def _of(self, metric: str) -> tuple[Floats, NDArray[np.bool_]]:
        if metric not in self._values:
            self._values[metric] = np.full((self._capacity, self.window), np.nan)
            self._answered[metric] = np.zeros(self.window, dtype=np.bool_)
        return self._values[metric], self._answered[metric]

    def _row(self, arm: Arm) -> int:
        row = self._rows.get(arm)
        if row is not None:
            return row
        row = self._free.pop() if self._free else len(self._rows)
        self._rows[arm] = row
        if row >= self._capacity:
            self._grow()
        return row

    def _grow(self) -> None:
        for name, values in self._values.items():
            self._values[name] = np.concatenate([values, np.full_like(values, np.nan)])
        self._capacity *= 2

    def _sweep(self) -> None:
        """Give rows free whose arms have been silent in every metric for the whole window."""
        self._swept = self.end
        alive = np.zeros(self._capacity, dtype=np.bool_)
        for values in self._values.values():
            alive |= np.isfinite(values).any(axis=1)
        for arm in [arm for arm, row in self._rows.items() if not alive[row]]:
            self._free.append(self._rows.pop(arm))
