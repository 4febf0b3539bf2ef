"""Realistic pictures without a worker: fifteen rollouts in all states; ``tests.ui.show`` puts them on a screen."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec

from opsroom.domain.board import Counts, Decider, Happening, Mode, Right, Room, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Target, Verb
from opsroom.domain.freshness import SourceState
from opsroom.domain.queue import Lane, Queue, QueueEntry, QueueState, WaitReason
from opsroom.domain.rollout import (
    Analysis,
    Change,
    Engine,
    Pause,
    Phase,
    Revision,
    Rollout,
    Shape,
    Step,
    StepKind,
    Trouble,
    Uid,
)
from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import Evidence, UnknownReason, Verdict, VerdictState

NOW = 1_785_931_471.0
"""Wed 2026-08-05 12:04:31 UTC."""

STEP = 10.0
LENGTH = 60

PLAN = (
    Step(kind=StepKind.WEIGHT, weight=5),
    Step(kind=StepKind.PAUSE, seconds=300.0),
    Step(kind=StepKind.WEIGHT, weight=25),
    Step(kind=StepKind.PAUSE),
    Step(kind=StepKind.WEIGHT, weight=50),
    Step(kind=StepKind.ANALYSIS),
    Step(kind=StepKind.WEIGHT, weight=100),
)

Course = Callable[[int, random.Random], float | None]


def steady(level: float, noise: float) -> Course:
    """Around ``level``."""
    return lambda at, dice: max(0.0, level * (1 + dice.gauss(0, noise)))


def rising(low: float, high: float, since: int, noise: float) -> Course:
    """``low`` until step ``since``, then up to ``high`` within twelve steps."""

    def course(at: int, dice: random.Random) -> float:
        part = min(1.0, max(0.0, (at - since) / 12))
        return max(0.0, (low + (high - low) * part) * (1 + dice.gauss(0, noise)))

    return course


def gapped(inner: Course, start: int, stop: int) -> Course:
    """``inner`` without samples from ``start`` to ``stop``."""
    return lambda at, dice: None if start <= at < stop else inner(at, dice)


def metric(name: str, canary: Course, baseline: Course, now: float, seed: str) -> Metric:
    """One metric over the last ten minutes."""
    arms = []
    for arm, course in (("c", canary), ("b", baseline)):
        dice = random.Random(f"{seed}{name}{arm}")  # noqa: S311  (pictures, not secrets)
        arms.append(tuple(course(at, dice) for at in range(LENGTH)))
    end = math.floor(now / STEP) * STEP
    return Metric(name=name, canary=Series(end, STEP, arms[0]), baseline=Series(end, STEP, arms[1]))


def metrics(name: str, now: float, sick: str = "", p99: float = 180.0, rate: float = 212.0) -> tuple[Metric, ...]:
    """The usual four; those named in ``sick`` go bad four minutes ago."""
    error = rising(0.002, 0.071, 34, 0.15) if "errors" in sick else steady(0.002, 0.6)
    slow = rising(p99, p99 * 4.6, 30, 0.06) if "p99" in sick else steady(p99, 0.07)
    if "gap" in sick:
        error, slow = gapped(error, 22, 31), gapped(slow, 22, 31)
    return (
        metric("error_rate", error, steady(0.003, 0.5), now, name),
        metric("latency_p99", slow, steady(p99, 0.06), now, name),
        metric("cpu_usage", steady(0.41, 0.05), steady(0.40, 0.05), now, name),
        metric("requests", steady(rate, 0.04), steady(rate * 3, 0.04), now, name),
    )


def rollout(name: str, namespace: str, now: float, **changes: object) -> Rollout:
    """An Argo canary paused on step 4 of 7 unless ``changes`` say otherwise."""
    base = Rollout(
        uid=Uid(f"uid-{name}"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace=namespace,
        name=name,
        phase=Phase.PROGRESSING,
        labels={"app": name, "team": namespace, "tier": "1"},
        stable=Revision(
            hash="66b1c4d88f",
            images=(f"registry.local/{name}:v2.30.4",),
            version="v2.30.4",
            number=30,
            replicas=9,
            ready=9,
        ),
        canary=Revision(
            hash="7d4f9b6c5d",
            images=(f"registry.local/{name}:v2.31.0",),
            version="v2.31.0",
            number=31,
            replicas=3,
            ready=3,
        ),
        steps=PLAN,
        step=1,
        weight=5,
        started=now - 660,
        change=Change(author="ci-deployer", commit="8f2c1d0", origin="ai", url=f"https://git.local/{name}/8f2c1d0"),
    )
    return msgspec.structs.replace(base, **changes)


def verdict(name: str, now: float, score: float | None, *evidence: Evidence, **changes: object) -> Verdict:
    """A verdict four seconds old."""
    state = VerdictState.UNKNOWN
    if score is not None:
        state = VerdictState.HARM if score > 0.8 else VerdictState.HEALTHY if score < 0.2 else VerdictState.UNDECIDED
    base = Verdict(uid=Uid(f"uid-{name}"), at=now - 4, state=state, score=score, evidence=evidence, steps=58)
    return msgspec.structs.replace(base, **changes)


def slow(now: float, harm: float, canary: float, baseline: float, minutes: float = 6) -> Evidence:
    """Evidence on p99."""
    return Evidence(
        metric="latency_p99",
        harm=harm,
        effect=canary / baseline,
        low=canary / baseline * 0.9,
        high=canary / baseline * 1.1,
        canary=canary,
        baseline=baseline,
        since=now - minutes * 60,
        steps=54,
        requests=12400.0,
    )


def failing(now: float, harm: float, canary: float, baseline: float, minutes: float = 4) -> Evidence:
    """Evidence on errors."""
    return Evidence(
        metric="error_rate",
        harm=harm,
        effect=canary - baseline,
        low=canary - baseline - 0.01,
        high=canary - baseline + 0.01,
        canary=canary,
        baseline=baseline,
        since=now - minutes * 60,
        steps=54,
        requests=12400.0,
    )


def news(now: float, *said: tuple[float, str, bool]) -> tuple[Happening, ...]:
    """Happenings, newest first, by their age."""
    return tuple(Happening(at=now - ago, kind="event", text=text, warning=bad) for ago, text, bad in said)


CAN = Right(allowed=True)
ARGO_NEWS = (
    (33.0, "AnalysisRun checkout-api-7d4f9-3 inconclusive", True),
    (81.0, "metric error-rate out of band", True),
    (209.0, "step 3/7 set weight 25", False),
    (351.0, "step 2/7 pause 5m completed", False),
    (655.0, "new revision 31, image v2.31.0", False),
)


def course(low: float, high: float, since: int) -> tuple[float | None, ...]:
    """A score that was ``low``, and ``high`` from step ``since`` on, over the last ten minutes."""
    return tuple(round(low + (high - low) * min(1.0, max(0.0, (at - since) / 9)), 3) for at in range(LENGTH))


def crashing() -> Revision:
    """A canary of which one pod runs out of memory over and over."""
    return Revision(
        hash="7d4f9b6c5d",
        images=("registry.local/fraud-scorer:v2.31.0",),
        version="v2.31.0",
        number=31,
        replicas=3,
        ready=2,
        restarts=5,
        troubles=(
            Trouble(pod="fraud-scorer-7d4f9b6c5d-x2k4p", reason="CrashLoopBackOff (OOMKilled)", restarts=4),
            Trouble(pod="fraud-scorer-7d4f9b6c5d-q9zlm", reason="OOMKilled", restarts=1, ready=True),
        ),
    )


def needing(now: float) -> list[Row]:
    """Rows that wait for a person."""
    paused = {"phase": Phase.PAUSED, "step": 3, "weight": 25, "pause": Pause(step=True, since=now - 252)}
    return [
        Row(
            rollout=rollout("checkout-api", "payments", now, **paused, message="CanaryPauseStep"),
            verdict=verdict("checkout-api", now, 0.94, slow(now, 0.97, 1900, 412), failing(now, 0.99, 0.071, 0.003)),
            flag=Flag(reason=FlagReason.FREEZE, since=now - 252),
            may_promote=CAN,
            may_roll_back=CAN,
            metrics=metrics("checkout-api", now, "errors p99", p99=412),
            scores=course(0.35, 0.94, 31),
            happenings=news(now, *ARGO_NEWS),
        ),
        Row(
            rollout=rollout(
                "ledger-writer",
                "payments",
                now,
                **{**paused, "weight": 10, "pause": Pause(inconclusive=True, since=now - 700)},
                analyses=(
                    Analysis(
                        name="ledger-writer-7d4f9b6c5d-31-3",
                        status="Inconclusive",
                        message="metric success-rate assessed Inconclusive due to inconclusive (3) > limit (2)",
                        stage="step",
                    ),
                ),
            ),
            verdict=verdict("ledger-writer", now, 0.61, slow(now, 0.66, 310, 214, 11), decides_in=900.0),
            flag=Flag(reason=FlagReason.INCONCLUSIVE, since=now - 660),
            may_promote=CAN,
            may_roll_back=CAN,
            metrics=metrics("ledger-writer", now, "p99", p99=110),
            scores=course(0.35, 0.61, 20),
            happenings=news(now, (31.0, "AnalysisRun inconclusive", True)),
        ),
        Row(
            rollout=rollout("fraud-scorer", "risk", now, **{**paused, "weight": 50, "step": 5}, canary=crashing()),
            verdict=verdict("fraud-scorer", now, None, unknown=UnknownReason.TOO_LITTLE_TRAFFIC),
            flag=Flag(reason=FlagReason.NO_DATA, since=now - 64),
            may_promote=Right(allowed=False, missing="patch rollouts/status"),
            may_roll_back=CAN,
            metrics=metrics("fraud-scorer", now, "gap", rate=0.4),
            happenings=news(now, (60.0, "scaled up 3 pods", False)),
        ),
    ]


def moving(now: float) -> list[Row]:
    """Rows on their way."""
    pair = {"engine": Engine.DEPLOYMENT, "shape": Shape.PAIR, "steps": (), "step": None}
    rolling = {"engine": Engine.DEPLOYMENT, "shape": Shape.ROLLING, "steps": (), "step": None}
    rows = [
        Row(
            rollout=rollout("invoice-pdf", "billing", now, started=now - 1320),
            verdict=verdict("invoice-pdf", now, 0.58, slow(now, 0.4, 230, 190), decides_in=240.0),
            metrics=metrics("invoice-pdf", now),
            may_promote=CAN,
            may_roll_back=CAN,
        ),
        Row(
            rollout=rollout("search-gateway", "search", now, step=4, weight=50, started=now - 1900),
            verdict=verdict("search-gateway", now, 0.21, decides_in=70.0),
            metrics=metrics("search-gateway", now, p99=48),
        ),
        Row(
            rollout=rollout("media-proxy", "media", now, **pair, weight=20, started=now - 410),
            verdict=verdict("media-proxy", now, 0.34, decides_in=140.0),
            metrics=metrics("media-proxy", now, p99=88),
        ),
        Row(
            rollout=rollout("session-cache", "identity", now, **rolling, weight=40, started=now - 95),
            verdict=verdict("session-cache", now, 0.44, decides_in=300.0),
            metrics=metrics("session-cache", now, p99=9),
        ),
        Row(
            rollout=rollout("geo-lookup", "edge", now, started=now - 48),
            verdict=verdict("geo-lookup", now, None, unknown=UnknownReason.TOO_FEW_STEPS),
            metrics=metrics("geo-lookup", now, "gap", p99=22),
        ),
    ]
    return in_slots(rows, now)


def in_slots(rows: list[Row], now: float) -> list[Row]:
    """The first three hold a slot."""
    slots = ((Lane.HOTFIX, 425.0), (Lane.NORMAL, 70.0), (Lane.NORMAL, -30.0))
    held = []
    for row, (lane, left) in zip(rows, slots, strict=False):
        uid, since = row.rollout.uid, row.rollout.started or now
        entry = QueueEntry(uid=uid, lane=lane, since=since, running=True, eta_p50=now + left)
        held.append(msgspec.structs.replace(row, queue=entry))
    return [*held, *rows[len(held) :]]


def queued(now: float) -> list[Row]:
    """Rows that wait for a slot."""
    rows = []
    for at, (name, namespace) in enumerate((("notify-mailer", "comms"), ("pricing-engine", "catalog"))):
        entry = QueueEntry(
            uid=Uid(f"uid-{name}"),
            lane=Lane.NORMAL,
            since=now - 120,
            position=at,
            why=WaitReason.SLOT,
            waits_for="team payments",
            eta_p50=now + 360 * (at + 1),
        )
        held = rollout(name, namespace, now, phase=Phase.HELD, held=True, step=0, weight=0, started=None)
        rows.append(Row(rollout=held, queue=entry))
    return rows


def done(now: float) -> list[Row]:
    """Rows with nothing under way."""
    rows = []
    for name, namespace, ago, result, phase in (
        ("cart-service", "shop", 240.0, "promoted", Phase.HEALTHY),
        ("geo-api", "edge", 610.0, "rolled_back", Phase.ABORTED),
        ("user-profile", "identity", 2900.0, "promoted", Phase.HEALTHY),
        ("feature-flags", "platform", None, "", Phase.HEALTHY),
        ("audit-trail", "platform", None, "", Phase.HEALTHY),
    ):
        settled = rollout(name, namespace, now, phase=phase, canary=None, step=None, weight=0, started=None)
        rows.append(
            Row(rollout=settled, finished=None if ago is None else now - ago, result=result, metrics=metrics(name, now))
        )
    return rows


def deed(
    name: str, now: float, verb: Verb, state: DeedState, ago: float, actor: str = "kim", automatic: bool = False
) -> Deed:
    """One deed for the lists."""
    goal = Target(uid=Uid(f"uid-{name}"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="edge", name=name)
    intent = Intent(
        id=f"i-{name}",
        verb=verb,
        target=goal,
        precondition=Precondition(),
        actor=actor,
        at=now - ago - 2.1,
        automatic=automatic,
    )
    return Deed(intent=intent, state=state, at=now - ago, effect=Effect.ABORT)


def all_rows(now: float = NOW) -> tuple[Row, ...]:
    """The whole picture, in no order that would help."""
    rows = [*done(now), *moving(now), *needing(now), *queued(now)]
    return tuple(sorted(rows, key=lambda row: row.rollout.name))


def room(now: float = NOW, **changes: object) -> Room:
    """A worker in auto mode on a production context."""
    base = Room(
        at=now - 1,
        context="prod-eu",
        namespaces=("payments", "risk", "billing", "search"),
        identity="oncall@corp",
        mode=Mode.AUTO,
        sources=(
            SourceState(name="kube", interval=2.0, at=now - 1),
            SourceState(name="prometheus", interval=10.0, at=now - 4),
            SourceState(name="score", interval=10.0, at=now - 6),
        ),
        decider=Decider(identity="worker-5d8", since=now - 90000, transitions=3, me=True),
        queue=Queue(state=QueueState.RUNNING, limit=12, full_limit=12, waiting=2, running=5),
        counts=Counts(promoted=41, rolled_back=3, flagged=4, ticks=8121, worst_tick=0.31, hour=(2, 1)),
        deeds=(
            deed("geo-api", now, Verb.ROLL_BACK, DeedState.DONE, 167, "worker-5d8", automatic=True),
            deed("cart-service", now, Verb.PROMOTE, DeedState.DONE, 240, "worker-5d8", automatic=True),
            deed("user-profile", now, Verb.PROMOTE, DeedState.DONE, 2900, "ada"),
        ),
    )
    return msgspec.structs.replace(base, **changes)
