"""What the keys do to a Flagger Canary, in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.domain.deed import Effect, Verb
from opsroom.domain.flagger import Gate, Plan
from opsroom.domain.offer import Offer, offer
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Uid
from opsroom.view import effects, words

PLAN = Plan(
    own=frozenset({Gate.TRAFFIC, Gate.PROMOTION, Gate.ROLLBACK}),
    asked=frozenset({Gate.TRAFFIC.value, Gate.PROMOTION.value, Gate.ROLLBACK.value}),
    weights=(20, 50),
)


def rollout(**changes: Any) -> Rollout:
    base = Rollout(
        uid=Uid("u"),
        engine=Engine.FLAGGER,
        shape=Shape.CANARY,
        namespace="shop",
        name="cart",
        phase=Phase.PAUSED,
        stable=Revision(hash="aaa", version="v1"),
        canary=Revision(hash="bbb", version="v2"),
        steps=PLAN.steps(),
        step=1,
        weight=20,
        pause=Pause(step=True),
        gates=tuple(sorted(gate.value for gate in PLAN.own)),
        gates_served=True,
    )
    return msgspec.structs.replace(base, **changes)


def said(verb: Verb, **changes: Any) -> str:
    there = rollout(**changes)
    return effects.effect(offer(there, verb), there)


def test_an_open_gate_says_how_far_it_goes_and_no_further() -> None:
    assert said(Verb.PROMOTE) == "opens the gate of this step; Flagger goes on to step 3/4: 50%, pause"
    assert said(Verb.PROMOTE, step=3, weight=50).endswith("goes on to all traffic")


def test_the_unofficial_way_is_named_so() -> None:
    assert "unofficial" in said(Verb.ROLL_BACK, gates=())
    assert "unofficial" not in said(Verb.ROLL_BACK)


def test_a_dead_worker_and_missing_gates_are_told_apart() -> None:
    assert "No worker answers the gates" in said(Verb.PROMOTE, gates_served=False)
    assert "No gate of ours" in said(Verb.PROMOTE, gates=())


@pytest.mark.parametrize("effect", list(Effect))
def test_every_effect_has_a_sentence_of_its_own(effect: Effect) -> None:
    text = effects.effect(Offer(verb=Verb.PROMOTE, effect=effect, weight=50), rollout())
    assert (text == "sets a mark of ours, nothing else") is (effect is Effect.MARK)


def test_an_undo_is_a_whole_new_canary() -> None:
    assert "whole analysis" in said(Verb.ROLL_BACK, phase=Phase.HEALTHY, canary=None)
    assert words.refusal(offer(rollout(step=4, pause=None), Verb.ROLL_BACK).refusal or _no(), Verb.ROLL_BACK, rollout())


def _no() -> Any:
    raise AssertionError("a refusal was expected")
