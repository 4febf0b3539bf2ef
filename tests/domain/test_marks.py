"""Marks on workloads: read totally, keyed by the canary, and a person's before the decider's."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.decision import FlagReason
from opsroom.domain.marks import (
    FLAG,
    PROMOTING,
    QUEUE,
    REQUESTED_BY,
    VERDICT,
    AskedMark,
    Marks,
    VerdictMark,
    read_marks,
    standing_flag,
)

DECIDED = VerdictMark(hash="h", flag=FlagReason.RAILS, since=5.0, detail="roll_back:rails")
ASKED = AskedMark(hash="h", by="ada", at=7.0, step=1, reason="odd")


def text(mark: VerdictMark | AskedMark) -> str:
    """As an annotation."""
    return msgspec.json.encode(mark).decode()


def test_everything_of_ours_is_read() -> None:
    marks = read_marks(
        {VERDICT: text(DECIDED), FLAG: text(ASKED), QUEUE: "held", REQUESTED_BY: "bob\x1b[2J", PROMOTING: "x 1"}
    )
    assert (marks.verdict, marks.asked, marks.held, marks.promoting) == (DECIDED, ASKED, True, True)
    assert "\x1b" not in marks.requested_by


@given(st.text())
def test_a_broken_mark_reads_as_none(noise: str) -> None:
    marks = read_marks({VERDICT: noise, FLAG: noise})
    assert (marks.verdict, marks.asked) == (None, None)


def test_a_persons_flag_goes_before_the_deciders() -> None:
    flag = standing_flag(Marks(verdict=DECIDED, asked=ASKED), "h", 1)
    assert flag is not None
    assert (flag.reason, flag.by, flag.since, flag.detail) == (FlagReason.PERSON, "ada", 7.0, "odd")


@pytest.mark.parametrize(
    ("marks", "canary", "step", "reason"),
    [
        (Marks(), "h", 1, None),
        (Marks(asked=ASKED), "other", 1, None),
        (Marks(asked=ASKED), "h", 3, None),
        (Marks(verdict=DECIDED, asked=ASKED), "h", 3, FlagReason.RAILS),
        (Marks(verdict=DECIDED), "other", 1, None),
        (Marks(verdict=VerdictMark(hash="h", outcome="watch")), "h", 1, None),
    ],
)
def test_marks_die_with_what_they_speak_of(marks: Marks, canary: str, step: int, reason: FlagReason | None) -> None:
    flag = standing_flag(marks, canary, step)
    assert (flag.reason if flag else None) is reason
