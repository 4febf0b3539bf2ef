"""Operators and aggregations when series come and go between the steps of one query."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.simulator.prometheus.failures import ExecutionError, QueryTimeout
from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.prometheus.values import Value, Vector

STEPS = 4
Found = dict[tuple[tuple[str, str], ...], dict[int, float]]
# Which of two metrics, three pods and two codes have a sample at which of four steps.
PRESENCE = st.dictionaries(
    st.tuples(st.sampled_from("lr"), st.sampled_from("abc"), st.sampled_from("12")),
    st.lists(st.one_of(st.none(), st.integers(-3, 9)), min_size=STEPS, max_size=STEPS),
    max_size=8,
)


def store(cells: dict[tuple[str, str, str], list[int | None]]) -> Tsdb:
    tsdb = Tsdb()
    for step in range(STEPS):
        for (name, pod, code), values in cells.items():
            value = values[step]
            if value is not None:
                tsdb.append(tsdb.series({"__name__": name, "pod": pod, "code": code}), step + 1.0, float(value))
    return tsdb


def ask(tsdb: Tsdb, query: str) -> Found:
    # A lookback shorter than a step makes every step see its own samples only.
    _, value = Engine(tsdb, lookback_seconds=0.5).range(query, 1000, STEPS * 1000, 1000)
    return unpacked(value)


def unpacked(value: Value) -> Found:
    assert isinstance(value, Vector)
    found: Found = {}
    for n, row in enumerate(value.labels.rows()):
        there = {step: float(value.values[step, n]) for step in range(STEPS) if value.present[step, n]}
        if there:
            found[tuple(sorted(row.items()))] = there
    return found


@settings(max_examples=150, deadline=None)
@given(cells=PRESENCE)
def test_sum_by_counts_only_who_is_there(cells: dict[tuple[str, str, str], list[int | None]]) -> None:
    expected: Found = {}
    for (name, pod, _), values in cells.items():
        for step, value in enumerate(values):
            if name == "l" and value is not None:
                group = expected.setdefault((("pod", pod),), {})
                group[step] = group.get(step, 0.0) + value
    assert ask(store(cells), "sum by (pod) (l)") == expected


@settings(max_examples=150, deadline=None)
@given(cells=PRESENCE)
def test_a_ratio_exists_where_both_sides_do(cells: dict[tuple[str, str, str], list[int | None]]) -> None:
    expected: Found = {}
    for (name, pod, code), values in cells.items():
        others = cells.get(("r", pod, code))
        if name == "l" and others is not None:
            there = {
                step: float(value) - other
                for step, (value, other) in enumerate(zip(values, others, strict=True))
                if value is not None and other is not None
            }
            if there:
                expected[("code", code), ("pod", pod)] = there
    assert ask(store(cells), "l - r") == expected


@settings(max_examples=150, deadline=None)
@given(cells=PRESENCE, operator=st.sampled_from(["and", "or", "unless"]))
def test_set_operators_decide_at_each_step(cells: dict[tuple[str, str, str], list[int | None]], operator: str) -> None:
    def at(name: str, step: int) -> set[tuple[str, str]]:
        return {(pod, code) for (n, pod, code), values in cells.items() if n == name and values[step] is not None}

    found = ask(store(cells), f"l {operator} on (pod) r")
    for step in range(STEPS):
        left, right = at("l", step), at("r", step)
        left_pods, right_pods = {pod for pod, _ in left}, {pod for pod, _ in right}
        expected = {
            "and": {("l", *one) for one in left if one[0] in right_pods},
            "unless": {("l", *one) for one in left if one[0] not in right_pods},
            "or": {("l", *one) for one in left} | {("r", *one) for one in right if one[0] not in left_pods},
        }[operator]
        rows = [dict(row) for row, there in found.items() if step in there]
        assert {(row["__name__"], row["pod"], row["code"]) for row in rows} == expected


@settings(max_examples=150, deadline=None)
@given(cells=PRESENCE)
def test_many_to_many_is_refused_only_if_it_happens_at_one_step(
    cells: dict[tuple[str, str, str], list[int | None]],
) -> None:
    doubled = any(
        sum(1 for (n, p, _), values in cells.items() if n == "r" and p == pod and values[step] is not None) > 1
        for pod in "abc"
        for step in range(STEPS)
    )
    has_left = any(value is not None for (n, _, _), values in cells.items() if n == "l" for value in values)
    query = "l * on (pod) group_left r"
    if doubled and has_left:
        with pytest.raises(ExecutionError, match="many-to-many"):
            ask(store(cells), query)
    elif not doubled:
        found = ask(store(cells), query)
        assert all(math.isfinite(value) for there in found.values() for value in there.values())


def test_what_is_not_simulated_says_its_name() -> None:
    tsdb = store({("l", "a", "1"): [1, 2, 3, 4]})
    for query, word in (("deriv(l[5s])", "deriv"), ('count_values("v", l)', "count_values"), ("hour()", "hour")):
        with pytest.raises(ExecutionError, match=word):
            Engine(tsdb).instant(query, 1000)


def test_a_query_past_its_time_is_stopped() -> None:
    ticks = iter(range(100))
    engine = Engine(store({("l", "a", "1"): [1, 2, 3, 4]}), clock=lambda: float(next(ticks)))
    with pytest.raises(QueryTimeout):
        engine.instant("sum(sum(sum(sum(l))))", 1000, timeout=2.5)
