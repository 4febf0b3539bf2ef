"""The blue-green strategy of the simulated Argo Rollouts controller, on a held clock."""

from __future__ import annotations

from typing import Any

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.controllers.objects import Obj

NS = "shop"
HASH = "rollouts-pod-template-hash"


class ThreeSeconds:
    """Programs that start in three seconds and stay."""

    def start_seconds(self, pod: Obj) -> float:
        return 3.0

    def container(self, pod: Obj) -> Container:
        return Container()


def template(image: str) -> Obj:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def promoted(**strategy: Any) -> Cluster:
    """A blue-green Rollout `web`, settled at `app:1`."""
    cluster = Cluster(Clock(1_800_000_000.0), ThreeSeconds(), 1)
    for name in ("active", "preview"):
        cluster.store.create(
            "services", {"metadata": {"name": name, "namespace": NS}, "spec": {"selector": {"app": "web"}}}
        )
    body: Obj = {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template("app:1"),
        "strategy": {"blueGreen": {"activeService": "active", "previewService": "preview", **strategy}},
    }
    cluster.store.create("rollouts", {"metadata": {"name": "web", "namespace": NS}, "spec": body})
    cluster.pass_time(10)
    return cluster


def status(cluster: Cluster) -> Obj:
    rollout = cluster.store.get("rollouts", NS, "web")
    assert rollout is not None
    found: Obj = rollout["status"]
    return found


def selected(cluster: Cluster, service: str) -> str:
    found = cluster.store.get("services", NS, service)
    assert found is not None
    return str(found["spec"]["selector"][HASH])


def deploy(cluster: Cluster, image: str) -> None:
    cluster.store.merge("rollouts", NS, "web", {"spec": {"template": template(image)}})
    cluster.pass_time(10)


def patch(cluster: Cluster, body: Obj) -> None:
    cluster.store.merge("rollouts", NS, "web", {"status": body}, subresource="status")


def pods(cluster: Cluster) -> dict[str, int]:
    found: dict[str, int] = {}
    for pod in cluster.store.list("pods", NS):
        image = pod["spec"]["containers"][0]["image"]
        found[image] = found.get(image, 0) + 1
    return found


def test_the_first_version_becomes_active_when_it_is_available() -> None:
    cluster = promoted()
    now = status(cluster)
    assert now["phase"] == "Healthy"
    assert now["blueGreen"]["activeSelector"] == now["stableRS"] == selected(cluster, "active")
    assert "currentStepIndex" not in now


def test_without_auto_promotion_it_pauses_with_the_preview_beside_the_active() -> None:
    cluster = promoted(autoPromotionEnabled=False)
    old = status(cluster)["stableRS"]
    deploy(cluster, "app:2")
    now = status(cluster)
    assert (now["phase"], now["message"], now["controllerPause"]) == ("Paused", "BlueGreenPause", True)
    assert now["blueGreen"] == {"activeSelector": old, "previewSelector": now["currentPodHash"]}
    assert (selected(cluster, "active"), selected(cluster, "preview")) == (old, now["currentPodHash"])
    assert pods(cluster) == {"app:1": 3, "app:2": 3}


def test_resuming_switches_the_active_service_and_ends_the_old_pods_later() -> None:
    cluster = promoted(autoPromotionEnabled=False)
    deploy(cluster, "app:2")
    patch(cluster, {"pauseConditions": None})
    cluster.pass_time(2)
    now = status(cluster)
    assert (now["phase"], now["stableRS"]) == ("Healthy", now["currentPodHash"])
    assert selected(cluster, "active") == now["currentPodHash"]
    assert pods(cluster) == {"app:1": 3, "app:2": 3}
    cluster.pass_time(32)
    assert pods(cluster) == {"app:2": 3}


def test_with_auto_promotion_it_switches_by_itself() -> None:
    cluster = promoted()
    deploy(cluster, "app:2")
    now = status(cluster)
    assert (now["phase"], selected(cluster, "active")) == ("Healthy", now["currentPodHash"])


def test_auto_promotion_seconds_end_the_pause() -> None:
    cluster = promoted(autoPromotionEnabled=True, autoPromotionSeconds=30)
    deploy(cluster, "app:2")
    assert status(cluster)["phase"] == "Paused"
    cluster.pass_time(30)
    assert status(cluster)["phase"] == "Healthy"


def test_abort_keeps_the_old_version_active_and_ends_the_preview() -> None:
    cluster = promoted(autoPromotionEnabled=False)
    old = status(cluster)["stableRS"]
    deploy(cluster, "app:2")
    patch(cluster, {"abort": True})
    cluster.pass_time(2)
    now = status(cluster)
    assert (now["phase"], selected(cluster, "active"), selected(cluster, "preview")) == ("Degraded", old, old)
    cluster.pass_time(32)
    assert pods(cluster) == {"app:1": 3}


def test_undo_while_the_old_pods_still_live_is_instant() -> None:
    cluster = promoted(autoPromotionEnabled=False)
    old = status(cluster)["stableRS"]
    deploy(cluster, "app:2")
    patch(cluster, {"pauseConditions": None})
    cluster.pass_time(5)
    cluster.store.merge("rollouts", NS, "web", {"spec": {"template": template("app:1")}})
    cluster.pass_time(1)
    assert selected(cluster, "active") == old


def test_promote_full_ends_the_pause() -> None:
    cluster = promoted(autoPromotionEnabled=False)
    deploy(cluster, "app:2")
    patch(cluster, {"promoteFull": True})
    cluster.pass_time(2)
    assert status(cluster)["phase"] == "Healthy"
    assert "promoteFull" not in status(cluster)


def test_a_small_preview_grows_before_the_switch() -> None:
    cluster = promoted(autoPromotionEnabled=False, previewReplicaCount=1)
    deploy(cluster, "app:2")
    assert pods(cluster) == {"app:1": 3, "app:2": 1}
    patch(cluster, {"pauseConditions": None})
    cluster.pass_time(1)
    assert pods(cluster)["app:2"] == 3
    cluster.pass_time(5)
    assert status(cluster)["phase"] == "Healthy"
