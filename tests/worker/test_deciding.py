"""A decider begins nothing before it has read what may stand in the way of a deed."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace

import pytest

from opsroom.domain.board import Mode
from opsroom.domain.decision import Decision, Flag, FlagReason, Outcome
from opsroom.domain.marks import Marks
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState
from opsroom.worker.course import Course
from opsroom.worker.deciding import Deciding
from opsroom.worker.deferring import PROMOTE_PATIENCE, ROLL_BACK_PATIENCE
from opsroom.worker.outside import KEEPS, Outside
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
        self.deciding = Deciding(
            self.outside, self.sharing, lambda one, *_: self.begun.append(one), lambda *_: None, lambda: self.now
        )
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

    @property
    def flag(self) -> Flag | None:
        """What stands on the canary."""
        return self.situation.courses[CART].flag

    def tick(self, harm: float = 0.05) -> list[Outcome]:
        """One tick, two seconds after the last one; the deeds that it began."""
        self.now += 2.0
        evidence = (Evidence(metric="error_rate", harm=harm, requests=1000.0, steps=30),)
        state = VerdictState.HARM if harm > 0.8 else VerdictState.HEALTHY
        verdict = Verdict(uid=CART, at=self.now, state=state, score=harm, steps=30, evidence=evidence)
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


@pytest.mark.parametrize(
    ("harm", "patience", "detail", "done"),
    [
        (0.97, ROLL_BACK_PATIENCE, "roll_back:mode", Outcome.ROLL_BACK),
        (0.05, PROMOTE_PATIENCE, "promote:mode", Outcome.PROMOTE),
    ],
)
def test_where_a_fact_stays_unknown_a_person_is_asked_to_do_what_is_due(
    harm: float, patience: float, detail: str, done: Outcome
) -> None:
    room = Room()
    room.standing.counts.pop("policy")
    room.standing._errors["policy"] = "away"
    began = room.now + 2.0
    while room.now - began <= patience:
        assert room.flag is None, room.now - began
        assert room.tick(harm) == []
    assert (room.flag and room.flag.reason, room.flag and room.flag.detail) == (FlagReason.POLICY, detail)
    assert "away" in room.situation.troubles["shared"]
    since = room.flag and room.flag.since
    room.tick(harm)
    assert (room.flag and room.flag.since) == since
    room.standing.counts["policy"] = math.inf
    assert room.tick(harm) == [done]
    assert (room.flag, room.situation.troubles) == (None, {})


@pytest.mark.parametrize("what", ["shared", "freeze"])
def test_what_has_grown_old_without_an_error_is_said(what: str) -> None:
    room = Room()
    if what == "shared":
        room.standing.counts["state"] = -math.inf
    else:
        room.sharing._looked = -KEEPS
        room.sharing._clock = lambda: 1.0
    assert room.tick() == []
    assert "was read too long ago" in room.situation.troubles[what]


@pytest.mark.parametrize(
    "entry", [Quarantined(hash="new", at=NOW - 900.0, stable="old"), Quarantined(hash=None, at=0.0)]
)
def test_a_version_in_quarantine_is_not_promoted_at_the_first_tick_of_a_new_decider(entry: Quarantined) -> None:
    room = Room()
    room.standing.quarantine = {CART: entry}
    assert room.tick() == []
    assert room.flag is not None
    assert (room.flag.reason, room.flag.detail) == (FlagReason.POLICY, "promote:quarantine")


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
