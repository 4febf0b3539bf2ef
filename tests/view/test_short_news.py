"""One deed is one line of news, and nothing else is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.board import Happening
from opsroom.view.short_news import short


def told(at: float, text: str, kind: str = "deed", by: str = "kim") -> Happening:
    return Happening(at=at, kind=kind, text=text, by=by if kind == "deed" else "")


def test_a_deed_is_one_line_in_its_last_state() -> None:
    step = told(90, "RolloutStepCompleted: step 4/6", "event")
    full = [
        told(105, "OpsroomPromoted: promote (next_step) by kim: done", "event"),
        told(103, "promote:done"),
        told(102, "promote:accepted"),
        step,
        told(101, "promote:sent"),
        told(100, "promote:journalled"),
        told(100, "OpsroomPromoted: promote (next_step) by kim: accepted", "event"),
        told(99, "promote", "decision"),
    ]
    assert short(full) == [told(103, "promote:done"), step]


def test_two_deeds_of_one_kind_are_two_lines() -> None:
    deeds = [
        told(at + 0.1 * rank, f"promote:{state}")
        for at in (11, 1)
        for rank, state in ((3, "done"), (2, "accepted"), (1, "sent"), (0, "journalled"))
    ]
    assert [item.at for item in short(deeds)] == [11.3, 1.3]


def test_a_refusal_keeps_its_reason_and_what_came_before_it_goes() -> None:
    items = [told(2, "roll_back:refused:conflict"), told(1, "roll_back:journalled")]
    assert short(items) == items[:1]


def test_a_deed_of_another_desk_is_known_by_its_event_alone() -> None:
    items = [
        told(5, "OpsroomRolledBack: roll_back (abort) by ada: done; 5xx since 12:01", "event"),
        told(4, "OpsroomRolledBack: roll_back (abort) by ada: accepted", "event"),
    ]
    assert short(items) == [Happening(at=5, kind="deed", text="roll_back:done:5xx since 12:01", by="ada")]


def test_decisions_that_nobody_has_carried_out_stay() -> None:
    items = [told(50, "flag:person", "decision"), told(40, "promote", "decision"), told(1, "promote:done")]
    assert short(items) == items


@given(st.lists(st.tuples(st.floats(0, 1000), st.text(max_size=30), st.sampled_from(["event", "decision", "deed"]))))
def test_foreign_words_are_never_lost(found: list[tuple[float, str, str]]) -> None:
    items = [told(at, f"x{text}", kind) for at, text, kind in sorted(found, key=lambda one: -one[0])]
    assert short(items) == items
