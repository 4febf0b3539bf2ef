"""Deeds on Flagger Canaries, on a simulated Flagger that asks gates answered by the product's own rule."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from opsroom.control.gate import Asked, answer
from opsroom.delivery import raw
from opsroom.delivery.engines.flagger_state import run_of
from opsroom.delivery.plan import Sight
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.flagger import Gate
from opsroom.domain.marks import GATE, GATES, QUEUE, read_gate
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.simulator.controllers.flagger_hooks import Ask, Reply

ALL_GATES = ("confirm-traffic-increase", "confirm-promotion", "rollback")
LOAD = "http://load"
LONG_LIVED = "2026-01-01T00:00:00.000000Z"
LONG_DEAD = "2025-01-01T00:00:00.000000Z"


class Gatekeeper:
    """Answers the hooks as a worker would, while it is alive."""

    def __init__(self, sim: Any) -> None:
        self.sim = sim
        self.alive = True
        self.starts = True
        self.before: list[Callable[[Ask], None]] = []

    def call(self, ask: Ask, answered: Callable[[Reply], None]) -> None:
        """At once."""
        if self.before:
            self.before.pop(0)(ask)
        answered(self._reply(ask) if self.alive else Reply(yes=False, text="connection refused"))

    def tell(self, ask: Ask) -> None:
        """Nothing."""

    def _reply(self, ask: Ask) -> Reply:
        canary = self.sim.get("canaries", ask.payload["name"])
        if ask.url == LOAD:
            return Reply(yes=True)
        gate = Gate(ask.url.rpartition("/")[2])
        mark = read_gate(raw.annotation(canary, GATE))
        found = self.sim.cluster.store.list("replicasets", "shop")
        sight = Sight(target=canary, partner=self.sim.get("deployments", "cart"), replica_sets=tuple(found))
        said = answer(Asked(gate=gate, run=run_of(sight), mark=mark, now=self.sim.clock(), starts=self.starts))
        return Reply(yes=said.yes, text=said.why)


@pytest.fixture
def keeper(sim: Any) -> Gatekeeper:
    """The Lease is held by a worker that answers gates."""
    found = Gatekeeper(sim)
    sim.cluster.flagger.caller = found
    lease(sim, LONG_LIVED)
    return found


def lease(sim: Any, renewed: str) -> None:
    meta = {"name": "opsroom-decider", "namespace": "opsroom", "annotations": {GATES: "served"}}
    spec = {"holderIdentity": "somebody", "leaseDurationSeconds": 15, "renewTime": renewed}
    known = sim.cluster.store.get("leases", "opsroom", "opsroom-decider")
    if known is None:
        sim.cluster.store.create("leases", {"metadata": meta, "spec": spec}, namespace="opsroom")
    else:
        sim.cluster.store.replace("leases", {**known, "spec": spec})


def canary(sim: Any, gates: tuple[str, ...] = ALL_GATES, new: str = "registry/app:v2", **analysis: Any) -> None:
    """A Canary whose second version has begun its analysis."""
    sim.deployment("cart")
    hooks = [{"name": type_, "type": type_, "url": f"http://gates/opsroom/{type_}"} for type_ in gates]
    checks = {"interval": "10s", "threshold": 3, "stepWeights": [20, 50], "webhooks": hooks} | analysis
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}
    body = {"metadata": {"name": "cart"}, "spec": {"targetRef": target, "service": {"port": 80}, "analysis": checks}}
    sim.create("canaries", body)
    sim.cluster.pass_time(40)
    assert status(sim)["phase"] == "Initialized"
    sim.set_image("deployments", "cart", new)
    sim.cluster.pass_time(40)


def status(sim: Any) -> dict[str, Any]:
    return dict(sim.get("canaries", "cart")["status"])


def intent(sim: Any, verb: Verb, **changes: Any) -> Intent:
    found = sim.get("canaries", "cart")
    replica_sets = tuple(sim.cluster.store.list("replicasets", "shop"))
    run = run_of(Sight(target=found, partner=sim.get("deployments", "cart"), replica_sets=replica_sets))
    target = Target(
        uid=Uid(found["metadata"]["uid"]), engine=Engine.FLAGGER, shape=Shape.CANARY, namespace="shop", name="cart"
    )
    seen = Precondition(canary_hash=run.hash, step=run.step)
    made = Intent(
        id=uuid.uuid4().hex, verb=verb, target=target, precondition=seen, actor="kim", at=sim.clock(), reason=""
    )
    return msgspec.structs.replace(made, **changes)


def last(sim: Any, asked: Intent) -> Deed:
    found: Deed = sim.run(sim.deliver(asked))[-1]
    return found


def test_an_open_gate_lets_one_step_go_on_and_no_more(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    sim.cluster.pass_time(60)
    assert (status(sim)["phase"], status(sim)["canaryWeight"]) == ("Progressing", 20)
    done = last(sim, intent(sim, Verb.PROMOTE))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.OPEN_GATE)
    sim.cluster.pass_time(100)
    assert (status(sim)["phase"], status(sim)["canaryWeight"]) == ("Progressing", 50)


def test_the_last_gate_promotes(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    for _ in range(2):
        assert last(sim, intent(sim, Verb.PROMOTE)).state is DeedState.DONE
    sim.cluster.pass_time(60)
    assert status(sim)["phase"] == "Succeeded"
    assert status(sim)["lastAppliedSpec"] == status(sim)["lastPromotedSpec"]


def test_all_gates_at_once(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    done = last(sim, intent(sim, Verb.PROMOTE_FULLY))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.OPEN_ALL_GATES)
    sim.cluster.pass_time(60)
    assert status(sim)["phase"] == "Succeeded"


def test_waiting_for_the_promotion_counts_as_the_last_step(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim, gates=("confirm-promotion", "rollback"))
    assert (status(sim)["phase"], status(sim)["canaryWeight"], status(sim)["iterations"]) == ("WaitingPromotion", 0, -1)
    assert last(sim, intent(sim, Verb.PROMOTE)).state is DeedState.DONE


def test_a_person_lets_a_version_start(sim: Any, keeper: Gatekeeper) -> None:
    keeper.starts = False
    canary(sim, gates=("confirm-rollout", *ALL_GATES))
    assert (status(sim)["phase"], sim.get("deployments", "cart")["spec"]["replicas"]) == ("Waiting", 0)
    assert last(sim, intent(sim, Verb.ROLL_BACK)).refusal is Refusal.NOT_STARTED
    assert last(sim, intent(sim, Verb.PROMOTE)).state is DeedState.DONE
    sim.cluster.pass_time(60)
    assert (status(sim)["phase"], status(sim)["canaryWeight"]) == ("Progressing", 20)


def test_the_roll_back_gate_rolls_back(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    done = last(sim, intent(sim, Verb.ROLL_BACK))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.ASK_ROLL_BACK)
    assert status(sim)["phase"] == "Failed"
    assert sim.get("deployments", "cart")["spec"]["replicas"] == 0


def test_a_roll_back_does_not_hit_the_next_version(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    last(sim, intent(sim, Verb.ROLL_BACK))
    sim.set_image("deployments", "cart", "registry/app:v3")
    sim.cluster.pass_time(60)
    assert (status(sim)["phase"], status(sim)["canaryWeight"]) == ("Progressing", 20)


def test_an_old_approval_does_not_open_the_gate_of_the_same_version_deployed_again(
    sim: Any, keeper: Gatekeeper
) -> None:
    canary(sim)
    last(sim, intent(sim, Verb.PROMOTE))
    sim.set_image("deployments", "cart", "registry/app:v3")
    sim.cluster.pass_time(200)
    sim.set_image("deployments", "cart", "registry/app:v2")
    sim.cluster.pass_time(100)
    assert status(sim)["canaryWeight"] == 20


def test_with_the_worker_dead_a_roll_back_is_the_unofficial_patch(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    keeper.alive = False
    lease(sim, LONG_DEAD)
    assert last(sim, intent(sim, Verb.PROMOTE)).refusal is Refusal.GATE_DEAD
    asked = intent(sim, Verb.ROLL_BACK)
    # The stale board still offers the gate.
    seen = msgspec.structs.replace(asked.precondition, effect=Effect.ASK_ROLL_BACK)
    done = last(sim, msgspec.structs.replace(asked, precondition=seen))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.FAIL_CHECKS)
    assert status(sim)["phase"] == "Failed"


def test_a_counter_that_flagger_overwrites_is_written_again(sim: Any, keeper: Gatekeeper) -> None:
    hooks = [{"name": "load", "type": "rollout", "url": LOAD}]
    canary(sim, gates=(), webhooks=hooks, threshold=30, stepWeights=[], stepWeight=1)
    lease(sim, LONG_DEAD)
    keeper.alive = False  # each tick's check fails: Flagger computes failedChecks + 1 while it waits for the hook
    before = status(sim)["failedChecks"]

    def overwritten(_path: str) -> None:
        sim.change("canaries", "cart", status={"failedChecks": before + 1})

    sim.writer.after.extend([lambda _mark: None, overwritten])
    done = last(sim, intent(sim, Verb.ROLL_BACK))
    assert (done.state, status(sim)["phase"]) == (DeedState.DONE, "Failed")
    assert sum("status" in body for _, body in sim.writer.sent) == 2


def test_without_gates_of_ours_a_promotion_needs_force_and_is_taken_back_afterwards(
    sim: Any, keeper: Gatekeeper
) -> None:
    canary(sim, gates=(), stepWeights=[], stepWeight=1)
    assert last(sim, intent(sim, Verb.PROMOTE)).refusal is Refusal.NO_GATE
    done = last(sim, intent(sim, Verb.PROMOTE, force=True))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.SKIP_ANALYSIS)
    assert status(sim)["phase"] == "Succeeded"
    assert sim.get("canaries", "cart")["spec"]["skipAnalysis"] is False


def test_hold_suspends_and_release_goes_on(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    assert last(sim, intent(sim, Verb.HOLD)).state is DeedState.DONE
    held = sim.get("canaries", "cart")
    assert (held["spec"]["suspend"], held["metadata"]["annotations"][QUEUE]) == (True, "kept")
    assert last(sim, intent(sim, Verb.RELEASE)).state is DeedState.DONE
    free = sim.get("canaries", "cart")
    assert (free["spec"]["suspend"], QUEUE in free["metadata"]["annotations"]) == (False, False)


def test_a_suspended_canary_is_resumed_to_be_rolled_back(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    sim.change("canaries", "cart", spec={"suspend": True})
    assert last(sim, intent(sim, Verb.ROLL_BACK)).state is DeedState.DONE
    assert status(sim)["phase"] == "Failed"


def test_what_is_being_promoted_cannot_be_stopped_and_says_so(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    last(sim, intent(sim, Verb.PROMOTE))
    last(sim, intent(sim, Verb.PROMOTE))
    assert status(sim)["phase"] == "Promoting"
    assert last(sim, intent(sim, Verb.ROLL_BACK)).refusal is Refusal.TOO_LATE


def test_an_undo_after_the_end_is_a_new_canary(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    last(sim, intent(sim, Verb.PROMOTE_FULLY))
    sim.cluster.pass_time(60)
    done = last(sim, intent(sim, Verb.ROLL_BACK, precondition=Precondition()))
    assert (done.state, done.effect) == (DeedState.DONE, Effect.UNDO)
    image = sim.get("deployments", "cart")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert (image, status(sim)["phase"]) == ("registry/app:v1", "Progressing")


@pytest.mark.parametrize("changed", ["version", "step"])
def test_what_changed_since_the_key_is_refused(sim: Any, keeper: Gatekeeper, changed: str) -> None:
    canary(sim)
    asked = intent(sim, Verb.PROMOTE)
    if changed == "version":
        sim.set_image("deployments", "cart", "registry/app:v3")
        sim.cluster.pass_time(5)
    else:
        last(sim, intent(sim, Verb.PROMOTE))
    assert last(sim, asked).refusal is Refusal.CHANGED


def test_the_queue_does_not_release_a_version_that_it_did_not_see(sim: Any, keeper: Gatekeeper) -> None:
    canary(sim)
    assert last(sim, intent(sim, Verb.HOLD, automatic=True)).state is DeedState.DONE
    seen = intent(sim, Verb.RELEASE, automatic=True)
    sim.set_image("deployments", "cart", "registry/app:v3")
    sim.cluster.pass_time(5)
    assert last(sim, seen).refusal is Refusal.CHANGED
    assert sim.get("canaries", "cart")["spec"]["suspend"] is True
