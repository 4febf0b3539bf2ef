"""The world as a whole: canaries take their share of traffic, pipelines wait, and the truth stays hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.quality import Fault, Truth
from opsroom.simulator.world.catalog import Delivery, ServiceSpec
from opsroom.simulator.world.manifests import canary_name
from opsroom.simulator.world.releases import release
from opsroom.simulator.world.world import World

NOW = 1_800_000_000.0


def run(world: World, start: int, seconds: int) -> None:
    for second in range(start, start + seconds):
        world.clock.move(NOW + second)
        world.tick()


def one_of(world: World, delivery: Delivery) -> ServiceSpec:
    return next(service for service in world.services if service.delivery is delivery)


def get(world: World, resource: str, service: ServiceSpec, name: str | None = None) -> Obj:
    found = world.store.get(resource, service.namespace, name or service.name)
    assert found is not None
    return found


def shares(world: World, service: ServiceSpec) -> dict[str, float]:
    """Share of the service's requests by version."""
    found: dict[str, float] = {}
    for pod in world.shares.pods():
        if (pod.namespace, pod.workload) == (service.namespace, service.name):
            found[pod.version] = found.get(pod.version, 0.0) + pod.share
    return found


def test_the_world_begins_settled_and_an_hour_old() -> None:
    world = World(7, 12, 100.0, NOW)
    for rollout in world.store.list("rollouts"):
        assert rollout["status"]["phase"] == "Healthy"
        assert rollout["metadata"]["creationTimestamp"] == "2027-01-15T07:00:00Z"
    for deployment in world.store.list("deployments"):
        assert deployment["status"].get("availableReplicas", 0) == deployment["spec"]["replicas"]
    assert world.store.list("events") == []


def test_shares_of_every_service_add_up_to_one() -> None:
    world = World(7, 12, 300.0, NOW)
    run(world, 0, 40)
    for service in world.services:
        assert sum(shares(world, service).values()) == pytest.approx(1.0)


def test_a_routed_canary_gets_its_weight_and_a_pair_its_share_of_pods() -> None:
    world = World(7, 12, 300.0, NOW)
    run(world, 0, 60)
    routed, pair = one_of(world, Delivery.ROUTED), one_of(world, Delivery.PAIR)
    weights = get(world, "rollouts", routed)["status"]["canary"]["weights"]
    assert weights["canary"]["weight"] > 0
    found = shares(world, routed)
    assert found[release(7, routed, 1).digest] == pytest.approx(weights["canary"]["weight"] / 100)
    assert shares(world, pair)[release(7, pair, 1).digest] == pytest.approx(1 / (pair.replicas + 1))


def test_a_rolling_deployment_is_paused_at_its_first_new_pod() -> None:
    world = World(7, 12, 300.0, NOW)
    run(world, 0, 60)
    deployment = get(world, "deployments", one_of(world, Delivery.ROLLING))
    assert deployment["spec"]["paused"] is True
    assert deployment["status"]["updatedReplicas"] == 1


def test_nothing_moves_on_by_itself_and_no_further_release_comes_meanwhile() -> None:
    world = World(7, 12, 1000.0, NOW)
    run(world, 0, 90)
    for service in world.services:
        if service.delivery in (Delivery.ROLLOUT, Delivery.ROUTED):
            rollout = get(world, "rollouts", service)
            assert rollout["spec"]["template"]["spec"]["containers"][0]["image"] == release(7, service, 1).image
            assert rollout["status"]["stableRS"] != rollout["status"]["currentPodHash"]


def test_a_rolled_back_release_never_comes_again_but_the_next_one_does() -> None:
    world = World(7, 12, 1000.0, NOW)
    run(world, 0, 30)
    routed, pair = one_of(world, Delivery.ROUTED), one_of(world, Delivery.PAIR)
    world.store.merge("rollouts", routed.namespace, routed.name, {"status": {"abort": True}}, subresource="status")
    world.store.merge("deployments", pair.namespace, canary_name(pair), {"spec": {"replicas": 0}})
    run(world, 30, 30)
    for resource, service, name in (("rollouts", routed, routed.name), ("deployments", pair, canary_name(pair))):
        image = get(world, resource, service, name)["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image == release(7, service, 2).image


def test_a_promoted_pair_gets_its_next_release_from_the_canary_again() -> None:
    world = World(7, 12, 1000.0, NOW)
    run(world, 0, 30)
    pair = one_of(world, Delivery.PAIR)
    image = release(7, pair, 1).image
    stable = get(world, "deployments", pair)
    containers = [{**stable["spec"]["template"]["spec"]["containers"][0], "image": image}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    world.store.merge("deployments", pair.namespace, pair.name, body)
    run(world, 30, 40)
    world.store.merge("deployments", pair.namespace, canary_name(pair), {"spec": {"replicas": 0}})
    run(world, 70, 30)
    canary = get(world, "deployments", pair, canary_name(pair))
    assert canary["spec"]["template"]["spec"]["containers"][0]["image"] == release(7, pair, 2).image
    assert get(world, "deployments", pair)["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_a_crash_loop_shows_as_restarts_of_its_pods() -> None:
    world = World(7, 80, 1000.0, NOW)
    run(world, 0, 45)
    crashing = {
        release(7, service, 1).digest
        for service in world.services
        if release(7, service, 1).quality.fault is Fault.CRASH_LOOP and release(7, service, 1).quality.onset < 20
    }
    restarts = {
        digest: sum(
            pod["status"]["containerStatuses"][0]["restartCount"]
            for pod in world.store.list("pods")
            if pod["spec"]["containers"][0]["image"].endswith(digest)
        )
        for digest in crashing
    }
    assert restarts
    assert all(count > 0 for count in restarts.values())


def test_traffic_is_scraped_each_second_under_the_names_of_pods() -> None:
    world = World(7, 12, 100.0, NOW)
    run(world, 0, 1)
    exposed = world.scraper.last
    assert exposed is not None
    names = {(target.namespace, target.pod) for target in exposed.targets}
    assert names == {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in world.store.list("pods")}


def truth_lines(path: Path) -> list[Obj]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_truth_file_names_every_deploy_with_its_pod_hash(tmp_path: Path) -> None:
    world = World(7, 12, 300.0, NOW, tmp_path / "truth.jsonl")
    run(world, 0, 60)
    lines = truth_lines(tmp_path / "truth.jsonl")
    assert len(lines) == 12
    hashes = {
        value
        for replica_set in world.store.list("replicasets")
        for key, value in replica_set["metadata"]["labels"].items()
        if key.endswith("pod-template-hash")
    }
    for line in lines:
        assert line["truth"] in ("good", "bad", "unknowable")
        assert line["pod_hash"] in hashes
    known = {service.name: service for service in world.services}
    for line in lines:
        quality = release(7, known[line["service"]], 1).quality
        assert (line["truth"] == "good") == (quality.truth is Truth.HEALTHY)


def visible(world: World, pods: list[Pod]) -> str:
    """Everything a client of the world can read, apart from the values of metrics."""
    objects = [
        json.dumps(obj)
        for resource in ("rollouts", "deployments", "replicasets", "pods", "services", "events", "namespaces")
        for obj in world.store.list(resource)
    ]
    exposed = world.scraper.last
    assert exposed is not None
    labels = [json.dumps(target.labels(shape)) for shape in exposed.shapes for target in exposed.targets]
    logs = [text for pod in pods for _, text in world.traffic.log_lines(pod.namespace, pod.name)]
    return "\n".join([*objects, *labels, *logs]).lower()


def test_no_object_metric_or_log_names_a_fault() -> None:
    world = World(7, 60, 1000.0, NOW)
    run(world, 0, 45)
    text = visible(world, world.shares.pods())
    for word in (
        "healthy-version",
        "faulty",
        "leak",
        "blip",
        "no-traffic",
        "crash-loop",
        "crash_loop",
        "onset",
        "truth",
    ):
        assert word not in text, word


def test_two_worlds_that_differ_in_quality_only_show_the_same_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, labels, images and annotations are drawn without looking at the quality."""

    def shown(world: World) -> list[str]:
        run(world, 0, 2)
        return [
            json.dumps([obj["metadata"].get(key) for key in ("name", "labels", "annotations")])
            + obj["spec"]["template"]["spec"]["containers"][0]["image"]
            for resource in ("rollouts", "deployments", "replicasets")
            for obj in world.store.list(resource)
        ]

    ordinary = shown(World(7, 40, 10_000.0, NOW))
    all_bad = iter(range(10_000))

    def other_quality(*_args: object, **_kw: object) -> object:
        from opsroom.simulator.traffic.quality import Quality, Size

        next(all_bad)
        return Quality(Fault.LATENCY, Size.LARGE, 3.0)

    monkeypatch.setattr("opsroom.simulator.world.releases.draw_quality", other_quality)
    assert shown(World(7, 40, 10_000.0, NOW)) == ordinary
    assert next(all_bad) > 0


def test_gitops_puts_back_what_an_undo_changed_but_leaves_an_abort_alone() -> None:
    world = World(7, 24, 1000.0, NOW)
    run(world, 0, 30)
    owned = next(service for service in world.services if service.gitops)
    free = next(one for one in world.services if one.delivery is Delivery.ROUTED and not one.gitops)
    for service in (owned, free):
        stable = release(7, service, 0)
        template = get(world, "rollouts", service)["spec"]["template"]
        containers = [{**template["spec"]["containers"][0], "image": stable.image}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        world.store.merge("rollouts", service.namespace, service.name, body)
    run(world, 30, 3)
    images = [
        get(world, "rollouts", one)["spec"]["template"]["spec"]["containers"][0]["image"] for one in (owned, free)
    ]
    assert images == [release(7, owned, 0).image, release(7, free, 0).image]
    run(world, 33, 4)
    images = [
        get(world, "rollouts", one)["spec"]["template"]["spec"]["containers"][0]["image"] for one in (owned, free)
    ]
    assert images == [release(7, owned, 1).image, release(7, free, 0).image]


def hold_everything(world: World) -> None:
    """The objects of the hold at admission, as `opsroom manifest hold` makes them, over every namespace."""
    for resource, body in (
        ("mutatingadmissionpolicies", {"spec": {}}),
        ("mutatingadmissionpolicybindings", {"spec": {"matchResources": {"namespaceSelector": {}}}}),
    ):
        world.store.create(resource, {"metadata": {"name": "opsroom-hold"}, **body})


def test_a_hold_at_admission_stops_the_pipelines_too_and_a_release_lets_them_on() -> None:
    world = World(7, 12, 1000.0, NOW)
    hold_everything(world)
    run(world, 0, 20)
    rolling = one_of(world, Delivery.ROLLING)
    held = get(world, "deployments", rolling)
    assert held["metadata"]["annotations"]["opsroom.dev/queue"] == "held"
    assert held["metadata"]["annotations"]["opsroom.dev/requested-by"] == "system:serviceaccount:ci:deploybot"
    assert "updatedReplicas" not in held["status"]
    for rollout in world.store.list("rollouts"):
        assert rollout["status"].get("updatedReplicas", 0) in (0, rollout["spec"]["replicas"])
    body: Obj = {"metadata": {"annotations": {"opsroom.dev/queue": None}}, "spec": {"paused": False}}
    world.store.merge("deployments", rolling.namespace, rolling.name, body)
    run(world, 20, 20)
    after = get(world, "deployments", rolling)
    assert (after["spec"]["paused"], after["status"]["updatedReplicas"]) == (True, 1)
