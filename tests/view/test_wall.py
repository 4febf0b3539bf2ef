"""The wall: exact in size, no empty part with a flag up, and what matters still there when it is narrow."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.board import Room, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.freshness import SourceState
from opsroom.view import marks
from opsroom.view.big_signs import tall
from opsroom.view.header import Status
from opsroom.view.line import Line
from opsroom.view.spark import Graphs
from opsroom.view.wall import wall
from opsroom.view.wall_tiles import Wall
from tests.ui.scenes import NOW, all_rows, deed, done, moving, needing, queued, room
from tests.ui.show import hostile, many

SIZES = [(60, 12), (80, 24), (120, 40), (160, 50), (200, 60), (300, 80)]
CALM = (*moving(NOW), *queued(NOW), *done(NOW))


NOBODY = "Nothing needs a person"


def drawn(
    rows: tuple[Row, ...],
    cells: int,
    high: int,
    here: Room | None = None,
    graphs: Graphs = Graphs.BRAILLE,
    **more: object,
) -> list[Line]:
    status = Status(now=NOW, feed_age=1.0, read_only=True, **more)  # type: ignore[arg-type]
    return wall(here or room(), rows, status, Wall(cells, high, NOW, graphs))


def large(words: str, said: str) -> bool:
    """Whether ``words`` stand somewhere in three-line letters."""
    return all(each.rstrip() in said for each in tall(words, Graphs.BRAILLE))


def text(lines: list[Line]) -> str:
    return "\n".join(line.text.rstrip() for line in lines)


@pytest.mark.parametrize(("cells", "high"), SIZES)
@pytest.mark.parametrize("rows", [(), CALM, all_rows(), hostile(all_rows()), many(200, NOW)], ids=len)
def test_it_has_exactly_its_size(cells: int, high: int, rows: tuple[Row, ...]) -> None:
    for graphs in Graphs:
        for here in (None, room()):
            lines = wall(here, rows, Status(now=NOW), Wall(cells, high, NOW, graphs))
            assert len(lines) == high
            assert {line.width for line in lines} == {cells}


@pytest.mark.parametrize("flags", range(1, 7))
@pytest.mark.parametrize(("cells", "high"), SIZES[2:])
def test_with_a_flag_up_no_third_of_the_wall_is_empty(cells: int, high: int, flags: int) -> None:
    needy = tuple(
        msgspec.structs.replace(row, rollout=msgspec.structs.replace(row.rollout, uid=f"u{at}"))
        for at, row in enumerate((needing(NOW) * 2)[:flags])
    )
    lines = drawn((*needy, *CALM), cells, high)
    blank = [not line.text.strip() for line in lines]
    assert not any(all(blank[at : at + high // 8]) for at in range(high - high // 8))
    halves = [line.text[cells // 2 :].strip() for line in lines]
    assert sum(map(bool, halves)) > high * 0.5


@pytest.mark.parametrize(("cells", "high"), SIZES[1:])
def test_what_has_to_be_on_a_wall_is_there_at_every_size(cells: int, high: int) -> None:
    said = text(drawn(all_rows(), cells, high))
    for fact in ("12:04:31", "feed", "3 need", "11m 00s", "nobody took it", "checkout-api", "last hour 2 promoted"):
        assert fact in said, fact
    assert all(name in said for name in ("ledger-writer", "fraud-scorer"))
    assert "geo-api" in said
    calm = text(drawn(CALM, cells, high))
    assert large(NOBODY, calm) or NOBODY in calm
    assert "nobody is needed" in calm
    assert "2 waiting, 5 of 12 slots in use, next in about 6 min" in calm


def test_who_took_the_oldest_flag_is_said() -> None:
    rows = tuple(
        msgspec.structs.replace(
            row, flag=Flag(reason=FlagReason.PERSON, since=NOW - 700, acknowledged_by="kim", acknowledged_at=NOW)
        )
        for row in needing(NOW)[:1]
    )
    assert "oldest flag 11m 40s (checkout-api), kim took it" in text(drawn(rows, 160, 50))


def test_a_lost_feed_is_the_loudest_thing_and_the_calm_is_taken_back() -> None:
    said = text(drawn(CALM, 120, 40, lost="nobody listens", lost_for=75.0))
    assert "FEED LOST 1m 15s: nobody listens" in said
    assert "nothing here may be trusted" in said
    assert "nobody knows who is needed" in said
    assert not large(NOBODY, said)
    assert NOBODY not in said


def test_a_lost_feed_is_read_from_four_metres_while_flags_stand() -> None:
    said = text(drawn(all_rows(), 200, 60, lost="nobody listens", lost_for=75.0))
    assert large("feed lost 1m 15s", said)
    assert not large("need a person", said)
    assert "last seen: 3 need a person (checkout-api, ledger-writer, fraud-scorer)" in said


def test_no_calm_is_said_while_the_worker_does_not_see_the_cluster() -> None:
    blind = room(sources=(SourceState(name="kube", interval=2.0, at=NOW - 90),))
    said = text(drawn(CALM, 200, 60, blind))
    assert large("The picture is old", said)
    assert "nobody knows who is needed" in said
    assert "until the worker sees the cluster again" in said


@pytest.mark.parametrize("flags", [1, 3])
def test_which_rollouts_need_a_person_is_read_from_four_metres(flags: int) -> None:
    said = text(drawn((*needing(NOW)[:flags], *CALM), 200, 60))
    assert all(large(row.rollout.name, said) for row in needing(NOW)[:flags])
    assert large("needs a person" if flags == 1 else "need a person", said)


def test_letters_that_ascii_graphs_do_not_have_are_small_ones() -> None:
    assert "checkout-api   payments" in text(drawn(all_rows(), 200, 60, graphs=Graphs.ASCII))
    assert NOBODY in text(drawn(CALM, 200, 60, graphs=Graphs.ASCII))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-.: ABC", min_size=1))
def test_tall_letters_are_three_lines_of_one_width(words: str) -> None:
    for graphs in (Graphs.BRAILLE, Graphs.BLOCK):
        lines = tall(words, graphs)
        assert len(lines) == 3
        assert len({len(each) for each in lines}) == 1
    assert not tall(words + "\u6c7a", Graphs.BRAILLE)


@pytest.mark.parametrize("state", list(DeedState))
@pytest.mark.parametrize("cells", [80, 120, 160])
def test_how_a_deed_ended_is_never_cut(cells: int, state: DeedState) -> None:
    long = deed("a-rollout-with-a-name-that-is-really-very-long-indeed", NOW, Verb.ROLL_BACK, state, 30)
    lines = drawn(CALM, cells, 40, room(deeds=(long,)))
    told = next(line.text.rstrip() for line in lines if "a-rol" in line.text)
    assert marks.DEED[state] in told.rpartition("  ")[2]
