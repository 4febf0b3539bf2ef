"""The decision on one rollout: every outcome, every reason for a flag, and what may never happen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.control.case import Case
from opsroom.control.memory import Memory, relearn
from opsroom.domain.board import Freeze
from opsroom.domain.decision import TOO_SLOW, Flag, FlagReason, Outcome
from opsroom.domain.deed import DeedState, Refusal, Verb
from opsroom.domain.policy import Policy, PolicyRow, Rails
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Shape, Uid
from opsroom.domain.verdict import Evidence, UnknownReason
from tests.control.conftest import NOW, Decider, deed, rollout, verdict

LONG = 61.0
"""Longer than the minimum on a step."""


def settled_in(decider: Decider, **changes: Any) -> None:
    """The decider has met the rollout, and the minimum time on its step has passed."""
    decider.see(0.4, **changes)
    decider.pass_time(LONG)


def test_a_healthy_canary_is_promoted_one_step(decider: Decider) -> None:
    settled_in(decider)
    decision = decider.see(0.1)
    assert (decision.outcome, decision.row, decision.score) == (Outcome.PROMOTE, "default", 0.1)


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"score": 0.2}, "score"),
        ({"steps": 2}, "min_steps"),
        ({"requests": 49.0}, "min_requests"),
        ({"shared": True}, "shared"),
    ],
)
def test_a_promotion_needs_everything_at_once(decider: Decider, changes: dict[str, Any], lacks: str) -> None:
    settled_in(decider)
    decision = decider.see(changes.pop("score", 0.1), **changes)
    assert (decision.outcome, decision.detail) == (Outcome.WATCH, lacks)


def test_a_promotion_needs_its_time_on_each_step(decider: Decider) -> None:
    decider.see(0.1)
    decider.pass_time(59.0)
    assert decider.see(0.1).detail == "min_seconds"
    decider.pass_time(2.0)
    assert decider.see(0.1).outcome is Outcome.PROMOTE
    further = rollout(step=3)
    decider.pass_time(2.0)
    assert decider.see(0.1, further).detail == "min_seconds"
    decider.pass_time(LONG)
    assert decider.see(0.1, further).outcome is Outcome.PROMOTE


def test_requests_that_nobody_counted_are_not_enough(decider: Decider) -> None:
    settled_in(decider)
    uncounted = (Evidence(metric="latency_p99", harm=0.1),)
    assert decider.see(0.1, evidence=uncounted).detail == "min_requests"


@pytest.mark.parametrize("reason", list(UnknownReason))
def test_unknown_never_promotes_and_is_flagged_when_patience_ends(decider: Decider, reason: UnknownReason) -> None:
    settled_in(decider)
    assert decider.see(None, unknown=reason).outcome is Outcome.WATCH
    decider.pass_time(599.0)
    assert decider.see(None, unknown=reason).outcome is Outcome.WATCH
    decider.pass_time(2.0)
    decision = decider.see(None, unknown=reason)
    assert (decision.outcome, decision.flag, decision.detail) == (Outcome.FLAG, FlagReason.NO_DATA, reason.value)


def test_a_verdict_that_went_stale_is_unknown(decider: Decider) -> None:
    settled_in(decider)
    old = verdict(0.1, decider.now - 4 * decider.policy.step - 16.0)
    assert decider.see(None, verdict=old).detail == "stale"
    harmful = verdict(0.99, decider.now - 4 * decider.policy.step - 16.0)
    assert decider.see(None, verdict=harmful).outcome is Outcome.WATCH


def test_no_verdict_at_all_is_unknown(decider: Decider) -> None:
    decision = decider.look(Case(rollout=rollout()))[0]
    assert (decision.outcome, decision.detail) == (Outcome.WATCH, "no_data")


def test_data_in_between_starts_the_patience_with_unknown_again(decider: Decider) -> None:
    decider.see(None)
    decider.pass_time(500.0)
    decider.see(0.5)
    decider.pass_time(50.0)
    decider.see(None)
    decider.pass_time(400.0)
    assert decider.see(None).outcome is Outcome.WATCH


def test_a_harmful_canary_is_rolled_back_at_once(decider: Decider) -> None:
    assert decider.see(0.81).outcome is Outcome.ROLL_BACK


def test_exactly_the_threshold_is_no_roll_back(decider: Decider) -> None:
    assert decider.see(0.8).outcome is Outcome.WATCH


def test_a_roll_back_does_not_wait_for_a_pause(decider: Decider) -> None:
    moving = rollout(phase=Phase.PROGRESSING, pause=None, step=0)
    assert decider.see(0.95, moving).outcome is Outcome.ROLL_BACK


def test_a_shared_incident_does_not_roll_back_the_innocent(decider: Decider) -> None:
    assert decider.see(0.95, shared=True).flag is FlagReason.SHARED
    decider.pass_time(10.0)
    assert decider.see(0.95).outcome is Outcome.FLAG


@pytest.mark.parametrize("score", [0.1, 0.95])
def test_a_sick_baseline_is_left_to_a_person(decider: Decider, score: float) -> None:
    settled_in(decider)
    sick = (Evidence(metric="error_rate", harm=score, canary=0.5, baseline=0.4, requests=400.0),)
    assert decider.see(score, evidence=sick).flag is FlagReason.BASELINE_SICK


def test_a_score_in_between_is_flagged_when_patience_ends(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decision = decider.see(0.5)
    assert (decision.flag, decision.detail) == (FlagReason.INCONCLUSIVE, "score")


def test_a_canary_that_will_not_be_decided_in_time_says_so_early(decider: Decider) -> None:
    assert decider.see(0.5, decides_in=60.0).detail == "score"
    late = decider.see(0.5, decides_in=100_000.0)
    assert (late.outcome, late.detail) == (Outcome.WATCH, TOO_SLOW)


def test_metrics_that_contradict_each_other_are_flagged_as_such(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    torn = (Evidence(metric="latency_p99", harm=0.95), Evidence(metric="error_rate", harm=0.05, requests=400.0))
    assert decider.see(0.5, evidence=torn).flag is FlagReason.CONFLICT


def test_too_little_traffic_for_a_promotion_is_flagged_when_patience_ends(decider: Decider) -> None:
    decider.see(0.1, requests=10.0)
    decider.pass_time(600.0)
    decision = decider.see(0.1, requests=10.0)
    assert (decision.flag, decision.detail) == (FlagReason.INCONCLUSIVE, "min_requests")


def test_an_inconclusive_analysis_is_left_to_a_person(decider: Decider) -> None:
    settled_in(decider)
    stuck = rollout(pause=Pause(inconclusive=True))
    decision = decider.see(0.1, stuck)
    assert (decision.flag, decision.detail) == (FlagReason.INCONCLUSIVE, "analysis")


def test_a_row_that_asks_for_a_person_flags_what_is_due(decider: Decider) -> None:
    decider.row(person=True)
    settled_in(decider)
    decision = decider.see(0.1)
    assert (decision.flag, decision.detail) == (FlagReason.POLICY, "promote:row")
    assert decider.see(0.95).outcome is Outcome.ROLL_BACK


def test_a_row_without_automatic_roll_back_flags_harm(decider: Decider) -> None:
    decider.row(auto_rollback=False)
    decision = decider.see(0.95)
    assert (decision.flag, decision.detail) == (FlagReason.POLICY, "roll_back:row")


def test_without_the_right_to_act_what_is_due_is_flagged(decider: Decider) -> None:
    decider.may_act = False
    assert decider.see(0.95).detail == "roll_back:mode"


def test_a_freeze_flags_what_is_due_and_the_thaw_ends_it(decider: Decider) -> None:
    settled_in(decider)
    decider.freeze = Freeze(by="ada", since=decider.now)
    assert decider.see(0.1).flag is FlagReason.FREEZE
    decider.freeze = None
    assert decider.see(0.1).outcome is Outcome.PROMOTE
    assert decider.flag_of() is None


def test_a_frozen_queue_stops_promotions_but_not_roll_backs(decider: Decider) -> None:
    settled_in(decider)
    decider.steps_held = True
    decider.pass_time(600.0)
    assert decider.see(0.1).detail == "queue_frozen"
    assert decider.see(0.95).outcome is Outcome.ROLL_BACK


def test_what_the_queue_holds_is_not_promoted(decider: Decider) -> None:
    held = rollout(held=True)
    settled_in(decider, seen=held)
    assert decider.see(0.1, held).outcome is Outcome.WATCH


def test_a_persons_wish_stops_promotion_but_not_the_roll_back(decider: Decider) -> None:
    settled_in(decider)
    asked = Flag(reason=FlagReason.PERSON, since=decider.now, by="ada")
    decision = decider.see(0.1, flag=asked)
    assert (decision.outcome, decision.flag) == (Outcome.FLAG, FlagReason.PERSON)
    assert decider.see(0.95, flag=asked).outcome is Outcome.ROLL_BACK


def test_a_flag_stays_with_its_reason_and_time_until_a_person_acts(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    since = decider.now
    for score in (0.1, None, 0.5):
        decider.pass_time(100.0)
        decision = decider.see(score)
        assert (decision.outcome, decision.flag) == (Outcome.FLAG, FlagReason.INCONCLUSIVE)
    flag = decider.flag_of()
    assert flag is not None
    assert flag.since == since


def test_a_persons_promotion_lifts_the_flag(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    by_hand = deed(rollout(), Verb.PROMOTE, DeedState.DONE, decider.now + 1, automatic=False)
    decider.pass_time(2.0)
    assert decider.see(0.5, rollout(step=3), deed=by_hand).outcome is Outcome.WATCH
    assert decider.flag_of() is None


def test_a_step_that_moved_from_rest_means_that_a_person_acted_elsewhere(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    decider.pass_time(2.0)
    assert decider.see(0.5, rollout(step=3)).outcome is Outcome.WATCH


def test_a_timed_pause_that_ends_by_itself_keeps_a_persons_flag(decider: Decider) -> None:
    timed = rollout(pause=Pause(step=True, until=NOW + 10))
    decider.see(0.5, timed, flag=Flag(reason=FlagReason.PERSON, since=NOW, by="ada"))
    decider.pass_time(11.0)
    assert decider.see(0.5, rollout(step=3)).flag is FlagReason.PERSON


def test_a_mark_of_the_former_decider_is_taken_over(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW - 500.0)
    assert decider.see(0.5, flag=mark).flag is FlagReason.NO_DATA
    assert decider.flag_of() == mark


def test_an_old_mark_does_not_bring_a_lifted_flag_back(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW - 500.0)
    decider.see(0.5, flag=mark)
    by_hand = deed(rollout(), Verb.PROMOTE, DeedState.DONE, decider.now, automatic=False)
    for _ in range(3):
        decider.pass_time(1.0)
        assert decider.see(0.5, rollout(step=3), deed=by_hand, flag=mark).outcome is Outcome.WATCH


def test_another_canary_starts_without_the_flag(decider: Decider) -> None:
    decider.see(0.5, flag=Flag(reason=FlagReason.NO_DATA, since=NOW))
    assert decider.see(0.5, rollout(canary=Revision(hash="newer"))).outcome is Outcome.WATCH


def test_an_acknowledgement_is_added_and_lifts_nothing(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW)
    decider.see(0.5, flag=mark)
    seen = msgspec.structs.replace(mark, acknowledged_by="ada", acknowledged_at=NOW + 1)
    decider.see(0.5, flag=seen)
    assert decider.flag_of() == seen


def test_what_is_over_is_flagged_no_more(decider: Decider) -> None:
    decider.see(0.5, flag=Flag(reason=FlagReason.NO_DATA, since=NOW))
    done = rollout(phase=Phase.HEALTHY, canary=None, pause=None)
    assert decider.see(0.5, done).outcome is Outcome.WATCH
    assert decider.flag_of() is None


def test_a_degraded_canary_is_flagged_and_rolled_back_when_harmful(decider: Decider) -> None:
    broken = rollout(phase=Phase.DEGRADED, pause=None)
    assert decider.see(0.5, broken).flag is FlagReason.DEGRADED
    assert decider.see(0.95, broken).outcome is Outcome.ROLL_BACK


@pytest.mark.parametrize(
    "pause",
    [None, Pause(user=True), Pause(step=True, user=True), Pause(step=True, until=NOW + 1e6), Pause()],
)
def test_automation_never_lifts_what_a_person_or_the_plan_set(decider: Decider, pause: Pause | None) -> None:
    seen = rollout(pause=pause)
    settled_in(decider, seen=seen)
    assert decider.see(0.1, seen).outcome is Outcome.WATCH


@pytest.mark.parametrize(
    ("shape", "pause"),
    [(Shape.PAIR, Pause(step=True)), (Shape.ROLLING, Pause(user=True))],
)
def test_deployments_are_promoted_from_their_kind_of_pause(decider: Decider, shape: Shape, pause: Pause) -> None:
    seen = rollout(engine=Engine.DEPLOYMENT, shape=shape, pause=pause, steps=(), step=None)
    settled_in(decider, seen=seen)
    assert decider.see(0.1, seen).outcome is Outcome.PROMOTE


def test_a_pair_whose_canary_is_not_whole_is_not_promoted(decider: Decider) -> None:
    seen = rollout(engine=Engine.DEPLOYMENT, shape=Shape.PAIR, phase=Phase.PROGRESSING, pause=None, steps=(), step=None)
    settled_in(decider, seen=seen)
    assert decider.see(0.1, seen).outcome is Outcome.WATCH


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
        (DeedState.REFUSED, {"refusal": Refusal.JOURNAL}),
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


@pytest.mark.parametrize(("score", "outcome"), [(0.1, Outcome.PROMOTE), (None, Outcome.FLAG), (0.4, Outcome.FLAG)])
def test_a_clock_that_is_set_back_starts_the_waiting_anew(
    decider: Decider, score: float | None, outcome: Outcome
) -> None:
    decider.row(unknown_seconds=300.0)
    decider.see(score)
    decider.pass_time(1.0)
    decider.see(score)
    decider.pass_time(-3600.0)
    assert decider.see(score).outcome is Outcome.WATCH
    decider.pass_time(601.0)
    assert decider.see(score).outcome is outcome


def test_nothing_is_promoted_while_a_metric_is_not_answered(decider: Decider) -> None:
    """Whoever is healthy by its latency alone may fail every request."""
    settled_in(decider)
    decider.blind = True
    assert (decider.see(0.1).outcome, decider.see(0.1).detail) == (Outcome.WATCH, "source_down")
    decider.pass_time(1000.0)
    assert decider.see(0.1).flag is FlagReason.INCONCLUSIVE
    other = rollout("u2")
    assert decider.see(0.95, other).outcome is Outcome.ROLL_BACK


def test_what_was_measured_before_a_step_promotes_nothing_on_it(decider: Decider) -> None:
    decider.row(min_seconds=0.0)
    decider.see(0.4)
    decider.pass_time(5.0)
    assert decider.see(0.1).outcome is Outcome.PROMOTE
    decider.pass_time(5.0)
    further = rollout(step=3)
    decider.see(0.4, further)
    begun = decider.now
    decider.pass_time(10.0)
    assert decider.see(0.1, further, at=begun).detail == "min_seconds"
    assert decider.see(0.1, further, at=begun + 1.0).outcome is Outcome.PROMOTE


def test_a_new_worker_takes_the_age_of_a_canary_from_the_cluster(decider: Decider) -> None:
    since = rollout(pause=Pause(step=True, since=NOW - 100.0))
    assert decider.see(0.1, since).outcome is Outcome.PROMOTE


def test_a_worker_that_has_run_for_long_trusts_its_own_eyes(decider: Decider) -> None:
    decider.see(0.4, rollout("other"))
    decider.pass_time(100.0)
    ancient = rollout(pause=Pause(step=True, since=NOW - 1e6))
    assert decider.see(0.1, ancient).detail == "min_seconds"


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


def test_the_row_that_was_used_is_named(decider: Decider) -> None:
    strict = PolicyRow(name="tier-0", match={"tier": "0"}, rollback_above=0.5)
    decider.policy = Policy(rows=(strict, *decider.policy.rows))
    decision = decider.see(0.6, rollout(labels={"tier": "0"}))
    assert (decision.outcome, decision.row) == (Outcome.ROLL_BACK, "tier-0")


def test_nobody_is_asked_about_what_the_queue_keeps_at_its_gate(decider: Decider) -> None:
    for _ in range(40):
        decision = decider.see(None, queued=True)
        decider.pass_time(60.0)
    assert (decision.outcome, decision.detail) == (Outcome.WATCH, "queued")
    by_hand = decider.see(None, queued=True, flag=Flag(reason=FlagReason.PERSON, since=decider.now))
    assert by_hand.outcome is Outcome.FLAG


@pytest.mark.parametrize("score", [0.5, None])
def test_patience_is_not_spent_while_nobody_looks(decider: Decider, score: float | None) -> None:
    decider.row(unknown_seconds=600.0)
    decider.see(score)
    decider.sleep(7200.0)
    assert decider.see(score).outcome is Outcome.WATCH
    for _ in range(19):
        decider.sleep(30.0)
        assert decider.see(score).outcome is Outcome.WATCH
    decider.sleep(30.0)
    assert decider.see(score).flag is (FlagReason.NO_DATA if score is None else FlagReason.INCONCLUSIVE)


def test_a_worker_that_begins_late_gives_a_canary_its_whole_patience(decider: Decider) -> None:
    old = rollout(pause=Pause(step=True, since=decider.now - 7200.0))
    assert decider.see(0.5, old).outcome is Outcome.WATCH
    decider.pass_time(599.0)
    assert decider.see(0.5, old).outcome is Outcome.WATCH
    decider.pass_time(2.0)
    assert decider.see(0.5, old).flag is FlagReason.INCONCLUSIVE


def test_a_step_that_was_left_leaves_its_patience_behind(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(500.0)
    decider.see(0.5)
    moved = rollout(step=3)
    decider.see(0.5, moved)
    decider.pass_time(500.0)
    assert decider.see(0.5, moved).outcome is Outcome.WATCH
