"""What deciding and admitting cost for ten thousand rollouts on one core; issue 4 allows 200 ms. Figures only.

Run by hand: ``python -m pytest -s tests/bench/bench_deciding.py``. Half of the rollouts run, the others are held in
three lanes under limits by tier, team and service, with forecasts; each round is a full tick on changed verdicts.
"""

from __future__ import annotations

import time

import pytest

from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.control.entrant import Entrant, QueueMemory
from opsroom.control.memory import Memory
from opsroom.control.queue import admit
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.queue import Lane
from opsroom.domain.queue_policy import LaneRule, Limit, QueuePolicy
from opsroom.domain.rollout import Phase, Revision, Rollout
from tests.control.conftest import NOW, rollout, verdict

NUMBER = 10_000
ROUNDS = 12
STEP = 2.0

pytestmark = pytest.mark.bench

POLICY = Policy(
    rows=(PolicyRow(name="risky", match={"risk": "high"}, person=True), PolicyRow(min_seconds=0.0)),
    queue=QueuePolicy(
        slots=NUMBER // 2 + 50,
        limits=(Limit(name="tier 0", match={"tier": "0"}, slots=500), Limit(name="team", by="team", slots=200)),
        lanes=(LaneRule(match={"tier": "3"}),),
    ),
)


def world() -> list[Rollout]:
    """Running and held ones in turn."""
    made = []
    for n in range(NUMBER):
        labels = {"tier": str(n % 4), "team": f"t{n % 40}", "app.kubernetes.io/name": f"s{n}", "risk": "low"}
        held = bool(n % 2)
        more = {"phase": Phase.HELD, "held": True, "pause": None} if held else {}
        made.append(rollout(f"u{n}", name=f"s{n}", labels=labels, canary=Revision(hash=f"new{n}"), **more))
    return made


def test_deciding_and_admitting_ten_thousand() -> None:
    there = world()
    memory, waiting = Memory(), QueueMemory()
    took = []
    for turn in range(ROUNDS):
        now = NOW + turn * STEP
        scores = (0.05, 0.5, None, 0.3) if turn % 2 else (0.5, 0.05, 0.3, None)
        cases = [
            Case(rollout=one, verdict=None if one.held else verdict(scores[n % 4], now, one.uid))
            for n, one in enumerate(there)
        ]
        entrants = [Entrant(rollout=one, lane=Lane.BATCH if n % 7 == 1 else None) for n, one in enumerate(there)]
        began = time.process_time()
        _decisions, memory = decide(cases, POLICY, memory, now, may_act=True)
        middle = time.process_time()
        queue, _admission, waiting = admit(entrants, POLICY.queue, waiting, now)
        took.append((middle - began, time.process_time() - middle))
        assert queue.waiting + queue.running == NUMBER
    worst = max(sum(parts) for parts in took)
    for turn, (deciding, admitting) in enumerate(took):
        print(f"tick {turn}: decide {deciding * 1000:.0f} ms, admit {admitting * 1000:.0f} ms")  # noqa: T201
    print(f"worst tick {worst * 1000:.0f} ms of 200 ms for {NUMBER} rollouts")  # noqa: T201
