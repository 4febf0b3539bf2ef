"""A row's change, sent instead of the row."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.board import Happening, Right, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import Verdict, VerdictState
from opsroom.feed.change import RowChange, Shift, applied, difference, shift, shifted

values = st.lists(st.one_of(st.none(), st.integers(0, 3).map(float)), max_size=8).map(tuple)
series = st.builds(Series, st.integers(0, 9).map(float), st.sampled_from([2.0, 10.0]), values)
metrics = st.lists(
    st.builds(Metric, name=st.sampled_from(["error_rate", "latency_p99"]), canary=series, baseline=series), max_size=3
).map(tuple)
rollouts = st.builds(
    lambda weight, phase: Rollout(
        uid=Uid("u"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="n",
        name="r",
        phase=phase,
        weight=weight,
        labels={"a": "b"},
    ),
    st.integers(0, 2),
    st.sampled_from(Phase),
)
rows = st.builds(
    Row,
    rollout=rollouts,
    verdict=st.one_of(
        st.none(), st.builds(Verdict, uid=st.just(Uid("u")), at=st.just(1.0), state=st.sampled_from(VerdictState))
    ),
    flag=st.one_of(st.none(), st.builds(Flag, reason=st.sampled_from(FlagReason), since=st.just(2.0))),
    may_promote=st.builds(Right, allowed=st.one_of(st.none(), st.booleans())),
    metrics=metrics,
    scores=values,
    happenings=st.lists(
        st.builds(Happening, at=st.just(3.0), kind=st.just("event"), text=st.text(max_size=3)), max_size=2
    ).map(tuple),
    finished=st.one_of(st.none(), st.just(4.0)),
    result=st.sampled_from(["", "promoted"]),
)


@given(rows, rows)
def test_a_change_turns_the_old_row_into_the_new_one(old: Row, new: Row) -> None:
    change = difference(old, new)
    over_the_wire = msgspec.json.decode(msgspec.json.encode(change), type=RowChange)
    assert applied(old, over_the_wire) == new


@given(rows)
def test_a_row_that_did_not_change_sends_only_its_name(row: Row) -> None:
    assert msgspec.json.encode(difference(row, row)) == b'{"uid":"u"}'


def test_a_step_sends_the_newest_values_only() -> None:
    old = tuple(float(i) for i in range(60))
    new = (*old[1:58], 99.0, 98.0, 60.0)
    assert shift(old, new) == Shift(1, 57, (99.0, 98.0, 60.0))


@given(values, values)
def test_a_shift_makes_the_new_values(old: tuple[float | None, ...], new: tuple[float | None, ...]) -> None:
    assert shifted(old, shift(old, new)) == new


@pytest.mark.parametrize("bad", [Shift(5, 0, ()), Shift(-1, 1, ()), Shift(0, 4, ()), Shift(0, -1, ())])
def test_a_shift_that_does_not_fit_is_refused(bad: Shift) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        shifted((1.0, 2.0, 3.0), bad)
