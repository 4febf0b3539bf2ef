"""Random worlds, step by step: decisions and admission together, with a Lease that comes and goes.

Whatever happens: nothing is promoted on UNKNOWN or against the policy, nothing is done without the Lease or under a
freeze, no limit is exceeded by a release, everything that is held is shown with its reason, and once the world calms
down everything held goes on.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.control.entrant import Entrant, QueueMemory
from opsroom.control.memory import Memory
from opsroom.control.queue import admit
from opsroom.domain.board import Freeze
from opsroom.domain.decision import Outcome
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.queue import Lane, QueueState
from opsroom.domain.queue_policy import Limit, QueuePolicy
from opsroom.domain.rollout import Pause, Phase, Revision, Rollout
from opsroom.domain.verdict import Verdict
from tests.control.conftest import NOW, rollout, verdict

POLICY = Policy(
    rows=(PolicyRow(name="risky", match={"risk": "high"}, person=True), PolicyRow(name="rest", min_seconds=5.0)),
    queue=QueuePolicy(
        slots=3,
        limits=(Limit(name="tier 0", match={"tier": "0"}, slots=1),),
        head_start=30.0,
        person_seconds=40.0,
        recover_seconds=20.0,
        halve_pause=5.0,
    ),
    step=5.0,
)
NAMES = [f"u{n}" for n in range(6)]
who = st.sampled_from(NAMES)


class Rollouts(RuleBasedStateMachine):
    """Six services, their deploys, and whoever decides."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.there: dict[str, Rollout] = {}
        self.kept: set[str] = set()
        self.lanes: dict[str, Lane | None] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.memory, self.queue_memory = Memory(), QueueMemory()
        self.lease, self.state = True, QueueState.RUNNING
        self.freeze: Freeze | None = None
        self.version = 0

    @rule(
        uid=who,
        risk=st.sampled_from(["high", "low"]),
        tier=st.sampled_from("01"),
        lane=st.sampled_from([None, Lane.BATCH]),
    )
    def deploy(self, uid: str, risk: str, tier: str, lane: Lane | None) -> None:
        """A new version; what is held already is superseded, what runs is left alone."""
        old = self.there.get(uid)
        if old is not None and not old.held:
            return
        self.version += 1
        labels = {"risk": risk, "tier": tier} if old is None else old.labels
        self.there[uid] = rollout(
            uid,
            name=uid,
            phase=Phase.HELD,
            held=True,
            pause=None,
            labels=labels,
            canary=Revision(hash=f"v{self.version}"),
        )
        self.lanes[uid] = lane
        self.verdicts.pop(uid, None)

    @rule(uid=who)
    def end(self, uid: str) -> None:
        """A rollout that runs comes to its end."""
        if uid in self.there and not self.there[uid].held:
            del self.there[uid]
            self.verdicts.pop(uid, None)

    @rule(uid=who)
    def keep(self, uid: str) -> None:
        """A person holds it, or lets go."""
        self.kept ^= {uid} if uid in self.there and self.there[uid].held else set()

    @rule(
        lease=st.sampled_from([True, True, False]),
        frozen=st.sampled_from([False, False, True]),
        state=st.sampled_from([*[QueueState.RUNNING] * 5, *QueueState]),
    )
    def somebody_turns_a_switch(self, lease: bool, frozen: bool, state: QueueState) -> None:
        """Leadership, the freeze and the queue's state change."""
        self.lease, self.state = lease, state
        self.freeze = Freeze(by="ada", since=self.now) if frozen else None

    @rule(seconds=st.floats(0.5, 30.0), seed=st.integers(0, 2**16))
    def look(self, seconds: float, seed: int) -> None:
        """Time passes, the judge says something about what runs (perhaps a while ago), and a few ticks follow."""
        chance = random.Random(seed)  # noqa: S311 - a reproducible walk
        for _ in range(4):
            self.now += seconds
            for uid in [uid for uid, one in self.there.items() if not one.held and chance.random() < 0.8]:
                score, age = chance.choice([None, 0.05, 0.05, 0.5, 0.5, 0.95]), chance.choice([0.0, 0.0, 0.0, 200.0])
                self.verdicts[uid] = verdict(score, self.now - age, uid)
            self.tick()

    def tick(self) -> None:
        """One tick of a worker; everything that must hold is asserted."""
        may = self.lease and self.freeze is None
        cases = [Case(rollout=one, verdict=self.verdicts.get(uid)) for uid, one in self.there.items()]
        flagged = set(self.memory.flags)
        decisions, self.memory = decide(
            cases, POLICY, self.memory, self.now, freeze=self.freeze, may_act=self.lease,
            steps_held=self.state is QueueState.FROZEN,
        )  # fmt: skip
        back = 0
        for case, decision in zip(cases, decisions, strict=True):
            if decision.outcome in (Outcome.PROMOTE, Outcome.ROLL_BACK):
                assert may
                self.check(case, decision.outcome, case.rollout.uid in flagged)
                back += decision.outcome is Outcome.ROLL_BACK
                del self.there[case.rollout.uid]
        self.admit(may, back)

    def check(self, case: Case, outcome: Outcome, flagged: bool) -> None:
        """Never a deed without grounds."""
        judged = case.verdict
        assert judged is not None
        assert judged.score is not None
        assert self.now - judged.at < 100.0
        assert not case.rollout.held
        if outcome is Outcome.PROMOTE:
            assert judged.score < 0.2
            assert case.rollout.labels["risk"] != "high"
            assert not flagged or case.rollout.uid not in self.memory.flags
            assert self.state is not QueueState.FROZEN

    def admit(self, may: bool, back: int) -> None:
        """The queue's turn."""
        flags = self.memory.flags
        entrants = [
            Entrant(
                rollout=one,
                lane=self.lanes.get(uid),
                kept=uid in self.kept and one.held,
                asked=flags[one.uid].since if one.uid in flags and not one.held else None,
            )
            for uid, one in self.there.items()
        ]
        queue, admission, self.queue_memory = admit(
            entrants, POLICY.queue, self.queue_memory, self.now, state=self.state, rolled_back=back, may_release=may
        )
        assert may or not (admission.release or admission.hold)
        assert not set(admission.release) & self.kept
        shown = {entry.uid: entry for entry in queue.entries}
        for one in self.there.values():
            entry = shown[one.uid]
            assert not one.held or entry.running or entry.why is not None
            assert one.held or entry.running
        self.limits(admission.release, queue.limit)
        for released in admission.release:
            # The hold is released: the canary starts, and comes to rest on its first pause.
            old = self.there[released]
            self.there[released] = msgspec.structs.replace(
                old, held=False, phase=Phase.PAUSED, pause=Pause(step=True), started=self.now
            )

    def limits(self, released: tuple[Any, ...], limit: int) -> None:
        """Whatever was released had room: of those that run, only sleepers that wait for a person do not count."""
        if self.state is QueueState.OFF:
            return
        flags = self.memory.flags
        awake = [
            one
            for one in self.there.values()
            if not one.held and (one.uid not in flags or self.now - flags[one.uid].since < POLICY.queue.person_seconds)
        ]
        new = [self.there[uid] for uid in released]
        assert not new or len(awake) + len(new) <= limit
        tier = [one for one in (*awake, *new) if one.labels["tier"] == "0"]
        assert not any(one.labels["tier"] == "0" for one in new) or len(tier) <= 1

    def teardown(self) -> None:
        """The world calms down: everything that is held goes on, in the end."""
        self.lease, self.freeze, self.state, self.kept = True, None, QueueState.RUNNING, set()
        for _ in range(80):
            self.now += 45.0
            for uid in [uid for uid, one in self.there.items() if not one.held]:
                self.end(uid)
            self.tick()
            if not any(one.held for one in self.there.values()):
                return
        raise AssertionError("something is still held")


Rollouts.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestRandomWorlds = Rollouts.TestCase
