"""Packed rows come out as they went in, and a row that is looked at stays the same object."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Row
from opsroom.domain.rollout import Phase, Uid
from opsroom.feed.frames import encode
from opsroom.feed.rows import DECODED, Rows


def settled(row: Row, message: str = "") -> Row:
    """The row with nothing under way: such rows are deflated."""
    return msgspec.structs.replace(
        row, rollout=msgspec.structs.replace(row.rollout, phase=Phase.HEALTHY, canary=None, message=message)
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.text(max_size=9_000)), max_size=12))
def test_rows_come_out_as_they_went_in(make_row: Callable[..., Row], puts: list[tuple[int, bool, str]]) -> None:
    rows, truth = Rows(), dict[Uid, Row]()
    for number, done, message in puts:
        row = settled(make_row(number), message) if done else make_row(number, len(message), big=True)
        rows[row.rollout.uid] = truth[row.rollout.uid] = row
        assert rows == truth
    assert rows.copy() == truth
    assert not any(rows.differs(rows.copy(), uid) for uid in rows)


def test_a_row_is_the_same_object_until_it_changes(make_row: Callable[..., Row]) -> None:
    rows = Rows()
    for number in range(DECODED):
        rows[Uid(f"uid-{number}")] = make_row(number)
    seen = rows[Uid("uid-3")]
    assert rows[Uid("uid-3")] is seen
    rows[Uid("uid-4")] = make_row(4, 50)
    assert rows[Uid("uid-3")] is seen
    rows[Uid("uid-3")] = make_row(3, 50)
    assert rows[Uid("uid-3")].rollout.weight == 50


def test_a_copy_stays_as_it_was(make_row: Callable[..., Row]) -> None:
    rows = Rows()
    rows[Uid("uid-1")] = make_row(1)
    before = rows.copy()
    rows[Uid("uid-1")] = make_row(1, 50)
    del rows[Uid("uid-1")]
    assert before == {"uid-1": make_row(1)}
    with pytest.raises(KeyError):
        rows[Uid("uid-1")]


def test_successors_pack_alike_and_tell_what_differs(make_row: Callable[..., Row]) -> None:
    rows = Rows()
    for number in range(4):
        rows[Uid(f"uid-{number}")] = settled(make_row(number))
    fresh = rows.successor()
    for number in (1, 2):
        fresh[Uid(f"uid-{number}")] = settled(make_row(number), "new" if number == 2 else "")
    assert [number for number in range(4) if fresh.differs(rows, Uid(f"uid-{number}"))] == [0, 2, 3]


def test_settled_rows_of_one_fleet_take_a_fraction_of_their_text(make_row: Callable[..., Row]) -> None:
    rows, plain = Rows(), 0
    for number in range(200):
        row = settled(make_row(number))
        rows[row.rollout.uid] = row
        plain += len(encode(row))
    assert sum(map(len, rows._packed.values())) < plain / 2
