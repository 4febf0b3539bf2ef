"""Whatever goes wrong on the way, an intent moves a rollout at most once, and its end is known or settled."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.delivery.settle import open_deeds, settle
from opsroom.domain.deed import Deed, DeedState, Intent, Verb
from opsroom.domain.rollout import Shape
from opsroom.errors import OutcomeUnknown, Unreachable
from tests.delivery.conftest import Sim, world

PAUSE: dict[str, Any] = {"pause": {}}
WEIGHTS: list[dict[str, Any]] = [{"setWeight": weight} for weight in (10, 20, 40, 60, 80)]
STEPS = list(chain.from_iterable((weight, PAUSE) for weight in WEIGHTS))


class Killed(BaseException):
    """``kill -9``."""


def troubles(sim: Sim) -> dict[str, Callable[[str], None]]:
    """What can happen around a request."""

    def lose(_path: str) -> None:
        raise OutcomeUnknown("no answer")

    def kill(_path: str) -> None:
        raise Killed

    def refuse(_path: str) -> None:
        raise Unreachable("busy", retry_after=1.0)

    def touch(path: str) -> None:
        name = path.removesuffix("/status").rpartition("/")[2]
        sim.annotate(path.removesuffix("/status").split("/")[-2], name, {"touched": str(sim.clock())})

    return {"nothing": lambda _path: None, "lose": lose, "kill": kill, "refuse": refuse, "touch": touch}


def carry(sim: Sim, intent: Intent, before: list[str], after: list[str]) -> DeedState:
    """One deed through its troubles; a killed one is settled by the next process."""
    found = troubles(sim)
    sim.writer.before = [found[name] for name in before]
    sim.writer.after = [found[name] for name in after]
    try:
        last = sim.run(sim.deliver(intent))[-1].state
    except Killed:
        last = DeedState.JOURNALLED
    sim.writer.before, sim.writer.after = [], []
    sim.cluster.pass_time(30)
    for deed in open_deeds(sim.journal.entries, sim.clock()):

        async def main(left: Deed = deed) -> DeedState:
            return [state async for state in settle(left, sim.hands(patience=10.0))][-1].state

        last = sim.run(main())
    return last


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_intent_moves_a_rollout_by_more_than_one_step(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible walk
    with world() as sim:
        sim.rollout(strategy={"canary": {"maxSurge": "25%", "maxUnavailable": 0, "steps": STEPS}})
        sim.set_image("rollouts", "cart", "registry/app:v2")
        sim.cluster.pass_time(30)
        for _ in range(4):
            index = sim.get("rollouts", "cart")["status"]["currentStepIndex"]
            intent = sim.intent(Verb.PROMOTE)
            before = [chance.choice(["nothing", "lose", "kill", "refuse", "touch"]) for _ in range(2)]
            after = [chance.choice(["nothing", "lose", "kill"])]
            end = carry(sim, intent, before, after)
            again = carry(sim, intent, [], []) if chance.random() < 0.3 and end is DeedState.DONE else end
            sim.cluster.pass_time(60)
            moved = sim.get("rollouts", "cart")["status"]["currentStepIndex"] - index
            assert end in (DeedState.DONE, DeedState.CANCELLED, DeedState.REFUSED)
            assert moved == (2 if end is DeedState.DONE else 0)
            assert again in (DeedState.REFUSED, end)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_pair_is_promoted_whole_or_not_at_all(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with world() as sim:
        sim.pair()
        intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
        before = [chance.choice(["nothing", "nothing", "lose", "kill", "touch"]) for _ in range(4)]
        after = [chance.choice(["nothing", "nothing", "lose", "kill"]) for _ in range(3)]
        end = carry(sim, intent, before, after)
        sim.cluster.pass_time(60)
        image = sim.get("deployments", "pay")["spec"]["template"]["spec"]["containers"][0]["image"]
        canary = sim.get("deployments", "pay-canary")
        assert end in (DeedState.DONE, DeedState.CANCELLED, DeedState.REFUSED)
        whole = end is DeedState.DONE
        assert image == ("registry/app:v2" if whole else "registry/app:v1")
        assert canary["spec"]["replicas"] == (0 if whole else 1)
        assert "opsroom.dev/promoting" not in canary["metadata"]["annotations"]


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.RELEASE])
def test_marks_are_safe_to_ask_for_twice(verb: Verb) -> None:
    with world() as sim:
        sim.deployment("pay")
        sim.run(sim.deliver(sim.intent(Verb.HOLD, "pay", Shape.ROLLING)))
        if verb is Verb.RELEASE:
            assert carry(sim, sim.intent(verb, "pay", Shape.ROLLING), ["touch"], ["lose"]) is DeedState.DONE
        assert carry(sim, sim.intent(verb, "pay", Shape.ROLLING), [], []) is DeedState.REFUSED
