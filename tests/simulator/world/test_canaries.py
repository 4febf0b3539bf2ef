"""Flagger Canaries in the simulated world: their traffic, their gates in the manifest, and how they settle."""

from __future__ import annotations

from collections import defaultdict

import pytest

from opsroom.simulator.world.canaries import canary_settled
from opsroom.simulator.world.catalog import Delivery, services
from opsroom.simulator.world.world import World

NOW = 1_800_000_000.0


def forward(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world.clock.move(world.clock() + 1)
        world.tick()


def test_requests_are_shared_by_flaggers_weight_not_by_pods() -> None:
    world = World(7, 12, 400.0, NOW)
    mesh = world.cluster.flagger.mesh
    for _ in range(200):
        forward(world, 1)
        name = next((name for name, weight in mesh.items() if weight == 20), None)
        if name is not None:
            break
    assert name is not None
    forward(world, 1)
    shares: defaultdict[bool, float] = defaultdict(float)
    for pod in world.shares.pods():
        if (pod.namespace, pod.workload) == name:
            shares[pod.name.startswith(f"{name[1]}-primary-")] += pod.share
    assert shares[False] == pytest.approx(0.2)
    assert shares[True] == pytest.approx(0.8)


def test_without_gates_a_canary_goes_its_way_and_settles() -> None:
    world = World(7, 12, 400.0, NOW)
    service = next(one for one in world.services if one.delivery is Delivery.FLAGGER)
    assert canary_settled(world.store, service)
    began = ended = False
    for _ in range(300):
        forward(world, 1)
        settled = canary_settled(world.store, service)
        began, ended = began or not settled, ended or (began and settled)
        if ended:
            break
    assert began
    assert ended


def test_gates_are_asked_at_the_address_that_was_given() -> None:
    world = World(7, 12, 100.0, NOW, gates="http://127.0.0.1:9/opsroom/")
    (analysis, *_) = (one["spec"]["analysis"] for one in world.store.list("canaries"))
    assert [hook["url"].rpartition("/")[0] for hook in analysis["webhooks"]] == ["http://127.0.0.1:9/opsroom"] * 3
    assert analysis["interval"] == "2s"


def test_the_others_are_what_they_were_in_a_world_without_canaries() -> None:
    small, whole = services(7, 11), services(7, 12)
    assert [one for one in whole[:11] if one.delivery is not Delivery.FLAGGER] == [
        old for old, new in zip(small, whole, strict=False) if new.delivery is not Delivery.FLAGGER
    ]
