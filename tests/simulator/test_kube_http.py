"""The protocol beyond the transcripts: paging, preconditions, eviction, scale, logs, proxy, protobuf."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from opsroom.simulator.kube.access import ADMIN_TOKEN, VIEWER_TOKEN, Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.kubeconfig import write_kubeconfig
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj

ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"
MERGE = {"content-type": "application/merge-patch+json"}


class World:
    """A store with an API over it, spoken to without a socket."""

    def __init__(self) -> None:
        self.store = Store(lambda: 1000.0, seed=1)
        self.said = [(1.0, "first"), (2.0, "second")]
        self.afterwards: list[Callable[[], object]] = []  # one after each time that lines were read
        self.app = kube_app(self.store, Auth(), self.lines)
        self.store.create("namespaces", {"metadata": {"name": "shop"}})
        for number in range(5):
            spec = {"replicas": number}
            self.store.create("rollouts", {"metadata": {"name": f"r{number}"}, "spec": spec}, namespace="shop")

    def lines(
        self, namespace: str, pod: str, container: str, *, since: float | None, tail: int | None, previous: bool
    ) -> Iterable[tuple[float, str]]:
        told = [line for line in self.said if since is None or line[0] > since]
        if self.afterwards:
            self.afterwards.pop(0)()
        return told

    def ask(
        self, method: str, path: str, body: Any = None, *, user: str = ADMIN_TOKEN, **headers: str
    ) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            sent = {"authorization": f"Bearer {user}", **{key.replace("_", "-"): text for key, text in headers.items()}}
            async with httpx.AsyncClient(transport=transport, base_url="http://kube", headers=sent) as client:
                if isinstance(body, bytes):
                    return await client.request(method, path, content=body)
                return await client.request(method, path, json=body)

        return asyncio.run(answer())


@pytest.fixture
def world() -> World:
    return World()


def test_pages_show_one_snapshot_while_the_world_goes_on(world: World) -> None:
    first = world.ask("GET", f"{ROLLOUTS}?limit=2").json()
    world.store.delete("rollouts", "shop", "r3")
    world.store.merge("rollouts", "shop", "r4", {"spec": {"replicas": 99}})
    world.store.create("rollouts", {"metadata": {"name": "r2b"}, "spec": {}}, namespace="shop")
    token = first["metadata"]["continue"]
    rest = world.ask("GET", f"{ROLLOUTS}?limit=9&continue={token}").json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["r2", "r3", "r4"]
    assert rest["items"][-1]["spec"]["replicas"] == 4
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_page_after_compaction_is_410_with_a_token_for_the_rest(world: World) -> None:
    token = world.ask("GET", f"{ROLLOUTS}?limit=2").json()["metadata"]["continue"]
    world.store.delete("rollouts", "shop", "r3")
    world.store.compact()
    gone = world.ask("GET", f"{ROLLOUTS}?limit=9&continue={token}")
    assert (gone.status_code, gone.json()["reason"]) == (410, "Expired")
    again = gone.json()["metadata"]["continue"]
    rest = world.ask("GET", f"{ROLLOUTS}?limit=9&continue={again}").json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["r2", "r4"]


def test_a_list_of_all_namespaces_pages_across_them(world: World) -> None:
    world.store.create("rollouts", {"metadata": {"name": "a"}, "spec": {}}, namespace="zoo")
    names, token = [], ""
    while True:
        page = world.ask("GET", f"/apis/argoproj.io/v1alpha1/rollouts?limit=2&continue={token}").json()
        names += [item["metadata"]["name"] for item in page["items"]]
        if not (token := page["metadata"]["continue"]):
            break
    assert names == ["r0", "r1", "r2", "r3", "r4", "a"]


def test_a_list_from_the_future_asks_for_patience(world: World) -> None:
    answer = world.ask("GET", f"{ROLLOUTS}?resourceVersion=99999999")
    assert (answer.status_code, answer.headers["retry-after"]) == (504, "1")
    assert answer.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_kind_just_installed_asks_for_patience(world: World) -> None:
    world.store.initializing.add("rollouts")
    assert world.ask("GET", ROLLOUTS).status_code == 429
    world.store.initializing.clear()
    assert world.ask("GET", ROLLOUTS).status_code == 200


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_deletion_can_have_preconditions(world: World, field: str) -> None:
    refused = world.ask("DELETE", f"{ROLLOUTS}/r1", {"preconditions": {field: "another"}})
    assert refused.status_code == 409
    obj = world.store.get("rollouts", "shop", "r1")
    assert obj is not None
    done = world.ask("DELETE", f"{ROLLOUTS}/r1", {"preconditions": {field: obj["metadata"][field]}})
    assert (done.status_code, done.json()["status"]) == (200, "Success")


def test_a_collection_is_deleted_by_its_labels(world: World) -> None:
    world.store.merge("rollouts", "shop", "r1", {"metadata": {"labels": {"team": "x"}}})
    tried = world.ask("DELETE", f"{ROLLOUTS}?labelSelector=team=x&dryRun=All").json()
    assert [item["metadata"]["name"] for item in tried["items"]] == ["r1"]
    assert len(world.store.list("rollouts")) == 5
    gone = world.ask("DELETE", f"{ROLLOUTS}?labelSelector=team=x").json()
    assert [item["metadata"]["name"] for item in gone["items"]] == ["r1"]
    assert len(world.store.list("rollouts")) == 4


def test_an_object_needs_a_namespace_that_is_there(world: World) -> None:
    path = "/apis/argoproj.io/v1alpha1/namespaces/nowhere/rollouts"
    answer = world.ask("POST", path, {"metadata": {"name": "x"}})
    assert (answer.status_code, answer.json()["message"]) == (404, 'namespaces "nowhere" not found')


def test_the_body_must_agree_with_the_path(world: World) -> None:
    wrong: list[Obj] = [
        {"metadata": {"name": "other", "resourceVersion": "1"}},
        {"metadata": {"name": "r1", "namespace": "zoo", "resourceVersion": "1"}},
        {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "r1", "resourceVersion": "1"}},
    ]
    assert [world.ask("PUT", f"{ROLLOUTS}/r1", body).status_code for body in wrong] == [400, 400, 400]
    blind = world.ask("PUT", f"{ROLLOUTS}/r1", {"metadata": {"name": "r1"}})
    assert (blind.status_code, blind.json()["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")


def test_the_selector_of_a_workload_cannot_change(world: World) -> None:
    world.ask("PATCH", f"{ROLLOUTS}/r1", {"spec": {"selector": {"matchLabels": {"a": "b"}}}}, **MERGE_HEADER)
    answer = world.ask("PATCH", f"{ROLLOUTS}/r1", {"spec": {"selector": {"matchLabels": {"a": "c"}}}}, **MERGE_HEADER)
    assert (answer.status_code, answer.json()["details"]["causes"][0]["field"]) == (422, "spec.selector")


MERGE_HEADER = {"content_type": "application/merge-patch+json"}


def test_kinds_without_a_status_subresource_answer_404_there(world: World) -> None:
    world.store.create("analysisruns", {"metadata": {"name": "run"}, "spec": {}}, namespace="shop")
    path = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/run/status"
    assert world.ask("PATCH", path, {"status": {}}, **MERGE_HEADER).status_code == 404


def test_scale_reads_and_writes_replicas(world: World) -> None:
    world.store.merge("rollouts", "shop", "r1", {"status": {"HPAReplicas": 3, "selector": "a=b"}}, subresource="status")
    scale = world.ask("GET", f"{ROLLOUTS}/r1/scale").json()
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 3, "selector": "a=b"})
    changed = world.ask("PATCH", f"{ROLLOUTS}/r1/scale", {"spec": {"replicas": 7}}, **MERGE_HEADER).json()
    assert changed["spec"] == {"replicas": 7}
    stale = world.ask("PUT", f"{ROLLOUTS}/r1/scale", {**scale, "spec": {"replicas": 9}})
    assert stale.status_code == 409


def pod(world: World, name: str, *, ready: bool = True, phase: str = "Running") -> None:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    body: Obj = {
        "metadata": {"name": name, "labels": {"app": "cart"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "i"}]},
        "status": {"phase": phase, "conditions": conditions},
    }
    world.store.create("pods", body, namespace="shop")


def budget(world: World, name: str = "cart", **spec: Any) -> None:
    body = {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": "cart"}}, **spec}}
    world.store.create("poddisruptionbudgets", body, namespace="shop")


def evict(world: World, name: str) -> httpx.Response:
    return world.ask("POST", f"/api/v1/namespaces/shop/pods/{name}/eviction", {"metadata": {"name": name}})


def test_an_eviction_is_allowed_until_the_budget_is_spent(world: World) -> None:
    for number in range(3):
        pod(world, f"p{number}")
    budget(world, minAvailable=2)
    assert evict(world, "p0").status_code == 201
    refused = evict(world, "p1")
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    cause = refused.json()["details"]["causes"][0]
    assert cause["reason"] == "DisruptionBudget"
    assert cause["message"] == "The disruption budget cart needs 2 healthy pods and has 2 currently"
    assert (
        world.ask("GET", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart").json()["status"]["currentHealthy"]
        == 2
    )


def test_two_budgets_answer_201_with_a_failure_inside(world: World) -> None:
    pod(world, "p0")
    budget(world, "one", minAvailable=0)
    budget(world, "two", minAvailable=0)
    answer = evict(world, "p0")
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (201, "Failure", 500)
    assert world.store.get("pods", "shop", "p0") is not None


def test_pods_that_do_not_run_may_always_go(world: World) -> None:
    pod(world, "p0", phase="Pending")
    budget(world, minAvailable=5)
    assert evict(world, "p0").status_code == 201
    assert evict(world, "p0").status_code == 404


def test_logs_are_cut_and_stamped(world: World) -> None:
    pod(world, "p0")
    path = "/api/v1/namespaces/shop/pods/p0/log"
    assert world.ask("GET", path).text == "first\nsecond\n"
    assert world.ask("GET", f"{path}?tailLines=1").text == "second\n"
    assert world.ask("GET", f"{path}?tailLines=0").text == ""
    assert world.ask("GET", f"{path}?limitBytes=3").text == "fir"
    assert world.ask("GET", f"{path}?sinceTime=1970-01-01T00:00:01Z").text == "second\n"
    assert world.ask("GET", f"{path}?timestamps=true").text.startswith("1970-01-01T00:00:01.000000000Z first\n")
    assert world.ask("GET", f"{path}?sinceSeconds=10").text == ""
    assert world.ask("GET", f"{path}?sinceTime=yesterday").status_code == 400
    assert world.ask("GET", f"{path}?container=nope").status_code == 400
    assert world.ask("GET", "/api/v1/namespaces/shop/pods/none/log").status_code == 404


def test_followed_logs_go_on_until_the_pod_is_gone(world: World) -> None:
    pod(world, "p0")
    world.afterwards = [lambda: world.said.append((3.0, "third")), lambda: world.store.delete("pods", "shop", "p0")]
    answer = world.ask("GET", "/api/v1/namespaces/shop/pods/p0/log?follow=true")
    assert answer.text == "first\nsecond\nthird\n"


def test_the_service_proxy_reaches_nothing_and_says_so(world: World) -> None:
    world.store.create("services", {"metadata": {"name": "prom"}, "spec": {}}, namespace="shop")
    answer = world.ask("GET", "/api/v1/namespaces/shop/services/http:prom:9090/proxy/api/v1/query?query=up")
    assert answer.status_code == 503
    assert answer.json()["message"] == 'no endpoints available for service "http:prom:9090"'
    assert world.ask("GET", "/api/v1/namespaces/shop/services/none/proxy/").status_code == 404


def test_a_viewer_may_look_and_not_touch(world: World) -> None:
    assert world.ask("GET", ROLLOUTS, user=VIEWER_TOKEN).status_code == 200
    answer = world.ask("DELETE", f"{ROLLOUTS}/r1", user=VIEWER_TOKEN)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")


def test_a_server_asks_for_another_user(world: World) -> None:
    attributes = {"namespace": "shop", "verb": "patch", "group": "argoproj.io", "resource": "rollouts"}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    spec = {"user": "viewer", "groups": ["viewers"], "resourceAttributes": attributes}
    assert world.ask("POST", path, {"spec": spec}).json()["status"] == {"allowed": False}
    spec = {**spec, "resourceAttributes": {**attributes, "verb": "list"}}
    assert world.ask("POST", path, {"spec": spec}).json()["status"]["allowed"] is True
    assert world.ask("POST", path, {"spec": spec}, user=VIEWER_TOKEN).status_code == 403


def test_strict_validation_refuses_a_patch_too(world: World) -> None:
    path = f"{ROLLOUTS}/r1?fieldValidation=Strict"
    answer = world.ask("PATCH", path, {"spec": {"nope": 1}}, **MERGE_HEADER)
    assert answer.status_code == 422
    assert 'strict decoding error: unknown field "spec.nope"' in answer.json()["message"]
    ignored = world.ask("PATCH", f"{ROLLOUTS}/r1?fieldValidation=Ignore", {"spec": {"nope": 1}}, **MERGE_HEADER)
    assert (ignored.status_code, ignored.headers.get("warning")) == (200, None)
    assert "nope" not in ignored.json()["spec"]


def test_an_apply_creates_what_is_not_there(world: World) -> None:
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "new"}, "spec": {}}
    path, kind = f"{ROLLOUTS}/new", "application/apply-patch+yaml"
    assert world.ask("PATCH", path, manifest, content_type=kind).status_code == 422
    made = world.ask("PATCH", f"{path}?fieldManager=me", manifest, content_type=kind)
    assert made.status_code == 201
    yaml = b"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: new}\nspec: {replicas: 4}\n"
    assert world.ask("PATCH", f"{path}?fieldManager=me", yaml, content_type=kind).json()["spec"] == {"replicas": 4}


def test_protobuf_of_an_unknown_message_is_refused(world: World) -> None:
    kind = "application/vnd.kubernetes.protobuf"
    for body in (b"no magic", b"k8s\x00", b"k8s\x00\x0a\x08\x0a\x02v1\x12\x02Xy"):
        assert world.ask("POST", "/api/v1/namespaces", body, content_type=kind).status_code == 415
    named = b"k8s\x00\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x07\x0a\x05\x0a\x03abc"
    assert world.ask("POST", "/api/v1/namespaces", named, content_type=kind).json()["metadata"]["name"] == "abc"


def test_the_kubeconfig_is_private_and_carries_the_token_twice(tmp_path: Any) -> None:
    path = write_kubeconfig(tmp_path / "config", 1234)
    text = path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert f"http://127.0.0.1:1234/as/{ADMIN_TOKEN}" in text
    assert f'"token": "{ADMIN_TOKEN}"' in text


def test_a_token_in_the_url_is_as_good_as_a_header(world: World) -> None:
    async def answer(path: str) -> int:
        transport = httpx.ASGITransport(app=world.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://kube") as client:
            return (await client.get(path)).status_code

    assert asyncio.run(answer(f"/as/{VIEWER_TOKEN}{ROLLOUTS}")) == 200
    assert asyncio.run(answer(f"/as/nobody{ROLLOUTS}")) == 401
    assert asyncio.run(answer(ROLLOUTS)) == 403
