"""The queue's facts in the cluster, and the release of everything that is held."""

from __future__ import annotations

from typing import Any

from opsroom.delivery import queue_facts as facts
from opsroom.delivery.release_all import Held, held_targets, release_all
from opsroom.delivery.shared import QUARANTINE, queue_on, write_map
from opsroom.domain.deed import Deed, DeedState, Verb
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.queue import QueueState
from opsroom.domain.rollout import Shape

Sim = Any


def test_the_state_of_the_queue_is_shared_and_running_by_default(sim: Sim) -> None:
    assert sim.run(facts.read_state(sim.reader)) is QueueState.RUNNING
    sim.run(facts.write_state(sim.writer, QueueState.DRAINING, "ada"))
    assert sim.run(facts.read_state(sim.reader)) is QueueState.DRAINING
    sim.run(write_map(sim.writer, facts.QUEUE, {"state": "pause"}))
    assert sim.run(facts.read_state(sim.reader)) is QueueState.PAUSED
    sim.run(write_map(sim.writer, facts.QUEUE, {"state": ""}))
    assert sim.run(facts.read_state(sim.reader)) is QueueState.RUNNING


def test_quarantine_is_shared_and_can_be_lifted(sim: Sim) -> None:
    entry = Quarantined(hash="bad", at=1.0, stable="good", rollout="shop/cart")
    sim.run(facts.write_quarantine(sim.writer, {"u1": entry}))
    assert sim.run(facts.read_quarantine(sim.reader)) == {"u1": entry}
    sim.run(facts.write_quarantine(sim.writer, {"u1": None}))
    assert sim.run(facts.read_quarantine(sim.reader)) == {}


def test_an_entry_of_the_quarantine_that_cannot_be_read_may_be_any_version(sim: Sim) -> None:
    for text in ("{}", "[" * 5_000, "bad"):
        sim.run(write_map(sim.writer, QUARANTINE, {"u1": text}))
        assert sim.run(facts.read_quarantine(sim.reader)) == {"u1": Quarantined(hash=None, at=0.0)}


def holds(sim: Sim) -> bool:
    return bool(sim.run(facts.installed(sim.reader)) and sim.run(facts.switched_on(sim.reader)))


def test_admission_holds_only_with_policy_binding_and_map(sim: Sim) -> None:
    store = sim.cluster.store
    assert holds(sim) is False
    for resource in ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"):
        store.create(resource, {"metadata": {"name": "opsroom-hold"}, "spec": {}}, manager="test")
    assert holds(sim) is False
    sim.run(queue_on(sim.writer))
    assert holds(sim) is True


def test_jumping_the_queue_is_a_right_in_rbac(sim: Sim) -> None:
    store = sim.cluster.store
    rule = {"apiGroups": ["opsroom.dev"], "resources": ["hotfixes"], "verbs": ["create"]}
    store.create("clusterroles", {"metadata": {"name": "hotfix"}, "rules": [rule]}, manager="test")
    binding = {
        "metadata": {"name": "hotfix"},
        "roleRef": {"kind": "ClusterRole", "name": "hotfix"},
        "subjects": [{"kind": "User", "name": "ada"}],
    }
    store.create("clusterrolebindings", binding, manager="test")
    assert sim.run(facts.may_jump(sim.writer, "ada", "shop")) is True
    assert sim.run(facts.may_jump(sim.writer, "bob", "shop")) is False


def test_release_all_needs_no_worker_and_finds_every_kind(sim: Sim) -> None:
    sim.rollout()
    sim.deployment("pay")
    for name, shape in (("cart", Shape.CANARY), ("pay", Shape.ROLLING)):
        sim.run(sim.deliver(sim.intent(Verb.HOLD, name, shape)))
    held = sim.run(held_targets(sim.reader))
    assert [target.name for target in held.targets] == ["cart", "pay"]
    assert sim.run(held_targets(sim.reader, ["opsroom"])) == Held()

    async def main() -> list[Deed]:
        return [deed async for deed in release_all(sim.hands(), "ada", held.targets, "queue off")]

    assert [deed.state for deed in sim.run(main())] == [DeedState.DONE, DeedState.DONE]
    assert sim.run(held_targets(sim.reader)) == Held()
