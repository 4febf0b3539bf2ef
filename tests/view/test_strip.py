"""The strip of contexts in all widths: what it says, what it leaves out first, and that nothing unknown looks calm."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.board import Decider, Mode, Room, Severity
from opsroom.domain.freshness import SourceState
from opsroom.view import header
from opsroom.view.header import Status
from opsroom.view.line import Line, Role
from opsroom.view.neighbour import neighbour
from opsroom.view.order import Group, Kind
from opsroom.view.strip import Neighbour, Trouble, needing, shortened, strips
from tests.ui.scenes import NOW, room

HERE = Neighbour("prod-eu", 3, critical=True)
US = Neighbour("prod-us", 1)
CALM = Neighbour("staging")
LOST = Neighbour("prod-ap", 2, trouble=Trouble.LOST, since=130.0)


def status(*others: Neighbour, **changes: object) -> Status:
    return msgspec.structs.replace(Status(now=NOW, feed_age=1.0, here=HERE, others=others), **changes)


def top(cells: int, *others: Neighbour, around: Room | None = None, **changes: object) -> Line:
    return header.top(room(NOW) if around is None else around, status(*others, **changes), cells)


def texts(others: Sequence[Neighbour]) -> list[str]:
    return ["".join(piece.text for piece in strip) for strip in strips(HERE, others)]


def test_one_context_has_no_strip_and_no_brackets() -> None:
    alone = header.top(room(NOW), Status(now=NOW, feed_age=1.0), 120).text
    assert alone.startswith(" prod-eu  AUTO  payments +3 ns")
    assert "|" not in alone


@pytest.mark.parametrize(
    ("cells", "left"),
    [
        (200, "[prod-eu] !!3  AUTO  payments +3 ns  as oncall@corp  |  prod-us ! 1 needs you   staging 0 "),
        (140, "[prod-eu] !!3  AUTO  payments +3 ns  |  prod-us ! 1 needs you   staging 0 "),
        (120, "[prod-eu] !!3  AUTO  |  prod-us ! 1 needs you   staging 0 "),
        (100, "[prod-eu] !!3  AUTO  |  prod-us !1   staging 0 "),
        (90, "[prod-eu] !!3  AUTO  |  2 others: !1 "),
        (80, "[prod-eu] AUTO  |  2 others: !1 "),
    ],
)
def test_with_less_room_it_says_less_in_this_order(cells: int, left: str) -> None:
    line = top(cells, US, CALM)
    assert line.text.startswith(left)
    assert line.width == cells
    for source in ("k8s 1s", "prom 4s", "score 6s", "feed 1s"):
        assert source in line.text


@pytest.mark.parametrize("cells", [80, 100, 120, 200])
def test_what_is_lost_is_a_word_at_every_width(cells: int) -> None:
    text = top(cells, LOST, CALM).text
    assert "LOST" in text
    assert "!2?" in text or "! 2? need you" in text
    assert ("LOST 2m" in text) is (cells > 100)


@pytest.mark.parametrize("trouble", [each for each in Trouble if each is not Trouble.NONE])
def test_a_context_in_trouble_never_shows_a_calm_zero(trouble: Trouble) -> None:
    for text in texts([Neighbour("prod-us", 0, trouble=trouble, since=40.0)]):
        assert trouble.value in text
        assert " 0" not in text


def test_no_strip_says_anything_by_its_colour_alone() -> None:
    marks = {"".join(piece.text for piece in needing(one)) for one in (HERE, US, CALM, LOST)}
    assert marks == {"!!3", "!1", "0", "!2?"}
    roles = [piece.role for piece in needing(HERE)]
    assert roles == [Role.CRITICAL]


def test_the_sum_keeps_the_loudest_mark_and_says_what_is_not_known() -> None:
    assert texts([US, CALM])[-1] == "  2 others: !1"
    assert texts([US, LOST, Neighbour("x", critical=True, needing=4)])[-1] == "  3 others: !!7? 1 LOST"
    assert texts([CALM, Neighbour("x", trouble=Trouble.NEVER)])[-1] == "  2 others: 1 NO PICTURE"
    assert texts([LOST])[-1] == "  1 other: !2? LOST 2m"


def test_names_lose_only_what_all_of_them_begin_with() -> None:
    arn = "arn:aws:eks:eu-west-1:123456789012:cluster/"
    assert shortened([f"{arn}prod-eu", f"{arn}prod-us"]) == ["prod-eu", "prod-us"]
    assert shortened(["prod-eu", "prod-us"]) == ["prod-eu", "prod-us"]
    assert shortened(["gke_one_eu_prod", "gke_two_eu_prod"]) == ["one_eu_prod", "two_eu_prod"]


def test_the_ground_follows_the_context_that_is_shown() -> None:
    shown = header.top(room(NOW, context="prod-eu"), status(US), 120)
    assert shown.pieces[0].role is Role.PROD
    calm = header.top(room(NOW, context="staging"), status(US, here=CALM), 120)
    assert calm.pieces[0].role is Role.STRONG
    assert not any(piece.role is Role.PROD for piece in calm.pieces)


def test_a_context_without_a_picture_has_its_name_and_the_strip() -> None:
    waiting = status(US, here=Neighbour("prod-eu", trouble=Trouble.NEVER), feed_age=None, connecting=True)
    text = header.top(None, waiting, 80).text
    assert text.startswith("[prod-eu]")
    assert "prod-us ! 1 needs you" in text


@given(
    st.lists(
        st.builds(
            Neighbour,
            st.text("prod-euapx_/:", min_size=1, max_size=70),
            st.integers(0, 400),
            st.booleans(),
            st.sampled_from(Trouble),
            st.none() | st.floats(0, 1e7),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(60, 240),
)
def test_it_always_fits_and_always_tells_that_somebody_is_needed(others: list[Neighbour], cells: int) -> None:
    line = top(cells, *others)
    assert line.width == cells
    if cells >= 80 and any(one.needing for one in others):
        elsewhere = line.text.partition("|")[2]
        assert "!" in elsewhere


def test_even_old_sources_leave_room_for_what_is_needed_elsewhere() -> None:
    old = tuple(SourceState(name=name, interval=2.0, at=None) for name in ("kube", "prometheus", "score"))
    line = top(80, US, LOST, around=room(NOW, sources=old, context="staging-us"), here=Neighbour("staging-us"))
    assert "2 others: !3? 1 LOST" in line.text
    assert " old" in line.text
    assert "feed 1s" in line.text
    assert line.width == 80


FLAGGED = {Kind(Group.NEEDS_YOU, Severity.FLAGGED): 2, Kind(Group.MOVING, Severity.MOVING): 5}


def told(around: Room | None, **changes: object) -> Neighbour:
    return neighbour("prod-us", around, FLAGGED, msgspec.structs.replace(Status(now=NOW, feed_age=1.0), **changes))


def test_what_is_told_of_a_context_comes_from_the_facts_of_its_own_header() -> None:
    assert told(room(NOW)) == Neighbour("prod-us", 2)
    assert told(room(NOW), lost="gone", lost_for=9.0) == Neighbour("prod-us", 2, trouble=Trouble.LOST, since=9.0)
    assert told(room(NOW), feed_age=60.0).trouble is Trouble.OLD
    assert told(None).trouble is Trouble.NEVER
    assert told(room(NOW), so_far=100).trouble is Trouble.NEVER
    assert told(room(NOW), frozen_at=NOW - 30) == Neighbour("prod-us", 2, trouble=Trouble.STOPPED, since=30.0)


def test_a_worker_that_has_lost_its_cluster_is_old_though_its_feed_is_fresh() -> None:
    sources = (SourceState(name="kube", interval=2.0, at=NOW - 90),)
    assert told(room(NOW, sources=sources)) == Neighbour("prod-us", 2, trouble=Trouble.OLD, since=90.0)
    silent = (SourceState(name="kube", interval=30.0, at=NOW - 20, error="No answer from the API server"),)
    assert told(room(NOW, sources=silent)) == Neighbour("prod-us", 2, trouble=Trouble.OLD, since=20.0)


@pytest.mark.parametrize("cells", [80, 100, 120])
@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.ADVISE])
def test_a_worker_without_the_lease_only_watches(cells: int, mode: Mode) -> None:
    for decider in (Decider(identity="somebody-else"), Decider()):
        around = room(NOW, decider=decider, mode=mode)
        text = header.top(around, Status(now=NOW, feed_age=1.0), cells).text
        assert "WATCHES" in text
        assert mode.value.upper() not in text
    assert mode.value.upper() in header.top(room(NOW, mode=mode), Status(now=NOW, feed_age=1.0), cells).text
