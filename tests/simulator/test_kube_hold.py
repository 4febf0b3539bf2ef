"""The hold at admission: what a real API server 1.36 did with the opsroom-hold policy, row by row."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from opsroom.simulator.kube.access import Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj

DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/cart"
ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
QUEUE, ROLLBACK = "opsroom.dev/queue", "opsroom.dev/rollback"


def spec(image: str) -> Obj:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": image}]}}
    return {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": template}


def new_image(image: str) -> Obj:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}


class Cluster:
    """A simulated API server with the hold in force, and its requests without a socket."""

    def __init__(self) -> None:
        self.store = Store(lambda: 0.0, seed=1)
        auth = Auth()
        auth.add("dev-token", "dev")
        auth.add("sre-token", "sre")
        self.app = kube_app(self.store, auth)
        self.store.create("namespaces", {"metadata": {"name": "shop", "labels": {QUEUE: "enabled"}}})
        self.store.create("namespaces", {"metadata": {"name": "opsroom"}})
        self.store.create("configmaps", {"metadata": {"name": "opsroom-hold"}, "data": {}}, namespace="opsroom")
        self.store.create("mutatingadmissionpolicies", {"metadata": {"name": "opsroom-hold"}, "spec": {}})
        binding = {
            "policyName": "opsroom-hold",
            "paramRef": {"name": "opsroom-hold", "namespace": "opsroom", "parameterNotFoundAction": "Allow"},
            "matchResources": {"namespaceSelector": {"matchLabels": {QUEUE: "enabled"}}},
        }
        self.store.create("mutatingadmissionpolicybindings", {"metadata": {"name": "opsroom-hold"}, "spec": binding})
        self.store.create("deployments", {"metadata": {"name": "cart"}, "spec": spec("a:1")}, namespace="shop")
        self.store.create("rollouts", {"metadata": {"name": "checkout"}, "spec": spec("a:1")}, namespace="shop")
        self.allow("dev", "everything", {"apiGroups": ["apps", "argoproj.io"], "resources": ["*"], "verbs": ["*"]})
        self.allow("sre", "too", {"apiGroups": ["apps", "argoproj.io"], "resources": ["*"], "verbs": ["*"]})
        rollbacks = {"apiGroups": ["opsroom.dev"], "resources": ["rollbacks"], "verbs": ["create"]}
        self.allow("sre", "rollbacks", rollbacks)

    def allow(self, user: str, name: str, rule: Obj) -> None:
        self.store.create("clusterroles", {"metadata": {"name": name}, "rules": [rule]})
        reference = {"kind": "ClusterRole", "name": name}
        subjects = [{"kind": "User", "name": user}]
        self.store.create(
            "clusterrolebindings", {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
        )

    async def patch(self, path: str, body: Any, *, kind: str = MERGE, user: str = "dev") -> Obj:
        transport = httpx.ASGITransport(app=self.app)
        headers = {"authorization": f"Bearer {user}-token", "content-type": kind}
        async with httpx.AsyncClient(transport=transport, base_url="http://kube", headers=headers) as client:
            response = await client.patch(path, json=body)
        assert response.status_code == 200, response.text
        answer: Obj = response.json()
        return answer


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def held(obj: Obj) -> bool:
    marks = obj["metadata"].get("annotations", {})
    return bool(obj["spec"].get("paused")) and marks.get(QUEUE) == "held"


STRATEGIC = "application/strategic-merge-patch+json"


def run(deed: Coroutine[Any, Any, Obj]) -> Obj:
    return asyncio.run(deed)


def test_a_new_image_is_held_in_the_same_write(cluster: Cluster) -> None:
    answer = run(cluster.patch(DEPLOYMENT, new_image("a:2"), kind=STRATEGIC))
    assert held(answer)
    assert answer["metadata"]["annotations"]["opsroom.dev/requested-by"] == "dev"
    assert answer["spec"]["template"]["spec"]["containers"][0]["image"] == "a:2"
    assert cluster.store.get("deployments", "shop", "cart") == answer


def test_a_rollout_is_held_the_same_way(cluster: Cluster) -> None:
    assert held(run(cluster.patch(ROLLOUT, new_image("a:2"))))


def test_what_leaves_the_template_alone_is_not_held(cluster: Cluster) -> None:
    assert not held(run(cluster.patch(DEPLOYMENT, {"spec": {"replicas": 5}})))
    assert not held(run(cluster.patch(ROLLOUT, {"metadata": {"labels": {"a": "b"}}})))


def test_the_hold_of_an_apply_is_owned_by_nobody_and_survives_the_next_apply(cluster: Cluster) -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart"}, **new_image("a:2")}
    path = f"{DEPLOYMENT}?fieldManager=gitops&force=true"
    first = run(cluster.patch(path, manifest, kind=APPLY))
    assert held(first)
    owned = str([entry["fieldsV1"] for entry in first["metadata"]["managedFields"]])
    assert "f:paused" not in owned
    again = run(cluster.patch(path, manifest, kind=APPLY))
    assert held(again)
    released = run(cluster.patch(DEPLOYMENT, {"metadata": {"annotations": {QUEUE: None}}, "spec": {"paused": False}}))
    assert "paused" not in released["spec"]
    assert not held(run(cluster.patch(path, manifest, kind=APPLY)))


def test_a_plain_revert_is_held_too(cluster: Cluster) -> None:
    run(cluster.patch(ROLLOUT, new_image("a:2")))
    revert = new_image("a:1")
    revert["spec"]["paused"] = False
    assert held(run(cluster.patch(ROLLOUT, revert)))


def revert_with_mark(mark: str, image: str = "a:1") -> Obj:
    body = new_image(image)
    body["spec"]["paused"] = False
    return {**body, "metadata": {"annotations": {ROLLBACK: mark}}}


def test_a_marked_revert_by_who_may_roll_back_passes_at_once(cluster: Cluster) -> None:
    run(cluster.patch(ROLLOUT, new_image("a:2")))
    answer = run(cluster.patch(ROLLOUT, revert_with_mark("m1"), user="sre"))
    assert answer["spec"]["paused"] is False
    assert answer["spec"]["template"]["spec"]["containers"][0]["image"] == "a:1"


def test_a_marked_revert_by_who_may_not_is_held(cluster: Cluster) -> None:
    run(cluster.patch(ROLLOUT, new_image("a:2")))
    assert held(run(cluster.patch(ROLLOUT, revert_with_mark("m1"))))


def test_a_stale_mark_opens_nothing(cluster: Cluster) -> None:
    run(cluster.patch(ROLLOUT, new_image("a:2")))
    run(cluster.patch(ROLLOUT, revert_with_mark("m1"), user="sre"))
    assert held(run(cluster.patch(ROLLOUT, revert_with_mark("m1", "a:3"), user="sre")))
    assert not held(run(cluster.patch(ROLLOUT, revert_with_mark("m2", "a:1"), user="sre")))


def restart() -> Obj:
    marks = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    return {"spec": {"template": {"metadata": {"annotations": marks}}}}


def test_a_restart_is_held_unless_the_policy_spares_it(cluster: Cluster) -> None:
    assert held(run(cluster.patch(ROLLOUT, restart())))
    condition = {"name": "no-restart", "expression": "...restartedAt..."}
    cluster.store.merge("mutatingadmissionpolicies", None, "opsroom-hold", {"spec": {"matchConditions": [condition]}})
    assert not held(run(cluster.patch(DEPLOYMENT, restart())))


@pytest.mark.parametrize(
    ("resource", "namespace", "name"),
    [
        ("configmaps", "opsroom", "opsroom-hold"),
        ("mutatingadmissionpolicies", None, "opsroom-hold"),
        ("mutatingadmissionpolicybindings", None, "opsroom-hold"),
    ],
)
def test_without_any_of_its_objects_nothing_is_held(
    cluster: Cluster, resource: str, namespace: str | None, name: str
) -> None:
    cluster.store.delete(resource, namespace, name)
    assert not held(run(cluster.patch(ROLLOUT, new_image("a:2"))))


def test_a_namespace_without_the_label_is_free(cluster: Cluster) -> None:
    cluster.store.merge("namespaces", None, "shop", {"metadata": {"labels": {QUEUE: "disabled"}}})
    assert not held(run(cluster.patch(ROLLOUT, new_image("a:2"))))


def test_a_dry_run_shows_the_hold_and_stores_nothing(cluster: Cluster) -> None:
    assert held(run(cluster.patch(f"{ROLLOUT}?dryRun=All", new_image("a:2"))))
    stored = cluster.store.get("rollouts", "shop", "checkout")
    assert stored is not None
    assert not held(stored)
