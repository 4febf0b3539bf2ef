"""The queue in the worker: on a cluster that holds at admission, by the cluster's own policy, and piece by piece."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml

from opsroom.control.memory import Memory
from opsroom.domain.board import Mode
from opsroom.domain.deed import Intent, Verb
from opsroom.domain.marks import Marks
from opsroom.domain.policy import Policy
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.queue import QueueState, WaitReason
from opsroom.domain.queue_policy import QueuePolicy
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.worker.course import Course
from opsroom.worker.outside import Outside
from opsroom.worker.quarantine import SharedQuarantine, taken_over
from opsroom.worker.queueing import Queueing
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation
from opsroom.worker.standing import NEEDED, Standing

NOW = 1_750_000_000.0
MAPS = "/api/v1/namespaces/opsroom/configmaps"
MERGE = {"Content-Type": "application/merge-patch+json"}


class Lease:
    """One that is held, or not."""

    def __init__(self) -> None:
        self.held, self.transitions, self.error = True, 3, ""


class Marked:
    """A cluster of which only the marks are asked."""

    def __init__(self) -> None:
        self.found: dict[str, Marks] = {}

    def marks(self, uid: str) -> Marks:
        return self.found.get(uid, Marks())


class Room:
    """A worker's queue without a cluster; ``begun`` is what it wanted to have done."""

    def __init__(self) -> None:
        self.outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
        self.lease = Lease()
        self.outside.lease = self.lease  # type: ignore[assignment]
        self.outside.writer = SimpleNamespace()  # type: ignore[assignment]
        self.sharing = Sharing(self.outside, lambda: NOW)
        self.standing = Standing(self.outside)
        self.standing.counts |= dict.fromkeys(NEEDED, math.inf)
        self.standing.switch = self.standing.installed = True
        self.standing.enabled = frozenset({"shop"})
        self.begun: list[Intent] = []
        quarantine = SharedQuarantine(self.outside, self.standing)
        self.queueing = Queueing(self.outside, self.sharing, self.standing, quarantine, self.begun.append)
        self.situation, self.cluster, self.now = Situation(), Marked(), NOW
        self.policy = Policy(queue=QueuePolicy(slots=1))

    def put(self, name: str, *, marks: Marks | None = None, **changes: Any) -> None:
        """Show a rollout: held, unless told otherwise."""
        fields: dict[str, Any] = {"phase": Phase.HELD, "held": True, "canary": Revision(hash=f"{name}-new")}
        rollout = Rollout(
            **{
                "uid": Uid(name),
                "engine": Engine.ARGO,
                "shape": Shape.CANARY,
                "namespace": "shop",
                "name": name,
                "stable": Revision(hash="old"),
                **fields,
                **changes,
            }
        )
        self.situation.courses[rollout.uid] = Course(rollout)
        self.cluster.found[name] = marks or Marks(held=True)

    def tick(self, seconds: float = 2.0) -> list[tuple[Verb, str]]:
        """One tick; what it began."""
        self.now += seconds
        self.begun.clear()
        self.queueing.tick(self.situation, self.cluster, self.policy, self.now)  # type: ignore[arg-type]
        return [(intent.verb, intent.target.name) for intent in self.begun]

    def why(self, name: str) -> WaitReason | None:
        """Why it waits."""
        return self.queueing.entries[Uid(name)].why


def test_a_free_slot_becomes_one_release_with_hash_lease_and_reason() -> None:
    room = Room()
    room.put("cart")
    room.put("pay")
    assert room.tick() == [(Verb.RELEASE, "cart")]
    intent = room.begun[0]
    assert (intent.automatic, intent.fencing, intent.actor) == (True, 3, room.outside.identity)
    assert (intent.precondition.canary_hash, intent.reason) == ("cart-new", "admitted")
    assert room.why("pay") is WaitReason.SLOT
    assert room.tick() == []


@pytest.mark.parametrize("how", ["lease", "mode", "freeze", "unread"])
def test_nothing_is_released_by_whoever_may_not(how: str) -> None:
    room = Room()
    if how == "lease":
        room.lease.held = False
    elif how == "mode":
        room.outside._mode = Mode.ADVISE
    elif how == "freeze":
        room.sharing.freeze = SimpleNamespace()  # type: ignore[assignment]
    else:
        room.standing.counts.clear()
    room.put("cart")
    assert room.tick() == []
    assert room.why("cart") is (WaitReason.STATE if how == "freeze" else WaitReason.DECIDER)


@pytest.mark.parametrize(
    ("enabled", "error", "nobody"),
    [({"shop"}, "", False), (set(), "", True), (set(), "You may not list namespaces", False)],
)
def test_where_no_namespace_takes_part_it_is_said_but_not_where_nobody_may_look(
    enabled: set[str], error: str, nobody: bool
) -> None:
    room = Room()
    room.standing.enabled = frozenset(enabled)
    room.standing._errors.update({"namespaces": error} if error else {})
    assert room.standing.nobody is nobody


def test_a_person_keeps_what_a_person_holds_and_quarantine_waits_for_one() -> None:
    room = Room()
    room.put("mine", marks=Marks(held=True, kept=True))
    room.standing.quarantine = {"bad": Quarantined(hash="bad-new", at=NOW)}
    room.put("bad")
    assert room.tick() == []
    assert (room.why("mine"), room.why("bad")) == (WaitReason.PERSON, WaitReason.QUARANTINE)


def test_switched_off_everything_goes_on_but_what_a_person_holds() -> None:
    room = Room()
    room.standing.switch = False
    for name in ("cart", "pay"):
        room.put(name)
    room.put("mine", marks=Marks(held=True, kept=True))
    assert room.standing.state is QueueState.OFF
    assert room.tick() == [(Verb.RELEASE, "cart"), (Verb.RELEASE, "pay")]


@pytest.mark.parametrize(
    ("changes", "installed", "late"),
    [
        ({}, True, False),
        ({}, False, True),
        ({"shape": Shape.PAIR, "engine": Engine.DEPLOYMENT}, True, True),
        ({"engine": Engine.FLAGGER}, True, True),
        ({"namespace": "elsewhere"}, False, False),
    ],
)
def test_only_what_nothing_holds_at_admission_is_held_late(
    changes: dict[str, Any], installed: bool, late: bool
) -> None:
    room = Room()
    room.standing.installed = installed
    room.put("first", phase=Phase.PROGRESSING, held=False, marks=Marks())
    room.tick()
    room.tick(40.0)
    room.put("late", marks=Marks(), **{"phase": Phase.PROGRESSING, "held": False, **changes})
    assert room.tick() == ([(Verb.HOLD, "late")] if late else [])


def test_an_undo_is_never_held_late_and_an_old_mark_of_one_opens_nothing() -> None:
    room = Room()
    room.standing.installed = False
    room.put("first", phase=Phase.PROGRESSING, held=False, marks=Marks())
    for name in ("undone", "later"):
        room.put(name, phase=Phase.HEALTHY, held=False, canary=None, marks=Marks(rollback="old"))
    room.tick()
    room.tick(40.0)
    for name, mark in (("undone", "new"), ("later", "old")):
        room.put(name, phase=Phase.PROGRESSING, held=False, marks=Marks(rollback=mark))
    assert room.tick() == [(Verb.HOLD, "later")]


def test_the_hotfix_lane_is_a_right() -> None:
    room = Room()
    room.put("slow", phase=Phase.PROGRESSING, held=False, marks=Marks())
    room.put("fix", marks=Marks(held=True, lane="hotfix", requested_by="ada"))
    assert room.tick() == []
    room.standing._jumps["ada", "shop"] = (0.0, True)
    assert room.tick() == [(Verb.RELEASE, "fix")]


def test_a_worker_that_takes_over_knows_what_was_rolled_back_before() -> None:
    own = Memory(quarantine={Uid("b"): Quarantined(hash="mine", at=2.0)})
    shared = {"a": Quarantined(hash="theirs", at=1.0, stable="old"), "b": Quarantined(hash="older", at=0.0)}
    found = taken_over(own, shared).quarantine
    assert found == {Uid("a"): Quarantined(hash="theirs", at=1.0, stable="old"), Uid("b"): own.quarantine[Uid("b")]}


def test_a_worker_that_decides_again_knows_what_was_rolled_back_meanwhile() -> None:
    own = Memory(quarantine={Uid("a"): Quarantined(hash="v2", at=1.0)})
    found = taken_over(own, {"a": Quarantined(hash="v3", at=2.0)}).quarantine
    assert found == {Uid("a"): Quarantined(hash="v3", at=2.0)}


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[tuple[Path, str, httpx.Client]]:
    """A simulated cluster whose deploys are held."""
    words = ["--seed", "5", "--services", "12", "--change-rate", "800", "--hold", "--dir", str(tmp_path / "sim")]
    (tmp_path / "sim").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom.simulator", *words, "--die-with-parent"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
    server = yaml.safe_load(Path(said["KUBECONFIG"]).read_text())["clusters"][0]["cluster"]["server"]
    with httpx.Client(base_url=server, timeout=60.0) as api:
        yield Path(said["KUBECONFIG"]), said["PROMETHEUS_URL"], api
    process.terminate()
    process.wait(60)
    process.stdout.close()


@pytest.mark.timeout(500)
def test_held_rollouts_start_within_the_slots_of_the_clusters_own_policy(
    holding: tuple[Path, str, httpx.Client], run_in_here: Any, fixed_judge: Any
) -> None:
    kubeconfig, prometheus, api = holding
    policy = {"metadata": {"name": "opsroom-policy"}, "data": {"policy.toml": "[queue]\nslots = 2\nadaptive = false\n"}}
    assert api.post(MAPS, json=policy).status_code == 201

    async def run() -> None:
        async with run_in_here(kubeconfig, prometheus, "auto", fixed_judge) as worker:
            board = worker.client.board

            def queue() -> Any:
                return board.room.queue if board.room is not None else SimpleNamespace(limit=0, waiting=0, running=0)

            def waiters() -> list[Any]:
                return [row for row in board.rows.values() if row.queue is not None and not row.queue.running]

            await worker.until(lambda: queue().limit == 2 and queue().running == 2 and queue().waiting >= 3)

            def explained() -> bool:
                rows = waiters()
                asked = any(row.queue.requester.endswith("deploybot") for row in rows)
                return asked and all(row.queue.why is WaitReason.SLOT and row.queue.eta_p50 for row in rows)

            await worker.until(explained)
            waiting = waiters()
            assert {row.queue.position for row in waiting} == set(range(len(waiting)))

            api.patch(f"{MAPS}/opsroom-policy", json={"data": {"policy.toml": "slots ="}}, headers=MERGE)
            await worker.until(lambda: "opsroom-policy" in board.room.policy_note)
            assert queue().limit == 2

            # One kubectl line: the switch is gone, so everything that is held goes on.
            api.delete(f"{MAPS}/opsroom-hold")
            await worker.until(lambda: queue().state is QueueState.OFF)
            await worker.until(lambda: not any(row.rollout.held for row in board.rows.values()))

    asyncio.run(run())


GATED: dict[str, Any] = {
    "engine": Engine.FLAGGER,
    "phase": Phase.PAUSED,
    "held": False,
    "gates": ("confirm-rollout", "rollback"),
    "steps": (Step(kind=StepKind.PAUSE, name="confirm-rollout"), Step(kind=StepKind.WEIGHT, weight=20)),
    "step": 0,
}


def test_a_canary_at_the_gate_before_its_start_waits_for_its_slot_and_needs_no_deed() -> None:
    room = Room()
    assert room.queueing.keeps("cart", "shop", "cart-new") == "unseen"
    room.put("busy", phase=Phase.PROGRESSING, held=False, marks=Marks())
    assert room.tick() == []
    room.put("cart", marks=Marks(), **GATED)
    assert room.tick() == []
    assert room.why("cart") is WaitReason.SLOT
    assert room.queueing.keeps("cart", "shop", "cart-new") == "slot global"
    assert room.queueing.gated == {"cart"}
    del room.situation.courses[Uid("busy")]
    assert room.tick() == []
    assert room.queueing.keeps("cart", "shop", "cart-new") == ""
    assert room.queueing.keeps("cart", "shop", "a-later-version") == "unseen"
    for _ in range(30):
        # Flagger asks once an interval, which may be longer than a release may take.
        assert room.tick(5.0) == []
        assert room.queueing.keeps("cart", "shop", "cart-new") == ""
    room.put("cart", marks=Marks(), **{**GATED, "phase": Phase.PROGRESSING, "step": 1})
    assert room.tick() == []
    assert room.queueing.entries[Uid("cart")].running


@pytest.mark.parametrize(
    ("how", "said"), [("quarantine", "quarantine"), ("paused", "state paused"), ("freeze", "state frozen")]
)
def test_a_gate_stays_shut_for_every_reason_of_the_queue(how: str, said: str) -> None:
    room = Room()
    if how == "quarantine":
        room.standing.quarantine = {"cart": Quarantined(hash="cart-new", at=NOW)}
    elif how == "paused":
        room.standing.said = QueueState.PAUSED
    else:
        room.sharing.freeze = SimpleNamespace()  # type: ignore[assignment]
    room.put("cart", marks=Marks(), **GATED)
    room.tick()
    assert room.queueing.keeps("cart", "shop", "cart-new") == said


def test_where_no_queue_counts_a_gate_asks_none() -> None:
    room = Room()
    room.put("cart", marks=Marks(), **GATED)
    room.standing.switch = False
    room.tick()
    assert room.queueing.keeps("cart", "shop", "cart-new") == ""
    room.standing.switch, room.standing.enabled = True, frozenset({"elsewhere"})
    room.tick()
    assert (room.queueing.keeps("cart", "shop", "cart-new"), room.queueing.gated) == ("", frozenset())
    room.standing.counts |= dict.fromkeys(NEEDED, -math.inf)
    assert not room.standing.known
    assert room.queueing.keeps("cart", "shop", "cart-new") == "", "what was read once goes on to count for a gate"
    room.standing.counts.clear()
    assert room.queueing.keeps("cart", "shop", "cart-new") == "unseen"
