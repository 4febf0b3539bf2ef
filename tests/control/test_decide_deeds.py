"""Deeds from look to look: none twice, none forgotten, none beyond the rails, what was refused is weighed again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.control.case import Case
from opsroom.control.follow import UNWRITTEN
from opsroom.control.memory import Memory, relearn
from opsroom.domain.decision import Flag, FlagReason, Outcome
from opsroom.domain.deed import DeedState, Refusal, Verb
from opsroom.domain.policy import Policy, Rails
from opsroom.domain.rollout import Phase, Revision, Uid
from tests.control.conftest import LONG, NOW, Decider, deed, rollout, settled_in, verdict


def test_no_deed_is_repeated_while_one_is_under_way(decider: Decider) -> None:
    assert decider.see(0.95).outcome is Outcome.ROLL_BACK
    for state in (None, DeedState.JOURNALLED, DeedState.SENT, DeedState.ACCEPTED, DeedState.UNKNOWN):
        decider.pass_time(5.0)
        news = None if state is None else deed(rollout(), Verb.ROLL_BACK, state, decider.now)
        assert decider.see(0.95, deed=news).outcome is Outcome.WATCH


def test_a_deed_of_a_person_under_way_is_waited_for(decider: Decider) -> None:
    settled_in(decider)
    sent = deed(rollout(), Verb.PROMOTE, DeedState.SENT, decider.now, automatic=False)
    assert decider.see(0.1, deed=sent).outcome is Outcome.WATCH


def test_a_deed_that_was_lost_is_decided_again(decider: Decider) -> None:
    assert decider.see(0.95).outcome is Outcome.ROLL_BACK
    decider.pass_time(LONG)
    assert decider.see(0.95).outcome is Outcome.ROLL_BACK


def test_a_picture_that_is_behind_a_finished_deed_does_not_repeat_it(decider: Decider) -> None:
    decider.see(0.95)
    decider.pass_time(1.0)
    done = deed(rollout(), Verb.ROLL_BACK, DeedState.DONE, decider.now)
    assert decider.see(0.95, deed=done).outcome is Outcome.WATCH


def test_a_refusal_that_passes_is_tried_again_with_growing_pauses_and_then_flagged(decider: Decider) -> None:
    tries = 0
    for _ in range(400):
        decision = decider.see(0.95)
        if decision.outcome is Outcome.FLAG:
            break
        if decision.outcome is Outcome.ROLL_BACK:
            tries += 1
            refused = deed(rollout(), Verb.ROLL_BACK, DeedState.REFUSED, decider.now, refusal=Refusal.CONFLICT)
            decider.pass_time(0.5)
            decider.see(0.95, deed=refused)
        decider.pass_time(0.5)
    assert tries == 5
    assert decider.flag_of() is not None


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        (DeedState.FAILED, {"detail": "ProgressDeadlineExceeded"}),
        (DeedState.REFUSED, {"refusal": Refusal.NO_RIGHT}),
        (DeedState.REFUSED, {"refusal": Refusal.INVALID}),
    ],
)
def test_a_deed_that_failed_is_left_to_a_person(decider: Decider, state: DeedState, changes: dict[str, Any]) -> None:
    settled_in(decider)
    failed = deed(rollout(), Verb.ROLL_BACK, state, decider.now, **changes)
    decider.pass_time(1.0)
    assert decider.see(0.95, deed=failed).flag is FlagReason.ACTION_FAILED
    decider.pass_time(100.0)
    assert decider.see(0.95, deed=failed).outcome is Outcome.FLAG


def test_an_unknown_deed_is_left_to_a_person_when_nothing_settles_it(decider: Decider) -> None:
    sent = deed(rollout(), Verb.PROMOTE, DeedState.UNKNOWN, decider.now)
    assert decider.see(0.1, deed=sent).outcome is Outcome.WATCH
    decider.pass_time(LONG)
    decision = decider.see(0.1, deed=sent)
    assert (decision.flag, decision.detail) == (FlagReason.ACTION_FAILED, "unknown")


def test_a_roll_back_by_a_cancelled_countdown_is_nothing(decider: Decider) -> None:
    settled_in(decider)
    stopped = deed(rollout(), Verb.PROMOTE, DeedState.CANCELLED, decider.now, automatic=False)
    assert decider.see(0.1, deed=stopped).outcome is Outcome.PROMOTE


def test_no_more_than_ten_roll_backs_in_ten_minutes(decider: Decider) -> None:
    cases = [Case(rollout=rollout(f"u{n}"), verdict=verdict(0.95, decider.now, f"u{n}")) for n in range(12)]
    outcomes = [decision.outcome for decision in decider.look(*cases)]
    assert outcomes.count(Outcome.ROLL_BACK) == 10
    assert {flag.reason for flag in decider.memory.flags.values()} == {FlagReason.RAILS}
    decider.pass_time(700.0)
    decision = decider.see(0.95, rollout("u11"))
    assert decision.outcome is Outcome.ROLL_BACK


def test_promotions_have_rails_of_their_own(decider: Decider) -> None:
    decider.policy = Policy(rows=decider.policy.rows, rails=Rails(promotions=1))
    for score in (0.4, 0.1):
        cases = [Case(rollout=rollout(f"u{n}"), verdict=verdict(score, decider.now, f"u{n}")) for n in range(2)]
        decisions = decider.look(*cases)
        decider.pass_time(LONG)
    assert [decision.outcome for decision in decisions] == [Outcome.PROMOTE, Outcome.FLAG]
    assert decisions[1].flag is FlagReason.RAILS


def test_a_version_that_was_rolled_back_automatically_is_not_promoted_again(decider: Decider) -> None:
    decider.see(0.95)
    decider.see(0.0, rollout(phase=Phase.ABORTED, pause=None))
    decider.pass_time(100.0)
    decider.see(0.4)
    decider.pass_time(LONG)
    decision = decider.see(0.1)
    assert (decision.flag, decision.detail) == (FlagReason.POLICY, "promote:quarantine")


def test_the_quarantine_ends_when_another_version_became_stable(decider: Decider) -> None:
    decider.see(0.95)
    assert decider.memory.quarantine
    decider.see(0.0, rollout(phase=Phase.HEALTHY, canary=None, pause=None))
    assert decider.memory.quarantine
    healed = rollout(phase=Phase.HEALTHY, canary=None, pause=None, stable=Revision(hash="fixed"))
    decider.see(0.0, healed)
    assert not decider.memory.quarantine


def test_memory_survives_its_own_json(decider: Decider) -> None:
    decider.see(0.95)
    decider.see(0.5, rollout("u2"), flag=Flag(reason=FlagReason.PERSON, since=NOW, by="ada"))
    text = msgspec.json.encode(decider.memory)
    assert msgspec.json.decode(text, type=Memory) == decider.memory


def test_rails_and_quarantine_are_learned_again_from_the_journal() -> None:
    seen = rollout()
    deeds = [
        deed(seen, Verb.ROLL_BACK, DeedState.JOURNALLED, NOW - 50.0),
        deed(seen, Verb.ROLL_BACK, DeedState.DONE, NOW - 50.0),
        deed(seen, Verb.PROMOTE, DeedState.JOURNALLED, NOW - 40.0),
        deed(seen, Verb.PROMOTE, DeedState.REFUSED, NOW - 40.0, refusal=Refusal.CONFLICT),
        deed(seen, Verb.PROMOTE, DeedState.DONE, NOW - 30.0, automatic=False),
        deed(seen, Verb.PROMOTE, DeedState.DONE, NOW - 700.0),
    ]
    memory = relearn(deeds, NOW, 600.0)
    assert [(act.verb, act.at) for act in memory.acts] == [(Verb.ROLL_BACK, NOW - 50.0)]
    assert memory.quarantine[Uid("u1")].hash == "new"


@pytest.mark.parametrize("score", [0.1, 0.95])
def test_what_the_journal_refused_is_decided_anew_once_it_can_be_written(decider: Decider, score: float) -> None:
    settled_in(decider)
    verb, outcome = (Verb.PROMOTE, Outcome.PROMOTE) if score < 0.5 else (Verb.ROLL_BACK, Outcome.ROLL_BACK)
    assert decider.see(score).outcome is outcome
    decider.journal = False
    refused = deed(rollout(), verb, DeedState.REFUSED, decider.now, refusal=Refusal.JOURNAL)
    for seconds in (1.0, 600.0):
        decider.pass_time(seconds)
        decision = decider.see(score, deed=refused)
        assert (decision.outcome, decision.flag, decision.detail) == (Outcome.FLAG, FlagReason.ACTION_FAILED, "journal")
    decider.journal = True
    decider.pass_time(1.0)
    assert decider.see(score, deed=refused).outcome is outcome


@pytest.mark.parametrize("taken", [False, True])
def test_a_journal_that_works_now_and_then_is_not_tried_at_each_look(decider: Decider, taken: bool) -> None:
    settled_in(decider)
    decider.see(0.1)
    refused = deed(rollout(), Verb.PROMOTE, DeedState.REFUSED, decider.now, refusal=Refusal.JOURNAL)
    decider.pass_time(1.0)
    assert decider.see(0.1, deed=refused).outcome is Outcome.FLAG
    flag = decider.flag_of()
    assert flag is not None
    mark = msgspec.structs.replace(flag, acknowledged_by="ada", acknowledged_at=decider.now) if taken else None
    decider.pass_time(UNWRITTEN - 1.0)
    assert decider.see(0.1, deed=refused, flag=mark).outcome is Outcome.FLAG
    decider.pass_time(2.0)
    # Whoever has said that they take care of it is not overtaken.
    assert decider.see(0.1, deed=refused, flag=mark).outcome is (Outcome.FLAG if taken else Outcome.PROMOTE)
