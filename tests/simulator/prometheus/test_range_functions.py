"""Functions of range vectors against plain implementations that look at one window of one series at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.prometheus.values import Vector

Samples = list[tuple[int, float]]
Reference = Callable[[Samples, int, int], float | None]


def extrapolated(samples: Samples, end: int, width: int, counter: bool) -> float | None:
    """The text of Prometheus' extrapolatedRate, in plain Python; ms."""
    if len(samples) < 2:
        return None
    first, last = samples[0], samples[-1]
    change = last[1] - first[1]
    if counter:
        for (_, before), (_, after) in itertools.pairwise(samples):
            change += before if after < before else 0.0
    to_start, to_end = (first[0] - (end - width)) / 1000, (end - last[0]) / 1000
    sampled = (last[0] - first[0]) / 1000
    gap = sampled / (len(samples) - 1)
    if counter and change > 0 and first[1] >= 0:
        to_start = min(to_start, sampled * (first[1] / change))
    covered = sampled
    covered += to_start if to_start < gap * 1.1 else gap / 2
    covered += to_end if to_end < gap * 1.1 else gap / 2
    return change * covered / sampled


def increase(samples: Samples, end: int, width: int) -> float | None:
    return extrapolated(samples, end, width, counter=True)


def rate(samples: Samples, end: int, width: int) -> float | None:
    found = increase(samples, end, width)
    return None if found is None else found / (width / 1000)


def delta(samples: Samples, end: int, width: int) -> float | None:
    return extrapolated(samples, end, width, counter=False)


def irate(samples: Samples, end: int, width: int) -> float | None:
    if len(samples) < 2:
        return None
    (t, before), (u, after) = samples[-2:]
    return (after if after < before else after - before) / ((u - t) / 1000)


def changes(samples: Samples, end: int, width: int) -> float | None:
    return sum(a[1] != b[1] for a, b in itertools.pairwise(samples)) if samples else None


def resets(samples: Samples, end: int, width: int) -> float | None:
    return sum(b[1] < a[1] for a, b in itertools.pairwise(samples)) if samples else None


def over(reduce: Callable[[list[float]], float]) -> Reference:
    return lambda samples, end, width: reduce([v for _, v in samples]) if samples else None


REFERENCES: dict[str, Reference] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "changes": changes,
    "resets": resets,
    "sum_over_time": over(math.fsum),
    "avg_over_time": over(lambda values: math.fsum(values) / len(values)),
    "min_over_time": over(min),
    "max_over_time": over(max),
    "count_over_time": over(len),
    "last_over_time": over(lambda values: values[-1]),
}

# A counter that sometimes starts again, with scrapes that sometimes fail: None is a gap, ... a marker of an end.
CELLS = st.lists(st.one_of(st.none(), st.just(...), st.integers(0, 50)), min_size=1, max_size=30)


def filled(columns: list[list[object]]) -> tuple[Tsdb, list[Samples]]:
    """A store with one series a column, a row every 1.5 s from 10 s on, and the samples as plain lists."""
    tsdb = Tsdb(rows_per_chunk=7)
    ids = [tsdb.series({"__name__": "m", "n": str(n)}) for n in range(len(columns))]
    kept: list[Samples] = [[] for _ in columns]
    for row in range(max(map(len, columns))):
        t = 10.0 + 1.5 * row
        for n, column in enumerate(columns):
            cell = column[row] if row < len(column) else None
            if cell is ...:
                tsdb.mark_stale(np.array([ids[n]]), t)
            elif isinstance(cell, int):
                tsdb.append(ids[n], t, float(cell))
                kept[n].append((round(t * 1000), float(cell)))
    return tsdb, kept


@settings(max_examples=150, deadline=None)
@given(
    columns=st.lists(CELLS, min_size=1, max_size=4),
    width=st.integers(1, 12_000),
    step=st.integers(300, 5_000),
    name=st.sampled_from(sorted(REFERENCES)),
)
def test_each_function_agrees_with_its_plain_form(
    columns: list[list[object]], width: int, step: int, name: str
) -> None:
    tsdb, kept = filled(columns)
    steps, value = Engine(tsdb).range(f"{name}(m[{width}ms])", 9_000, 60_000, step)
    assert isinstance(value, Vector)
    series = {row["n"]: n for n, row in enumerate(value.labels.rows())}
    for n, samples in enumerate(kept):
        for s, end in enumerate(steps.tolist()):
            inside = [(t, v) for t, v in samples if end - width <= t <= end]
            expected = REFERENCES[name](inside, end, width)
            column = series.get(str(n))
            if expected is None:
                assert column is None or not value.present[s, column]
            else:
                assert column is not None
                assert value.present[s, column]
                assert math.isclose(value.values[s, column], expected, rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=150, deadline=None)
@given(columns=st.lists(CELLS, min_size=1, max_size=3), step=st.integers(300, 5_000), lookback=st.integers(1, 9))
def test_an_instant_selector_takes_the_newest_sample_unless_the_series_ended(
    columns: list[list[object]], step: int, lookback: int
) -> None:
    tsdb, _ = filled(columns)
    steps, value = Engine(tsdb, lookback_seconds=lookback).range("m", 9_000, 60_000, step)
    assert isinstance(value, Vector)
    series = {row["n"]: n for n, row in enumerate(value.labels.rows())}
    for n, column in enumerate(columns):
        cells = [(10_000 + 1500 * row, cell) for row, cell in enumerate(column) if cell is not None]
        for s, now in enumerate(steps.tolist()):
            seen = [cell for t, cell in cells if now - lookback * 1000 <= t <= now]
            found = value.values[s, series[str(n)]] if str(n) in series and value.present[s, series[str(n)]] else None
            assert found == (seen[-1] if seen and seen[-1] is not ... else None)


def test_max_over_time_passes_over_nan_and_over_cells_of_other_series() -> None:
    tsdb = Tsdb()
    number, other = tsdb.series({"__name__": "m"}), tsdb.series({"__name__": "other"})
    for t, value in ((1.0, float("nan")), (2.0, 3.0), (3.0, float("nan"))):
        tsdb.append(number, t, value)
        tsdb.append(other, t + 0.5, 9.0)
    found = Engine(tsdb).instant("max_over_time(m[5s])", 4000)
    assert isinstance(found, Vector)
    assert found.values.tolist() == [[3.0]]
