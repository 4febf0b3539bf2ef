"""What holds over random worlds: no promotion without grounds, rails kept, flags with a reason, nothing forgotten."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.control.memory import Memory
from opsroom.domain.board import Freeze
from opsroom.domain.decision import FlagReason, Outcome
from opsroom.domain.deed import Deed, DeedState, Verb
from opsroom.domain.policy import Policy, PolicyRow, Rails
from opsroom.domain.rollout import Pause, Phase, Rollout
from tests.control.conftest import NOW, deed, rollout, verdict

POLICY = Policy(
    rows=(
        PolicyRow(name="risky", match={"risk": "high"}, person=True),
        PolicyRow(name="default", min_seconds=20.0, max_seconds=200.0, unknown_seconds=100.0),
    ),
    rails=Rails(rollbacks=3, promotions=4, window=100.0),
    step=5.0,
)


class World:
    """Six rollouts whose picture, verdicts and deeds a random walk changes."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = NOW
        self.memory = Memory()
        self.rollouts = {f"u{n}": self.fresh(f"u{n}") for n in range(6)}
        self.deeds: dict[str, Deed] = {}
        self.seen: dict[str, Rollout] = {}
        self.acts: list[tuple[float, Outcome]] = []

    def fresh(self, uid: str) -> Rollout:
        """A new canary."""
        return rollout(uid, labels={"risk": self.chance.choice(["high", "low"])})

    def stir(self) -> None:
        """Time passes, and the cluster changes."""
        self.now += self.chance.uniform(0.5, 30.0)
        for uid, seen in self.rollouts.items():
            change = self.chance.random()
            if change < 0.05:
                self.rollouts[uid] = msgspec.structs.replace(seen, step=1 if seen.step == 3 else 3)
            elif change < 0.1:
                phase = self.chance.choice(list(Phase))
                pause = self.chance.choice([None, Pause(step=True), Pause(user=True), Pause(inconclusive=True)])
                self.rollouts[uid] = msgspec.structs.replace(seen, phase=phase, pause=pause)
            elif change < 0.2:
                self.rollouts[uid] = self.fresh(uid)

    def look(self, freeze: Freeze | None, may_act: bool) -> None:
        """One tick; everything that must hold is asserted."""
        cases = [self.case(uid) for uid in self.rollouts]
        decisions, after = decide(cases, POLICY, self.memory, self.now, freeze=freeze, may_act=may_act)
        assert [decision.uid for decision in decisions] == [case.rollout.uid for case in cases]
        for case, decision in zip(cases, decisions, strict=True):
            self.check(case, decision.outcome, freeze, may_act)
            flag = after.flags.get(case.rollout.uid)
            assert (decision.outcome is Outcome.FLAG) <= (flag is not None and decision.flag is flag.reason)
            before = self.memory.flags.get(case.rollout.uid)
            moved = case.rollout != self.seen.get(case.rollout.uid)
            if before is not None and flag is not None and not moved and before.reason is flag.reason:
                assert flag.since == before.since
            if decision.outcome in (Outcome.PROMOTE, Outcome.ROLL_BACK):
                self.acts.append((self.now, decision.outcome))
                self.carry(case.rollout, decision.outcome)
        self.memory = after
        self.seen = {case.rollout.uid: case.rollout for case in cases}
        recent = [outcome for at, outcome in self.acts if self.now - at <= POLICY.rails.window]
        assert recent.count(Outcome.ROLL_BACK) <= POLICY.rails.rollbacks
        assert recent.count(Outcome.PROMOTE) <= POLICY.rails.promotions

    def check(self, case: Case, outcome: Outcome, freeze: Freeze | None, may_act: bool) -> None:
        """Never a deed without grounds."""
        seen, judged = case.rollout, case.verdict
        if outcome in (Outcome.PROMOTE, Outcome.ROLL_BACK):
            assert may_act
            assert freeze is None
            assert seen.under_way
            assert judged is not None
            assert judged.score is not None
        if outcome is Outcome.PROMOTE:
            assert judged is not None
            assert judged.score is not None
            assert judged.score < 0.2
            assert seen.labels["risk"] != "high"
            assert seen.pause == Pause(step=True)
            assert self.unflagged(seen)
            track = self.memory.tracks[seen.uid]
            assert self.now - track.since >= 20.0
        if outcome is Outcome.ROLL_BACK:
            assert judged is not None
            assert judged.score is not None
            assert judged.score > 0.8

    def unflagged(self, seen: Rollout) -> bool:
        """No flag stood, or what it spoke of is over: the freeze, or the step."""
        flag = self.memory.flags.get(seen.uid)
        return flag is None or flag.reason is FlagReason.FREEZE or seen != self.seen.get(seen.uid)

    def case(self, uid: str) -> Case:
        """The rollout with a random verdict and its last deed."""
        score = self.chance.choice([None, 0.05, 0.1, 0.5, 0.9, 0.99])
        age = self.chance.choice([0.0, 0.0, 0.0, 100.0])
        judged = self.chance.choice([verdict(score, self.now - age, uid)] * 5 + [None])
        return Case(rollout=self.rollouts[uid], verdict=judged, deed=self.deeds.get(uid))

    def carry(self, seen: Rollout, outcome: Outcome) -> None:
        """What came of a deed."""
        verb = Verb.PROMOTE if outcome is Outcome.PROMOTE else Verb.ROLL_BACK
        state = self.chance.choice(list(DeedState))
        self.deeds[seen.uid] = deed(seen, verb, state, self.now)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), ticks=st.integers(5, 60))
def test_over_random_worlds_nothing_is_done_without_grounds(seed: int, ticks: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible walk
    world = World(chance)
    for _ in range(ticks):
        world.stir()
        freeze = Freeze(by="ada", since=world.now) if chance.random() < 0.1 else None
        world.look(freeze, chance.random() < 0.9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_waits_is_decided_or_flagged_in_the_end(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    memory, now, seen = Memory(), NOW, rollout(labels={"risk": chance.choice(["high", "low"])})
    score = chance.choice([None, 0.1, 0.5, 0.9])
    outcome = Outcome.WATCH
    for _ in range(80):
        judged = verdict(score, now)
        (decision,), memory = decide([Case(rollout=seen, verdict=judged)], POLICY, memory, now, may_act=True)
        outcome = decision.outcome
        if outcome is not Outcome.WATCH:
            break
        now += 50.0
    assert outcome is not Outcome.WATCH
