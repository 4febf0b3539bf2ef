"""CPU at equal load: a canary is neither blamed for its share of the traffic nor hidden behind it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.sources.load import at_equal_load

ONE = np.ones((1, 6))


def expected(load: float, idle: float) -> float:
    """The baseline's CPU for a canary pod that bears ``load`` times a stable pod's requests, in stable pods' CPU."""
    arms = at_equal_load((ONE, ONE), (100 * ONE, 100 * load * ONE), (ONE, ONE), idle)
    return float(arms[0][0, -1])


@pytest.mark.parametrize(
    ("load", "idle", "cpu"), [(1.0, 0.3, 1.0), (0.5, 0.0, 0.5), (0.5, 1.0, 1.0), (0.5, 0.4, 0.7), (2.0, 0.4, 2.0)]
)
def test_the_formula(load: float, idle: float, cpu: float) -> None:
    assert expected(load, idle) == pytest.approx(cpu)


@given(st.floats(0.06, 20.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_healthy_canary_never_needs_more_than_is_expected(load: float, truth: float, believed: float) -> None:
    """Whatever a pod's true idle share is, as long as it is not larger than the one that is believed."""
    idle = min(truth, believed)
    assert idle + (1 - idle) * load <= expected(load, max(truth, believed)) + 1e-9


def test_more_pods_bear_less_each() -> None:
    two = at_equal_load((ONE, ONE), (100 * ONE, 100 * ONE), (ONE, 2 * ONE), 0.0)
    assert two[0][0, -1] == pytest.approx(0.5)


def test_where_nobody_counted_requests_pods_are_compared_as_they_are() -> None:
    nothing = np.full((1, 6), np.nan)
    arms = at_equal_load((3 * ONE, ONE), (nothing, nothing), (ONE, ONE), 0.1)
    assert np.array_equal(arms[0], 3 * ONE)


def test_a_canary_without_traffic_says_nothing_about_cpu() -> None:
    counts = np.array([[0.0, 0.0, 2.0, 50.0, 100.0, 100.0]])
    baseline, canary = at_equal_load((ONE, ONE), (100 * ONE, counts), (ONE, ONE), 0.0)
    assert np.isnan(baseline[0, :3]).all()
    assert np.isnan(canary[0, :3]).all()
    assert baseline[0, 3:].tolist() == [0.5, 1.0, 1.0]
