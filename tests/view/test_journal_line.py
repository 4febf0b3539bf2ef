"""Journal lines name time, person, deed, rollout and outcome."""

from __future__ import annotations

import pytest

from opsroom.delivery.plan import HALF_DONE
from opsroom.delivery.settle import CUT_OFF, FOUND_DONE, NEVER_SENT
from opsroom.domain.decision import Decision, FlagReason, Outcome
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.view import journal_line

TARGET = Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
INTENT = Intent(
    id="1",
    verb=Verb.ROLL_BACK,
    target=TARGET,
    precondition=Precondition(),
    actor="kim",
    at=0.0,
    score=0.94,
    reason="5xx",
)


def test_a_deed_says_who_what_where_and_how_far() -> None:
    line = journal_line.of_deed(86400.0, Deed(intent=INTENT, state=DeedState.DONE, at=86400.0), "")
    assert line == "1970-01-02 00:00:00  kim  roll back  shop/cart  done  score 0.94  (5xx)"


def test_a_refused_deed_says_why() -> None:
    deed = Deed(
        intent=INTENT, state=DeedState.REFUSED, at=0.0, refusal=Refusal.NO_RIGHT, detail="patch rollouts/status"
    )
    assert "refused  no right  patch rollouts/status" in journal_line.of_deed(0.0, deed, "")


def test_a_decision_names_its_reason_and_policy_row() -> None:
    decision = Decision(
        uid=Uid("u"), outcome=Outcome.FLAG, at=0.0, flag=FlagReason.INCONCLUSIVE, score=0.5, row="tier 0"
    )
    line = journal_line.of_decision(0.0, decision, "shop/cart")
    assert line.startswith("1970-01-01 00:00:00  worker  asked a person  shop/cart  patience is over")
    assert line.endswith("score 0.50  policy tier 0")


def test_every_outcome_and_every_fault_has_words() -> None:
    assert set(journal_line.OUTCOME) == set(Outcome)
    assert journal_line.of_note(0.0, "worker", "lease_taken").endswith("lease taken")


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (FOUND_DONE, "it was done when it was looked at again"),
        (NEVER_SENT, "its request never reached the cluster"),
        (CUT_OFF, "whoever began it"),
        (f"{HALF_DONE}:both_new:no right", "half-done: stable runs the new version"),
        ("the server said so", "the server said so"),
    ],
)
def test_what_a_deed_was_left_with_is_a_sentence(detail: str, words: str) -> None:
    deed = Deed(intent=INTENT, state=DeedState.UNKNOWN, at=0.0, detail=detail)
    assert words in journal_line.of_deed(0.0, deed, "")
