"""The Deployment, ReplicaSet and kubelet parts of the simulated cluster, on a held clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.controllers.objects import Obj

NS = "shop"
REVISION = "deployment.kubernetes.io/revision"


class Programs:
    """Three seconds to start; `fates` by image says how containers fare, `broken` images never start."""

    def __init__(self) -> None:
        self.fates: dict[str, Container] = {}
        self.broken: set[str] = set()

    def start_seconds(self, pod: Obj) -> float:
        return 1e9 if image_of(pod) in self.broken else 3.0

    def container(self, pod: Obj) -> Container:
        return self.fates.get(image_of(pod), Container())


def image_of(pod: Obj) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def template(image: str, **labels: str) -> Obj:
    return {"metadata": {"labels": {"app": "web"} | labels}, "spec": {"containers": [{"name": "app", "image": image}]}}


class Lab:
    """A cluster with Deployments; `web` is settled at `app:1`."""

    def __init__(self, replicas: int = 4, **spec: Any) -> None:
        self.programs = Programs()
        self.cluster = Cluster(Clock(1_800_000_000.0), self.programs, 1)
        self.create("web", replicas, {}, **spec)
        self.cluster.pass_time(10)

    def create(self, name: str, replicas: int, labels: dict[str, str], **spec: Any) -> None:
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        body: Obj = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"} | labels},
            "template": template("app:1", **labels),
            "strategy": rolling,
            **spec,
        }
        self.cluster.store.create("deployments", {"metadata": {"name": name, "namespace": NS}, "spec": body})

    def get(self, name: str = "web") -> Obj:
        found = self.cluster.store.get("deployments", NS, name)
        assert found is not None
        return found

    def patch(self, body: Obj, name: str = "web") -> None:
        self.cluster.store.merge("deployments", NS, name, {"spec": body})

    def pods(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for pod in self.cluster.store.list("pods", NS):
            found[image_of(pod)] = found.get(image_of(pod), 0) + 1
        return found

    def condition(self, kind: str, name: str = "web") -> tuple[str, str]:
        found = next(one for one in self.get(name)["status"]["conditions"] if one["type"] == kind)
        return str(found["status"]), str(found["reason"])


def test_a_new_deployment_completes_with_the_real_words() -> None:
    lab = Lab()
    status = lab.get()["status"]
    counters = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    assert [status[one] for one in counters] == [4, 4, 4, 4]
    assert status["observedGeneration"] == 1
    assert lab.condition("Progressing") == ("True", "NewReplicaSetAvailable")
    assert lab.condition("Available") == ("True", "MinimumReplicasAvailable")
    assert "unavailableReplicas" not in status


def test_replica_sets_carry_hash_owner_and_revision() -> None:
    lab = Lab()
    (replica_set,) = lab.cluster.store.list("replicasets", NS)
    mark = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{mark}"
    assert replica_set["metadata"]["annotations"][REVISION] == "1"
    assert replica_set["metadata"]["ownerReferences"][0]["uid"] == lab.get()["metadata"]["uid"]
    for pod in lab.cluster.store.list("pods", NS):
        assert pod["metadata"]["name"].startswith(f"web-{mark}-")
        assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": mark}


def test_a_rolling_update_never_goes_beyond_its_fence_and_ends_complete() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    for _ in range(40):
        lab.cluster.pass_time(1)
        assert sum(lab.pods().values()) <= 5
        assert lab.get()["status"]["availableReplicas"] >= 4
    assert lab.pods() == {"app:2": 4}
    assert lab.get()["metadata"]["annotations"][REVISION] == "2"


def test_a_template_change_on_a_paused_deployment_creates_no_pod() -> None:
    lab = Lab()
    lab.patch({"paused": True, "template": template("app:2")})
    lab.cluster.pass_time(20)
    assert lab.pods() == {"app:1": 4}
    assert len(lab.cluster.store.list("replicasets", NS)) == 1
    assert "updatedReplicas" not in lab.get()["status"]
    assert lab.condition("Progressing") == ("Unknown", "DeploymentPaused")


def test_pausing_at_the_first_new_pod_makes_a_canary_of_one() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    lab.cluster.run()
    lab.patch({"paused": True})
    lab.cluster.pass_time(60)
    assert lab.pods() == {"app:1": 4, "app:2": 1}
    assert lab.get()["status"]["updatedReplicas"] == 1


def test_unpausing_promotes_the_paused_canary() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    lab.cluster.run()
    lab.patch({"paused": True})
    lab.cluster.pass_time(10)
    lab.patch({"paused": False})
    lab.cluster.run()
    lab.cluster.pass_time(60)
    assert lab.pods() == {"app:2": 4}
    assert lab.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_one_patch_that_reverts_and_unpauses_lets_no_further_pod_out() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    lab.cluster.run()
    lab.patch({"paused": True})
    lab.cluster.pass_time(10)
    seen: list[int] = []
    lab.cluster.store.subscribe(
        lambda event: seen.append(lab.pods().get("app:2", 0)) if event.resource == "pods" else None
    )
    lab.patch({"paused": None, "template": template("app:1")})
    lab.cluster.pass_time(30)
    assert lab.pods() == {"app:1": 4}
    assert max(seen, default=0) <= 1
    assert lab.get()["metadata"]["annotations"][REVISION] == "3"


def test_undo_reuses_the_replica_set_and_remembers_its_former_number() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    lab.cluster.pass_time(60)
    lab.patch({"template": template("app:1")})
    lab.cluster.pass_time(60)
    sets = {
        image_of({"spec": one["spec"]["template"]["spec"]}): one for one in lab.cluster.store.list("replicasets", NS)
    }
    assert len(sets) == 2
    notes = sets["app:1"]["metadata"]["annotations"]
    assert (notes[REVISION], notes["deployment.kubernetes.io/revision-history"]) == ("3", "1")


def test_a_pair_starts_promotes_and_rolls_back_by_scale() -> None:
    lab = Lab(replicas=1)
    lab.create("pair", 3, {"track": "stable"})
    lab.create("pair-canary", 0, {"track": "canary"})
    lab.cluster.pass_time(10)
    lab.patch({"replicas": 1, "template": template("app:2", track="canary")}, "pair-canary")
    lab.cluster.pass_time(10)
    assert lab.pods()["app:2"] == 1
    lab.patch({"replicas": 0}, "pair-canary")
    lab.cluster.pass_time(10)
    assert lab.pods() == {"app:1": 4}
    lab.patch({"replicas": 1, "template": template("app:3", track="canary")}, "pair-canary")
    lab.cluster.pass_time(10)
    lab.patch({"template": template("app:3", track="stable")}, "pair")
    lab.cluster.pass_time(60)
    lab.patch({"replicas": 0}, "pair-canary")
    lab.cluster.pass_time(10)
    assert lab.pods() == {"app:1": 1, "app:3": 3}
    assert lab.condition("Progressing", "pair") == ("True", "NewReplicaSetAvailable")


def test_pods_that_never_start_time_out_and_the_old_ones_stay() -> None:
    lab = Lab(progressDeadlineSeconds=60)
    lab.programs.broken.add("app:2")
    lab.patch({"template": template("app:2")})
    lab.cluster.pass_time(70)
    assert lab.condition("Progressing") == ("False", "ProgressDeadlineExceeded")
    assert lab.pods() == {"app:1": 4, "app:2": 1}
    lab.patch({"template": template("app:1")})
    lab.cluster.pass_time(30)
    assert lab.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_paused_time_does_not_count_against_the_deadline() -> None:
    lab = Lab(progressDeadlineSeconds=30)
    lab.patch({"template": template("app:2")})
    lab.cluster.run()
    lab.patch({"paused": True})
    lab.cluster.pass_time(300)
    assert lab.condition("Progressing") == ("Unknown", "DeploymentPaused")


def test_scaling_a_paused_half_update_spreads_over_both_sides() -> None:
    lab = Lab()
    lab.patch({"template": template("app:2")})
    lab.cluster.run()
    lab.patch({"paused": True})
    lab.cluster.pass_time(10)
    lab.patch({"replicas": 8})
    lab.cluster.pass_time(10)
    found = lab.pods()
    assert sum(found.values()) == 9
    assert found["app:2"] == 2


def test_history_beyond_its_limit_is_forgotten() -> None:
    lab = Lab(revisionHistoryLimit=1)
    for image in ("app:2", "app:3", "app:4"):
        lab.patch({"template": template(image)})
        lab.cluster.pass_time(60)
    assert len(lab.cluster.store.list("replicasets", NS)) == 2


@pytest.mark.parametrize(("starved", "code", "reason"), [(False, 1, "Error"), (True, 137, "OOMKilled")])
def test_a_crashing_container_counts_restarts_and_loses_readiness(starved: bool, code: int, reason: str) -> None:
    lab = Lab(replicas=1)
    (pod,) = lab.cluster.store.list("pods", NS)
    lab.programs.fates["app:1"] = Container(restarts=1, running=False, starved=starved)
    lab.cluster.store.merge("pods", NS, pod["metadata"]["name"], {"metadata": {"annotations": {"touch": "1"}}})
    lab.cluster.run()
    (pod,) = lab.cluster.store.list("pods", NS)
    container = pod["status"]["containerStatuses"][0]
    assert (container["restartCount"], container["ready"]) == (1, False)
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    ended = container["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert lab.get()["status"]["unavailableReplicas"] == 1
    lab.programs.fates["app:1"] = Container(restarts=1, running=True)
    lab.cluster.store.merge("pods", NS, pod["metadata"]["name"], {"metadata": {"annotations": {"touch": "2"}}})
    lab.cluster.run()
    (pod,) = lab.cluster.store.list("pods", NS)
    assert pod["status"]["containerStatuses"][0]["ready"] is True
    assert lab.get()["status"]["availableReplicas"] == 1


def test_a_deleted_pod_is_replaced_and_a_deleted_deployment_takes_all_along() -> None:
    lab = Lab()
    victim = lab.cluster.store.list("pods", NS)[0]["metadata"]["name"]
    lab.cluster.store.delete("pods", NS, victim)
    lab.cluster.pass_time(10)
    assert lab.pods() == {"app:1": 4}
    lab.cluster.store.delete("deployments", NS, "web")
    lab.cluster.pass_time(10)
    assert lab.pods() == {}
    assert lab.cluster.store.list("replicasets", NS) == []


def test_min_ready_seconds_delay_availability() -> None:
    lab = Lab(minReadySeconds=20)
    assert lab.get()["status"]["readyReplicas"] == 4
    assert "availableReplicas" not in lab.get()["status"]
    lab.cluster.pass_time(20)
    assert lab.get()["status"]["availableReplicas"] == 4


def test_recreate_stops_the_old_pods_before_the_new_ones_start() -> None:
    lab = Lab(strategy={"type": "Recreate"})
    mixed: list[dict[str, int]] = []
    lab.cluster.store.subscribe(lambda event: mixed.append(lab.pods()) if event.resource == "pods" else None)
    lab.patch({"template": template("app:2")})
    lab.cluster.pass_time(30)
    assert lab.pods() == {"app:2": 4}
    assert not any(len(one) == 2 for one in mixed)


def test_repeated_events_are_counted_not_multiplied() -> None:
    lab = Lab()
    for replicas in (3, 4, 3, 4):
        lab.patch({"replicas": replicas})
        lab.cluster.pass_time(10)
    scaled = [one for one in lab.cluster.store.list("events", NS) if one["reason"] == "ScalingReplicaSet"]
    assert sorted(one["count"] for one in scaled) == [1, 2, 2]


CHANGES: dict[str, Obj] = {
    "deploy 2": {"template": template("app:2")},
    "deploy 3": {"template": template("app:3")},
    "undo": {"template": template("app:1")},
    "pause": {"paused": True},
    "unpause": {"paused": None},
    "revert": {"paused": None, "template": template("app:1")},
    "up": {"replicas": 7},
    "down": {"replicas": 3},
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(names=st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 8)), max_size=14))
def test_any_sequence_of_changes_keeps_the_capacity_and_ends_complete(names: list[tuple[str, int]]) -> None:
    lab = Lab(replicas=4)
    # Scaling down in the middle of an update may take ready pods, in the real controller too.
    floor = 4
    for name, seconds in names:
        lab.patch(CHANGES[name])
        floor = 1 if name == "down" else floor
        lab.cluster.pass_time(seconds)
        assert lab.get()["status"].get("availableReplicas", 0) >= floor
        assert sum(lab.pods().values()) <= 8
    lab.patch({"paused": None, "replicas": 4})
    lab.cluster.pass_time(90)
    image = image_of(lab.get()["spec"]["template"])
    assert lab.pods() == {image: 4}
    assert lab.condition("Progressing") == ("True", "NewReplicaSetAvailable")
