"""What ``p`` and ``x`` would do, engine by engine."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.domain.deed import Effect, Refusal, Verb
from opsroom.domain.offer import offer, weight_after
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid

STEPS = (
    Step(kind=StepKind.WEIGHT, weight=5),
    Step(kind=StepKind.PAUSE),
    Step(kind=StepKind.WEIGHT, weight=25),
    Step(kind=StepKind.PAUSE, seconds=60),
    Step(kind=StepKind.ANALYSIS),
)


def rollout(**changes: Any) -> Rollout:
    base = Rollout(
        uid=Uid("u"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="shop",
        name="cart",
        phase=Phase.PAUSED,
        stable=Revision(hash="aaa", version="v1"),
        canary=Revision(hash="bbb", version="v2"),
        steps=STEPS,
        step=1,
        weight=5,
        pause=Pause(step=True),
    )
    return msgspec.structs.replace(base, **changes)


def test_promote_at_a_pause_goes_to_the_next_weight() -> None:
    got = offer(rollout(), Verb.PROMOTE)
    assert (got.effect, got.weight, got.step, got.revision) == (Effect.NEXT_STEP, 25, 2, "v2")


def test_promote_at_the_last_pause_reaches_all_traffic() -> None:
    assert offer(rollout(step=3), Verb.PROMOTE).weight == 100


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"pause": None, "phase": Phase.PROGRESSING}, Refusal.NOTHING_TO_PROMOTE),
        ({"phase": Phase.OBSERVING}, Refusal.NOT_OBSERVED),
        ({"phase": Phase.HEALTHY, "canary": None}, Refusal.NOT_UNDER_WAY),
        ({"phase": Phase.ABORTED}, Refusal.NOT_UNDER_WAY),
    ],
)
def test_promote_is_refused_where_it_would_skip_or_mean_nothing(changes: dict[str, Any], refusal: Refusal) -> None:
    got = offer(rollout(**changes), Verb.PROMOTE)
    assert got.refusal is refusal
    assert got.effect is None


def test_a_user_pause_is_only_unpaused_and_no_step_is_lost() -> None:
    got = offer(rollout(pause=Pause(user=True)), Verb.PROMOTE)
    assert (got.effect, got.step) == (Effect.UNPAUSE, 1)


def test_an_inconclusive_analysis_is_stepped_over() -> None:
    assert offer(rollout(pause=Pause(inconclusive=True)), Verb.PROMOTE).effect is Effect.ACCEPT_INCONCLUSIVE


def test_blue_green_switches() -> None:
    assert offer(rollout(shape=Shape.BLUE_GREEN), Verb.PROMOTE).effect is Effect.SWITCH


def test_full_promotion_needs_no_pause() -> None:
    assert offer(rollout(pause=None, phase=Phase.PROGRESSING), Verb.PROMOTE_FULLY).effect is Effect.FULL


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({}, Effect.ABORT),
        ({"pause": None, "phase": Phase.PROGRESSING}, Effect.ABORT),
        ({"engine": Engine.DEPLOYMENT, "shape": Shape.PAIR, "pause": None}, Effect.SCALE_DOWN),
        ({"engine": Engine.DEPLOYMENT, "shape": Shape.ROLLING, "pause": Pause(user=True)}, Effect.REVERT),
        ({"phase": Phase.HEALTHY, "canary": None}, Effect.UNDO),
    ],
)
def test_roll_back_names_which_deed_it_is(changes: dict[str, Any], effect: Effect) -> None:
    assert offer(rollout(**changes), Verb.ROLL_BACK).effect is effect


def test_an_undo_that_git_would_revert_is_refused() -> None:
    got = offer(rollout(phase=Phase.HEALTHY, canary=None, owner="argocd"), Verb.ROLL_BACK)
    assert got.refusal is Refusal.OWNED


def test_what_helm_installed_may_be_undone() -> None:
    got = offer(rollout(phase=Phase.HEALTHY, canary=None, owner="helm"), Verb.ROLL_BACK)
    assert got.effect is Effect.UNDO


def test_a_rolling_update_that_is_not_paused_cannot_be_promoted() -> None:
    got = offer(
        rollout(engine=Engine.DEPLOYMENT, shape=Shape.ROLLING, pause=None, phase=Phase.PROGRESSING), Verb.PROMOTE
    )
    assert got.refusal is Refusal.NOTHING_TO_PROMOTE


def test_weight_after_nothing_known_is_nothing() -> None:
    assert weight_after(rollout(), None) is None


def test_a_flag_on_nothing_under_way_is_refused() -> None:
    assert offer(rollout(phase=Phase.HEALTHY, canary=None), Verb.FLAG).refusal is Refusal.NOT_UNDER_WAY
    assert offer(rollout(), Verb.FLAG).effect is Effect.MARK
