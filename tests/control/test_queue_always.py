"""What holds over random waves: no limit is exceeded, nobody starves, everything held is released or explained."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.control.entrant import Entrant, QueueMemory, service_of
from opsroom.control.queue import admit
from opsroom.domain.queue import Lane, QueueState
from opsroom.domain.queue_policy import Limit, QueuePolicy
from opsroom.domain.rollout import Phase, Revision
from tests.control.conftest import NOW, rollout

POLICY = QueuePolicy(
    slots=3,
    limits=(Limit(name="tier-0", match={"tier": "0"}, slots=1), Limit(name="team", by="team", slots=2)),
    head_start=50.0,
    floor=1,
    recover_seconds=20.0,
    halve_pause=5.0,
    typical_seconds=30.0,
)


def fits(running: list[Entrant], limit: int) -> bool:
    """Whether ``running`` keeps every limit."""
    tier = sum(1 for one in running if one.rollout.labels["tier"] == "0")
    teams = [one.rollout.labels["team"] for one in running]
    services = [service_of(one.rollout) for one in running]
    return (
        len(running) <= limit
        and tier <= 1
        and all(teams.count(team) <= 2 for team in teams)
        and len(set(services)) == len(services)
    )


def wave(chance: random.Random, size: int) -> dict[str, Entrant]:
    """Held rollouts of several teams, tiers and lanes; some of the same service."""
    made = {}
    for n in range(size):
        labels = {
            "tier": chance.choice("0123"),
            "team": chance.choice("abc"),
            "app.kubernetes.io/name": f"s{chance.randrange(size)}",
        }
        seen = rollout(
            f"u{n}", name=f"u{n}", phase=Phase.HELD, held=True, labels=labels, canary=Revision(hash="new"), pause=None
        )
        made[f"u{n}"] = Entrant(rollout=seen, lane=chance.choice([None, Lane.BATCH]))
    return made


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 25))
def test_a_wave_drains_within_all_limits_and_leaves_nobody(seed: int, size: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible walk
    held, running, memory, now = wave(chance, size), dict[str, Entrant](), QueueMemory(), NOW
    shown = dict(held)
    for _ in range(400):
        now += chance.uniform(0.5, 4.0)
        state = QueueState.PAUSED if chance.random() < 0.05 else QueueState.RUNNING
        queue, admission, memory = admit(
            list(shown.values()), POLICY, memory, now, state=state, rolled_back=int(chance.random() < 0.03)
        )
        waiting = {entry.uid for entry in queue.entries if not entry.running}
        assert waiting.isdisjoint(admission.release)
        assert all(entry.why is not None for entry in queue.entries if not entry.running)
        positions = [entry.position for entry in queue.entries if not entry.running]
        assert positions == list(range(len(positions)))
        for uid in admission.release:
            one = held.pop(uid)
            seen = one.rollout
            free = rollout(uid, name=uid, phase=Phase.PROGRESSING, labels=seen.labels, canary=Revision(hash="new"))
            running[uid] = shown[uid] = Entrant(rollout=free)
            # The limit may have been halved under those that run already; what is new must always have room.
            assert fits(list(running.values()), max(queue.limit, len(running) - 1)) or queue.limit < 3
        for ended in [uid for uid in running if chance.random() < 0.2]:
            del running[ended], shown[ended]
        assert {entry.uid for entry in queue.entries} >= set(held)
        if not held:
            break
    assert not held


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nobody_starves_under_a_flood_of_a_better_lane(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    poor = rollout("poor", name="poor", phase=Phase.HELD, held=True, labels={"tier": "3", "team": "a"})
    there = {"poor": Entrant(rollout=poor, lane=Lane.BATCH)}
    memory, now = QueueMemory(), NOW
    for tick in range(400):
        now += 1.0
        flood = rollout(f"f{tick}", name=f"f{tick}", phase=Phase.HELD, held=True, labels={"tier": "3", "team": "b"})
        there[f"f{tick}"] = Entrant(rollout=flood)
        _queue, admission, memory = admit(list(there.values()), QueuePolicy(slots=1, head_start=50.0), memory, now)
        if "poor" in admission.release:
            return
        for uid in admission.release:
            seen = there[uid].rollout
            there[uid] = Entrant(rollout=rollout(uid, name=uid, phase=Phase.PROGRESSING, labels=seen.labels))
        for ended in [uid for uid, one in there.items() if not one.rollout.held and chance.random() < 0.5]:
            del there[ended]
    raise AssertionError("the batch change never started")
