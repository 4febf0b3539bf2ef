"""Plans, steps and gates of Flagger Canaries, and what the keys would do to them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.deed import Effect, Refusal, Verb
from opsroom.domain.flagger import CanaryPhase, Gate, Plan, Run, own_gates, phase_of, revision_of, weights
from opsroom.domain.offer import offer
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, StepKind, Uid

GATED = Plan(
    own=frozenset({Gate.TRAFFIC, Gate.PROMOTION, Gate.ROLLBACK}),
    asked=frozenset({Gate.TRAFFIC.value, Gate.PROMOTION.value, Gate.ROLLBACK.value}),
    weights=(20, 50),
    interval=10.0,
)


@pytest.mark.parametrize(
    ("step", "steps", "maximum", "expected"),
    [
        (10, (), 30, (10, 20, 30)),
        (30, (), 50, (30, 60)),
        (40, (), 0, (40, 80, 100)),
        (0, (5, 25, 50), 0, (5, 25, 50)),
        (0, (5, 150), 0, (5, 100)),
        (0, (), 50, ()),
    ],
)
def test_weights_go_up_as_flagger_counts_them(
    step: int, steps: tuple[int, ...], maximum: int, expected: tuple[int, ...]
) -> None:
    assert weights(step, steps, maximum) == expected


@given(st.integers(-5, 200), st.lists(st.integers(-5, 200), max_size=5), st.integers(-5, 200))
def test_no_numbers_make_a_plan_without_end(step: int, steps: list[int], maximum: int) -> None:
    assert len(weights(step, steps, maximum)) <= 101


@pytest.mark.parametrize(
    ("phase", "weight", "step", "traffic"),
    [
        (CanaryPhase.PROGRESSING, 0, 0, 0),
        (CanaryPhase.PROGRESSING, 20, 1, 20),
        (CanaryPhase.PROGRESSING, 50, 3, 50),
        (CanaryPhase.WAITING_PROMOTION, 0, 3, 50),
        (CanaryPhase.PROMOTING, 0, 4, 0),
        (CanaryPhase.SUCCEEDED, 0, 4, 0),
    ],
)
def test_the_step_comes_from_phase_and_plan(phase: CanaryPhase, weight: int, step: int, traffic: int) -> None:
    run = Run(plan=GATED, phase=phase, weight=weight)
    assert (run.step, run.traffic, len(GATED.steps())) == (step, traffic, 4)


def test_a_gate_before_the_start_is_a_step_of_its_own() -> None:
    plan = msgspec.structs.replace(GATED, asked=GATED.asked | {Gate.ROLLOUT.value})
    assert plan.steps()[0].kind is StepKind.PAUSE
    assert Run(plan=plan, phase=CanaryPhase.WAITING).step == 0
    assert Run(plan=plan, phase=CanaryPhase.PROGRESSING, weight=20).step == 2


def test_iterations_are_steps_and_the_promotion_is_the_last() -> None:
    plan = Plan(own=GATED.own, asked=GATED.asked, iterations=3)
    assert [step.kind for step in plan.steps()] == [StepKind.ANALYSIS] * 3 + [StepKind.PAUSE]
    assert Run(plan=plan, phase=CanaryPhase.PROGRESSING, iterations=4).step == 3
    assert Run(plan=plan, phase=CanaryPhase.WAITING_PROMOTION, iterations=2).waits_for == {Gate.PROMOTION}


def test_a_gate_is_ours_by_its_path_and_only_for_its_own_type() -> None:
    hooks = [
        ("confirm-promotion", "http://x.y:1/opsroom/confirm-promotion"),
        ("rollback", "http://x.y:1/opsroom/confirm-promotion"),
        ("confirm-rollout", "http://loadtester/gate/check"),
        ("event", "http://x.y:1/opsroom/event"),
        ("confirm-traffic-increase", "http://[broken"),
    ]
    assert own_gates(hooks) == {Gate.PROMOTION}


def test_what_is_analysed_is_named_by_template_and_configs() -> None:
    assert revision_of("abc", None) == revision_of("abc", {}) == "abc"
    assert revision_of("abc", {"a": "1", "b": "2"}) == revision_of("abc", {"b": "2", "a": "1"}) != "abc"
    assert phase_of("WaitingTrafficIncrease") is CanaryPhase.STRANGE


def rollout(**changes: Any) -> Rollout:
    base = Rollout(
        uid=Uid("u"),
        engine=Engine.FLAGGER,
        shape=Shape.CANARY,
        namespace="shop",
        name="cart",
        phase=Phase.PAUSED,
        stable=Revision(hash="aaa", version="v1"),
        canary=Revision(hash="bbb", version="v2", replicas=2),
        steps=GATED.steps(),
        step=1,
        weight=20,
        pause=Pause(step=True),
        gates=tuple(sorted(gate.value for gate in GATED.own)),
        gates_served=True,
    )
    return msgspec.structs.replace(base, **changes)


def test_promote_opens_the_gate_of_this_step() -> None:
    got = offer(rollout(), Verb.PROMOTE)
    assert (got.effect, got.weight, got.step) == (Effect.OPEN_GATE, 50, 2)
    assert offer(rollout(step=3, weight=50), Verb.PROMOTE).weight == 100
    assert offer(rollout(), Verb.PROMOTE_FULLY).effect is Effect.OPEN_ALL_GATES


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gates_served": False}, Refusal.GATE_DEAD),
        ({"gates": ()}, Refusal.NO_GATE),
        ({"gates": ("rollback",)}, Refusal.NO_GATE),
        ({"pause": None, "phase": Phase.PROGRESSING}, Refusal.NOTHING_TO_PROMOTE),
        ({"step": 4, "phase": Phase.PROGRESSING, "pause": None}, Refusal.NOTHING_TO_PROMOTE),
        ({"pause": Pause(user=True)}, Effect.UNPAUSE),
        ({"phase": Phase.ABORTED}, Refusal.NOT_UNDER_WAY),
    ],
)
def test_a_promotion_says_why_it_cannot_be(changes: dict[str, Any], expected: Effect | Refusal) -> None:
    got = offer(rollout(**changes), Verb.PROMOTE)
    assert (got.effect or got.refusal) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Effect.ASK_ROLL_BACK),
        ({"gates_served": False}, Effect.FAIL_CHECKS),
        ({"gates": ()}, Effect.FAIL_CHECKS),
        ({"step": 4, "phase": Phase.PROGRESSING, "pause": None}, Refusal.TOO_LATE),
        ({"phase": Phase.HEALTHY, "canary": None}, Effect.UNDO),
        ({"phase": Phase.HEALTHY, "canary": None, "owner": "flux"}, Refusal.OWNED),
    ],
)
def test_a_roll_back_names_its_way(changes: dict[str, Any], expected: Effect | Refusal) -> None:
    got = offer(rollout(**changes), Verb.ROLL_BACK)
    assert (got.effect or got.refusal) is expected


def test_what_waits_for_its_start_has_nothing_to_roll_back() -> None:
    plan = msgspec.structs.replace(GATED, asked=GATED.asked | {Gate.ROLLOUT.value})
    assert offer(rollout(steps=plan.steps(), step=0), Verb.ROLL_BACK).refusal is Refusal.NOT_STARTED
