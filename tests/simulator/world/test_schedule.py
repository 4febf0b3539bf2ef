"""The world is the same for the same seed, whatever happens in it, and has the promised mix."""

from __future__ import annotations

from collections import Counter

import pytest

from opsroom.simulator.traffic.quality import Truth
from opsroom.simulator.world.catalog import Delivery, services
from opsroom.simulator.world.releases import first_wait, release
from opsroom.simulator.world.world import World

NOW = 1_800_000_000.0


def test_a_dozen_services_are_delivered_in_all_five_ways() -> None:
    kinds = Counter(service.delivery for service in services(7, 12))
    assert kinds == {
        Delivery.ROUTED: 2,
        Delivery.ROLLOUT: 2,
        Delivery.FLAGGER: 2,
        Delivery.PAIR: 3,
        Delivery.ROLLING: 3,
    }
    assert Delivery.FLAGGER not in {service.delivery for service in services(7, 11)}


def test_names_are_unique_also_in_a_large_world() -> None:
    found = services(3, 2500)
    assert len({(one.namespace, one.name) for one in found}) == 2500
    assert all(len(one.name) <= 40 for one in found)


@pytest.mark.parametrize("count", [0, 10_001])
def test_a_number_of_services_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10000"):
        services(7, count)


def test_a_release_is_the_same_whenever_it_is_asked_for() -> None:
    service = services(7, 12)[3]
    fifth = release(7, service, 5)
    release(7, service, 1)
    assert release(7, service, 5) == fifth
    assert release(8, service, 5) != fifth
    assert first_wait(7, service) == first_wait(7, service)


def test_versions_rise_and_images_differ() -> None:
    service = services(7, 12)[0]
    made = [release(7, service, number) for number in range(6)]
    numbers = [tuple(int(part) for part in one.tag.removeprefix("v").split(".")) for one in made]
    assert numbers == sorted(numbers)
    assert len({one.digest for one in made}) == 6
    assert len({one.image for one in made}) == 6


def test_at_least_half_of_all_releases_are_healthy_and_the_first_one_always_is() -> None:
    chosen = services(7, 100)
    truths = Counter(release(7, one, number).quality.truth for one in chosen for number in range(1, 6))
    assert truths[Truth.HEALTHY] >= 250
    assert truths[Truth.BAD] >= 100
    assert all(release(7, one, 0).quality.truth is Truth.HEALTHY for one in chosen)


def deployed_by(world: World, seconds: int) -> list[str]:
    """Images that new ReplicaSets brought, in the order in which they came."""
    images: list[str] = []

    def note(event: object) -> None:
        if getattr(event, "resource", "") == "replicasets" and getattr(event, "previous", None) is None:
            spec = getattr(event, "object")["spec"]["template"]["spec"]  # noqa: B009
            images.append(str(spec["containers"][0]["image"]))

    world.store.subscribe(note)
    for second in range(seconds):
        world.clock.move(NOW + second)
        world.tick()
    return images


def test_two_worlds_of_one_seed_deploy_the_same_in_the_same_order() -> None:
    first, second = (deployed_by(World(7, 12, 200.0, NOW), 60) for _ in range(2))
    assert len(first) >= 8
    assert first == second
    assert deployed_by(World(8, 12, 200.0, NOW), 60) != first


def test_a_higher_change_rate_deploys_sooner() -> None:
    slow, fast = (deployed_by(World(7, 12, rate, NOW), 20) for rate in (100.0, 1000.0))
    assert len(fast) > len(slow) > 0


def test_the_first_deploy_comes_within_two_seconds() -> None:
    assert deployed_by(World(11, 12, 100.0, NOW), 3)
