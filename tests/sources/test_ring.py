"""The ring against a plain model: a dictionary of everything that was ever answered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.sources.ring import FIRST_ROWS, Arm, Ring

WINDOW = 6
ARMS: list[Arm] = [("shop", "a"), ("shop", "b"), ("pay", "a")]


class Model:
    """(metric, arm, step) → value, and which (metric, step) were answered."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, Arm, int], float] = {}
        self.answered: set[tuple[str, int]] = set()

    def fill(self, metric: str, first: int, last: int, points: dict[tuple[Arm, int], float]) -> None:
        self.values = {
            key: value for key, value in self.values.items() if key[0] != metric or not first <= key[2] <= last
        }
        self.values |= {(metric, arm, step): value for (arm, step), value in points.items() if first <= step <= last}
        self.answered |= {(metric, step) for step in range(first, last + 1)}


Fill = tuple[int, int, int, dict[tuple[int, int], float]]

fills = st.tuples(
    st.integers(0, 4),
    st.integers(0, WINDOW - 1),
    st.integers(0, 1),
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, WINDOW - 1)), st.floats(-5, 5, allow_nan=False), max_size=8
    ),
)


@given(st.lists(fills, max_size=12))
def test_the_ring_holds_what_was_answered_in_its_window(news: list[Fill]) -> None:
    ring, model, end = Ring(2.0, WINDOW), Model(), 100
    for by, length, metric_index, values in news:
        end += by
        ring.advance(end)
        first, metric = end - length, ("p99", "cpu")[metric_index]
        points = {(ARMS[arm], end - back): value for (arm, back), value in values.items() if back <= length}
        series = {arm: [(step * 2.0, value) for (of, step), value in points.items() if of == arm] for arm in ARMS}
        flat = np.array([point for arm in ARMS for point in series[arm]], dtype=np.float64).reshape(-1, 2)
        ring.fill(metric, first, end, ARMS, [len(series[arm]) for arm in ARMS], flat)
        model.fill(metric, first, end, points)
    for metric in ("p99", "cpu"):
        found = ring.rows(metric, [*ARMS, None, ("shop", "nobody")])
        steps = range(end - WINDOW + 1, end + 1)
        for row, arm in enumerate(ARMS):
            expected = [model.values.get((metric, arm, step), np.nan) for step in steps]
            np.testing.assert_array_equal(found[row], expected if news else [np.nan] * WINDOW)
        assert np.isnan(found[3:]).all()
        known = [(metric, step) in model.answered for step in steps]
        assert list(ring.answered(metric)) == (known if news else [False] * WINDOW)
        missing = [step for step, seen in zip(steps, known, strict=True) if not seen]
        if news:
            assert ring.missing_since(metric) == (missing[0] if missing else None)


def test_times_are_multiples_of_the_step() -> None:
    ring = Ring(10.0, 3)
    ring.advance(178_000_000)
    assert list(ring.times) == [1_779_999_980.0, 1_779_999_990.0, 1_780_000_000.0]


@pytest.mark.parametrize("end", [50, 94, 106, 1000])
def test_a_jump_of_the_clock_empties_the_ring(end: int) -> None:
    ring = Ring(1.0, WINDOW)
    ring.advance(100)
    ring.fill("p99", 95, 100, ARMS[:1], [1], np.array([[100.0, 5.0]]))
    ring.advance(end)
    assert np.isnan(ring.rows("p99", [*ARMS])).all()
    assert ring.missing_since("p99") == end - WINDOW + 1


def test_a_step_back_forgets_nothing() -> None:
    ring = Ring(1.0, WINDOW)
    ring.advance(100)
    ring.fill("p99", 95, 100, ARMS[:1], [1], np.array([[100.0, 5.0]]))
    ring.advance(99)
    assert ring.end == 100
    assert ring.rows("p99", [ARMS[0]])[0, -1] == 5.0


def test_no_number_is_no_sample() -> None:
    ring = Ring(1.0, WINDOW)
    ring.advance(100)
    ring.fill("p99", 99, 100, ARMS[:1], [2], np.array([[99.0, np.inf], [100.0, np.nan]]))
    assert np.isnan(ring.rows("p99", [*ARMS])).all()


def test_rows_grow_and_those_of_silent_arms_are_used_again() -> None:
    ring = Ring(1.0, WINDOW)
    for end in range(100, 100 + 40):
        ring.advance(end)
        arms: list[Arm] = [("shop", f"{end}-{n}") for n in range(10)]
        points = np.array([[float(end), float(n)] for n in range(10)])
        ring.fill("p99", end, end, arms, [1] * 10, points)
        assert list(ring.rows("p99", [*arms])[:, -1]) == list(range(10))
    assert ring.rows("p99", [("shop", "139-3")])[0, -1] == 3.0
    assert ring._capacity <= FIRST_ROWS * 4
