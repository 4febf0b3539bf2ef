"""Makers of cases: one rollout at rest on its first pause, healthy unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.control.memory import Memory, Track
from opsroom.domain.board import Freeze
from opsroom.domain.decision import Decision, Flag
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState

NOW = 1_750_000_000.0
LONG = 61.0
"""Longer than the minimum on a step."""

STEPS = (
    Step(kind=StepKind.WEIGHT, weight=20),
    Step(kind=StepKind.PAUSE),
    Step(kind=StepKind.WEIGHT, weight=50),
    Step(kind=StepKind.PAUSE),
)


def rollout(uid: str = "u1", **changes: Any) -> Rollout:
    """An Argo canary at its first pause."""
    fields: dict[str, Any] = {
        "uid": Uid(uid),
        "engine": Engine.ARGO,
        "shape": Shape.CANARY,
        "namespace": "shop",
        "name": "cart",
        "phase": Phase.PAUSED,
        "stable": Revision(hash="old"),
        "canary": Revision(hash="new"),
        "steps": STEPS,
        "step": 1,
        "weight": 20,
        "pause": Pause(step=True),
    }
    return Rollout(**(fields | changes))


def verdict(score: float | None, now: float, uid: str = "u1", requests: float = 400.0, **changes: Any) -> Verdict:
    """A fresh verdict on 12 steps; ``score`` None is UNKNOWN."""
    state = VerdictState.UNKNOWN if score is None else VerdictState.UNDECIDED
    evidence = (Evidence(metric="error_rate", harm=score or 0.0, canary=0.01, baseline=0.01, requests=requests),)
    fields: dict[str, Any] = {
        "uid": Uid(uid),
        "at": now,
        "state": state,
        "score": score,
        "steps": 12,
        "evidence": evidence,
    }
    return Verdict(**(fields | changes))


def deed(case: Rollout, verb: Verb, state: DeedState, at: float, **changes: Any) -> Deed:
    """A deed on ``case`` as it stands."""
    canary, stable = case.canary, case.stable
    intent = Intent(
        id=f"{verb.value}-{at}",
        verb=verb,
        target=Target(uid=case.uid, engine=case.engine, shape=case.shape, namespace="shop", name="cart"),
        precondition=Precondition(
            canary_hash=canary.hash if canary else "", stable_hash=stable.hash if stable else "", step=case.step
        ),
        actor=changes.pop("actor", "worker"),
        at=at,
        automatic=changes.pop("automatic", True),
    )
    refusal: Refusal | None = changes.pop("refusal", None)
    return Deed(intent=intent, state=state, at=at, refusal=refusal, **changes)


@dataclass
class Decider:
    """A decider whose clock is moved by the test."""

    now: float = NOW
    memory: Memory = field(default_factory=Memory)
    policy: Policy = field(default_factory=lambda: Policy(rows=(PolicyRow(min_seconds=60.0, max_seconds=600.0),)))
    freeze: Freeze | None = None
    may_act: bool = True
    steps_held: bool = False
    blind: bool = False
    journal: bool = True

    def row(self, **changes: Any) -> None:
        """Change the only policy row."""
        row = msgspec.structs.replace(self.policy.rows[0], **changes)
        self.policy = msgspec.structs.replace(self.policy, rows=(row,))

    def look(self, *cases: Case) -> list[Decision]:
        """One tick."""
        decisions, self.memory = decide(
            cases,
            self.policy,
            self.memory,
            self.now,
            freeze=self.freeze,
            may_act=self.may_act,
            steps_held=self.steps_held,
            blind=self.blind,
            journal=self.journal,
        )
        return decisions

    def see(self, score: float | None, seen: Rollout | None = None, **changes: Any) -> Decision:
        """One tick with one rollout."""
        seen = seen if seen is not None else rollout()
        extra = {key: changes.pop(key) for key in ("deed", "flag", "queued") if key in changes}
        judged = changes.pop("verdict", None) or verdict(score, self.now, seen.uid, **changes)
        return self.look(Case(rollout=seen, verdict=judged, **extra))[0]

    def pass_time(self, seconds: float) -> None:
        """Later; the decider has looked all the time, and nothing has happened."""
        self.now += seconds
        tracks = {uid: self._waited(track, max(0.0, seconds)) for uid, track in self.memory.tracks.items()}
        looked = None if self.memory.looked is None else self.now
        self.memory = msgspec.structs.replace(self.memory, tracks=tracks, looked=looked)

    def sleep(self, seconds: float) -> None:
        """Later; nobody has looked."""
        self.now += seconds

    @staticmethod
    def _waited(track: Track, seconds: float) -> Track:
        unknown = None if track.unknown is None else track.unknown + seconds
        return msgspec.structs.replace(track, watched=track.watched + seconds, unknown=unknown)

    def flag_of(self, uid: str = "u1") -> Flag | None:
        """The flag that stands."""
        return self.memory.flags.get(Uid(uid))


def settled_in(decider: Decider, **changes: Any) -> None:
    """The decider has met the rollout, and the minimum time on its step has passed."""
    decider.see(0.4, **changes)
    decider.pass_time(LONG)


@pytest.fixture
def decider() -> Decider:
    """In mode auto, with the Lease, not frozen."""
    return Decider()
