"""The arithmetic of updates: fences are kept and every walk arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.simulator.controllers.replica_counts import (
    Fence,
    Sizes,
    basic_canary_split,
    basic_canary_step,
    fence,
    rolling_new_count,
    routed_canary_count,
    spread,
)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, None, None, Fence(1, 1)),
        (3, "25%", "25%", Fence(1, 0)),
        (10, "30%", "30%", Fence(3, 3)),
        (5, 0, 0, Fence(0, 1)),
        (5, 1, 0, Fence(1, 0)),
        (1, "25%", "25%", Fence(1, 0)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(
    replicas: int, surge: int | str | None, unavailable: int | str | None, expected: Fence
) -> None:
    assert fence(replicas, surge, unavailable) == expected


@pytest.mark.parametrize(
    ("wanted", "weight", "surge", "expected"),
    [
        (10, 20, 0, (2, 8)),
        (4, 5, 1, (1, 4)),
        (4, 5, 0, (1, 3)),
        (5, 0, 2, (0, 5)),
        (5, 100, 2, (5, 0)),
        (1, 50, 1, (1, 1)),
        (0, 50, 1, (0, 0)),
    ],
)
def test_a_basic_canary_comes_as_close_to_its_weight_as_pods_allow(
    wanted: int, weight: int, surge: int, expected: tuple[int, int]
) -> None:
    assert basic_canary_split(wanted, weight, surge) == expected


@given(st.integers(2, 40), st.integers(1, 99), st.integers(0, 10))
def test_neither_side_of_a_split_is_empty_and_the_surge_is_kept(wanted: int, weight: int, surge: int) -> None:
    canary, stable = basic_canary_split(wanted, weight, surge)
    assert canary >= 1
    assert stable >= 1
    assert wanted <= canary + stable <= wanted + surge


@given(st.integers(1, 30), st.integers(0, 100), st.integers(0, 100), st.integers(0, 6), st.integers(0, 6))
def test_a_basic_canary_walks_to_every_weight_inside_its_fence(
    wanted: int, start: int, goal: int, surge: int, unavailable: int
) -> None:
    limits = fence(wanted, surge, unavailable)
    canary, stable = basic_canary_split(wanted, start, limits.surge)
    split = basic_canary_split(wanted, goal, limits.surge)
    for _ in range(200):
        if (canary, stable) == split:
            return
        here = Sizes(canary, stable, 0, canary, stable)
        canary, stable = basic_canary_step(wanted, split, here, limits)
        assert canary + stable <= wanted + limits.surge
        assert canary + stable >= wanted - limits.unavailable
    pytest.fail(f"stuck at {(canary, stable)} on the way to {split}")


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 60), st.integers(0, 10))
def test_a_rolling_step_grows_within_the_surge(wanted: int, new: int, old: int, surge: int) -> None:
    size = rolling_new_count(wanted, min(new, wanted), min(new, wanted) + old, surge)
    assert min(new, wanted) <= size <= wanted
    assert size == min(new, wanted) or size + old <= wanted + surge


@given(st.integers(0, 200), st.integers(0, 100))
def test_a_routed_canary_has_a_pod_as_soon_as_it_has_weight(wanted: int, weight: int) -> None:
    count = routed_canary_count(wanted, weight)
    assert (count > 0) == (wanted > 0 and weight > 0)
    assert count <= wanted


@given(st.integers(0, 100), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_spreading_keeps_the_total(target: int, sizes: list[int]) -> None:
    ordered = sorted(sizes, reverse=True)
    spreaded = spread(target, ordered)
    assert len(spreaded) == len(ordered)
    assert all(one >= 0 for one in spreaded)
    assert abs(sum(spreaded) - target) <= len(sizes)
