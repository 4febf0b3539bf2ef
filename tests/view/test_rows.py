"""What a row says of its score."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.domain.board import Row
from opsroom.domain.decision import TOO_SLOW, Decision, Flag, FlagReason, Outcome
from opsroom.domain.queue import Lane, QueueEntry
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState
from opsroom.view import detail, words
from opsroom.view.order import Group, group_of
from opsroom.view.rows import shown_score, state, why

ROLLOUT = Rollout(
    uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart", phase=Phase.PROGRESSING
)
ROW = Row(rollout=ROLLOUT, verdict=Verdict(uid=Uid("u"), at=0.0, state=VerdictState.HARM, score=0.9))


def test_a_queued_change_does_not_wear_the_score_of_the_one_before() -> None:
    held = msgspec.structs.replace(ROLLOUT, phase=Phase.HELD)
    entry = QueueEntry(uid=Uid("u"), lane=Lane.NORMAL, since=0.0)
    assert shown_score(ROW) == 0.9
    assert shown_score(msgspec.structs.replace(ROW, rollout=held, queue=entry)) is None


def test_a_canary_that_was_held_late_stands_in_the_queue_and_says_so() -> None:
    """It has pods and is paused, but what it waits for is its place."""
    late = msgspec.structs.replace(ROLLOUT, phase=Phase.PAUSED, canary=Revision(hash="b"), held=True, weight=0)
    entry = QueueEntry(uid=late.uid, lane=Lane.BATCH, since=0.0, position=2, late_pods=4)
    row = Row(rollout=late, queue=entry)
    assert (group_of(row), state(row, 9.0)) == (Group.QUEUED, "batch #3")
    assert detail.why(row, 9.0)[0][0].startswith("number 3 in lane batch")
    serving = msgspec.structs.replace(row, rollout=msgspec.structs.replace(late, weight=20))
    assert group_of(serving) is Group.MOVING


def test_without_a_verdict_there_is_no_score() -> None:
    assert shown_score(msgspec.structs.replace(ROW, verdict=None)) is None


def test_a_flag_says_why_in_words_never_in_codes() -> None:
    flag = Flag(reason=FlagReason.POLICY, since=0.0, detail="promote:row")
    assert why(msgspec.structs.replace(ROW, verdict=None, flag=flag), 0.0) == (
        "to promote is due, and the policy asks for a person"
    )


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("score", "the score is still between the thresholds"),
        ("min_requests", "too few requests were counted"),
        ("analysis", "its own analysis could not tell"),
    ],
)
def test_an_undecided_canary_says_what_was_not_decided(lacks: str, said: str) -> None:
    flag = Flag(reason=FlagReason.INCONCLUSIVE, since=0.0, detail=lacks)
    sentence = words.flag(msgspec.structs.replace(ROW, flag=flag))
    assert sentence.endswith(said)
    assert ("between the thresholds" in sentence) is (lacks == "score")


@pytest.mark.parametrize(("requests", "healthy"), [(0.0, False), (3.0, True), (None, True)])
def test_a_canary_that_no_request_has_reached_is_not_called_healthy(requests: float | None, healthy: bool) -> None:
    memory = Evidence(metric="memory_bytes", harm=0.0, requests=requests)
    verdict = Verdict(uid=Uid("u"), at=0.0, state=VerdictState.HEALTHY, score=0.01, evidence=(memory,))
    assert words.verdict(verdict).endswith("healthy") is healthy


@pytest.mark.parametrize(
    ("reason", "last"),
    [
        (FlagReason.POLICY, "mode"),
        (FlagReason.FREEZE, "freeze"),
        (FlagReason.RAILS, "rails"),
        (FlagReason.POLICY, "row"),
        (FlagReason.POLICY, "no_gate"),
        (FlagReason.POLICY, "quarantine"),
    ],
)
def test_a_deed_that_is_due_is_named(reason: FlagReason, last: str) -> None:
    flag = Flag(reason=reason, since=0.0, detail=f"roll_back:{last}")
    assert words.flag(msgspec.structs.replace(ROW, flag=flag)).startswith("to roll back is due, and ")


def test_a_canary_that_will_not_be_decided_in_time_is_told_early() -> None:
    undecided = Verdict(uid=Uid("u"), at=0.0, state=VerdictState.UNDECIDED, score=0.5, decides_in=7200.0)
    decision = Decision(uid=Uid("u"), outcome=Outcome.WATCH, at=0.0, detail="score")
    going = msgspec.structs.replace(ROLLOUT, canary=Revision(hash="c"))
    row = msgspec.structs.replace(ROW, rollout=going, verdict=undecided, decision=decision)
    assert why(row, 0.0).startswith("decides in")
    late = msgspec.structs.replace(row, decision=msgspec.structs.replace(decision, detail=TOO_SLOW))
    assert why(late, 0.0) == "cannot decide within its patience, needs about 2 h"
