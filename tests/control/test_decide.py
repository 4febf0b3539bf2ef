"""The decision on one rollout at one look: what is promoted, rolled back, or left to a person, and why."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.domain.decision import Flag, FlagReason, Outcome
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.rollout import Engine, Pause, Phase, Shape
from opsroom.domain.verdict import Evidence
from tests.control.conftest import LONG, NOW, Decider, rollout, settled_in


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


def test_metrics_that_contradict_each_other_are_flagged_as_such(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    torn = (Evidence(metric="latency_p99", harm=0.95), Evidence(metric="error_rate", harm=0.05, requests=400.0))
    assert decider.see(0.5, evidence=torn).flag is FlagReason.CONFLICT


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


def test_a_canary_that_waits_in_the_queue_without_traffic_neither_lacks_data_nor_loses_patience(
    decider: Decider,
) -> None:
    held = rollout(held=True, weight=0)
    settled_in(decider, seen=held)
    for _ in range(3):
        decider.pass_time(LONG)
        assert (decider.see(None, held).outcome, decider.see(None, held).detail) == (Outcome.WATCH, "queued")
    assert decider.see(None, rollout(weight=20)).outcome is Outcome.WATCH


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


def test_nothing_is_promoted_while_a_metric_is_not_answered(decider: Decider) -> None:
    """Whoever is healthy by its latency alone may fail every request."""
    settled_in(decider)
    decider.blind = True
    assert (decider.see(0.1).outcome, decider.see(0.1).detail) == (Outcome.WATCH, "source_down")
    decider.pass_time(1000.0)
    assert decider.see(0.1).flag is FlagReason.INCONCLUSIVE
    other = rollout("u2")
    assert decider.see(0.95, other).outcome is Outcome.ROLL_BACK


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
