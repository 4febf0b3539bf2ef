"""A decider begins nothing before it has read what may stand in the way of a deed."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace

import pytest

from opsroom.delivery.queue_facts import Quarantine
from opsroom.domain.board import Mode
from opsroom.domain.decision import Decision, FlagReason, Outcome
from opsroom.domain.marks import Marks
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState
from opsroom.worker.course import Course
from opsroom.worker.deciding import Deciding
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.quarantine import SharedQuarantine
from opsroom.worker.queueing import Queueing
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation
from opsroom.worker.standing import NEEDED, Standing

NOW = 1_750_000_000.0
CART = Uid("cart")


class Room:
    """A decider before a canary that is healthy and at its pause; ``begun`` is what it had done."""

    def __init__(self) -> None:
        self.outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
        self.outside.lease = SimpleNamespace(  # type: ignore[assignment]
            held=True, transitions=3, error="", acts="", note=lambda _text: None, decider=lambda: None
        )
        self.outside.writer = SimpleNamespace()  # type: ignore[assignment]
        self.sharing = Sharing(self.outside, lambda: NOW)
        self.sharing.look_came(None)
        self.standing = Standing(self.outside)
        self.policy = PolicyInForce(None, lambda: self.standing.policy)
        self.standing.counts |= dict.fromkeys(NEEDED, math.inf)
        quarantine = SharedQuarantine(self.outside, self.standing)
        self.queueing = Queueing(self.outside, self.sharing, self.standing, quarantine, lambda _intent: None)
        self.begun: list[Decision] = []
        self.deciding = Deciding(self.outside, self.sharing, lambda one, *_: self.begun.append(one), lambda *_: None)
        self.situation, self.now = Situation(), NOW
        rollout = Rollout(
            uid=CART,
            engine=Engine.ARGO,
            shape=Shape.CANARY,
            namespace="shop",
            name="cart",
            phase=Phase.PAUSED,
            stable=Revision(hash="old"),
            canary=Revision(hash="new"),
            steps=(Step(kind=StepKind.PAUSE), Step(kind=StepKind.WEIGHT, weight=50)),
            step=0,
            pause=Pause(step=True, since=NOW - 600.0),
            started=NOW - 600.0,
        )
        self.situation.courses[CART] = Course(rollout)

    def tick(self) -> list[Outcome]:
        """One tick; the deeds that it began."""
        self.now += 2.0
        evidence = (Evidence(metric="error_rate", harm=0.05, requests=1000.0, steps=30),)
        verdict = Verdict(uid=CART, at=self.now, state=VerdictState.HEALTHY, score=0.05, steps=30, evidence=evidence)
        cluster = SimpleNamespace(marks=lambda _uid: Marks())
        self.begun.clear()

        async def decided() -> None:
            verdicts = {CART: verdict}
            self.deciding.tick(self.situation, cluster, verdicts, self.policy, self.now, self.queueing)  # type: ignore[arg-type]
            await self.sharing.close()

        asyncio.run(decided())
        return [decision.outcome for decision in self.begun]


def test_a_healthy_canary_is_promoted_once_everything_was_read() -> None:
    assert Room().tick() == [Outcome.PROMOTE]


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_nothing_is_begun_and_nobody_asked_before_everything_was_read(name: str) -> None:
    room = Room()
    room.standing.counts.pop(name)
    assert room.tick() == []
    assert room.situation.courses[CART].flag is None
    room.standing.counts[name] = math.inf
    assert room.tick() == [Outcome.PROMOTE]


def test_a_version_in_quarantine_is_not_promoted_at_the_first_tick_of_a_new_decider() -> None:
    room = Room()
    room.standing.quarantine = {CART: Quarantine(hash="new", at=NOW - 900.0, stable="old")}
    assert room.tick() == []
    flag = room.situation.courses[CART].flag
    assert flag is not None
    assert (flag.reason, flag.detail) == (FlagReason.POLICY, "promote:quarantine")


def test_nothing_is_begun_by_a_policy_that_the_cluster_did_not_mean() -> None:
    room = Room()
    room.standing.policy = "promote_everything = true\n"
    room.policy.look()
    assert room.tick() == []
    assert "promote_everything" in room.situation.troubles["policy"]
    room.standing.policy = "step = 5.0\n"
    room.policy.look()
    assert room.tick() == [Outcome.PROMOTE]
    assert "policy" not in room.situation.troubles
