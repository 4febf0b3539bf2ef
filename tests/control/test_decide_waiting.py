"""Waiting: patience with a score in between and with none at all, and how long a canary has stood on its step."""

from __future__ import annotations

import pytest

from opsroom.control.case import Case
from opsroom.domain.decision import TOO_SLOW, FlagReason, Outcome
from opsroom.domain.rollout import Pause
from opsroom.domain.verdict import UnknownReason
from tests.control.conftest import NOW, Decider, rollout, settled_in, verdict


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


def test_a_score_in_between_is_flagged_when_patience_ends(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decision = decider.see(0.5)
    assert (decision.flag, decision.detail) == (FlagReason.INCONCLUSIVE, "score")


def test_a_canary_that_will_not_be_decided_in_time_says_so_early(decider: Decider) -> None:
    assert decider.see(0.5, decides_in=60.0).detail == "score"
    late = decider.see(0.5, decides_in=100_000.0)
    assert (late.outcome, late.detail) == (Outcome.WATCH, TOO_SLOW)


def test_too_little_traffic_for_a_promotion_is_flagged_when_patience_ends(decider: Decider) -> None:
    decider.see(0.1, requests=10.0)
    decider.pass_time(600.0)
    decision = decider.see(0.1, requests=10.0)
    assert (decision.flag, decision.detail) == (FlagReason.INCONCLUSIVE, "min_requests")


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
