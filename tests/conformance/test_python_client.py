"""The official Python client against the API server under test: list, watch, patch, lease, reviews."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes import client, config, watch

if TYPE_CHECKING:
    from tests.conformance.conftest import ApiServerUnderTest

GROUP, VERSION = "argoproj.io", "v1alpha1"


@pytest.fixture(scope="module")
def api(api_server: ApiServerUnderTest) -> Iterator[Any]:
    connect: Any = config.new_client_from_config
    with connect(str(api_server.kubeconfig)) as connected:
        yield connected


@pytest.fixture(scope="module")
def namespace(api: Any) -> Iterator[str]:
    name = f"opsroom-client-{uuid.uuid4().hex[:6]}"
    core: Any = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


@pytest.fixture
def rollouts(api: Any, namespace: str, api_server: ApiServerUnderTest) -> Any:
    if not api_server.serves(f"{GROUP}/{VERSION}"):
        pytest.skip("needs the Argo Rollouts CRDs")
    return client.CustomObjectsApi(api)


def rollout(name: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {"replicas": 1},
    }


def test_pages_make_up_the_whole_list(rollouts: Any, namespace: str) -> None:
    for number in range(5):
        rollouts.create_namespaced_custom_object(GROUP, VERSION, namespace, "rollouts", rollout(f"page-{number}"))
    names, token = [], ""
    while True:
        page = rollouts.list_namespaced_custom_object(GROUP, VERSION, namespace, "rollouts", limit=2, _continue=token)
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"]["continue"]
        if not token:
            break
    assert names == [f"page-{number}" for number in range(5)]


def test_a_watch_sees_a_patch_made_meanwhile(rollouts: Any, namespace: str) -> None:
    rollouts.create_namespaced_custom_object(GROUP, VERSION, namespace, "rollouts", rollout("seen"))
    where = (GROUP, VERSION, namespace, "rollouts")
    version = rollouts.list_namespaced_custom_object(*where)["metadata"]["resourceVersion"]
    patch = {"spec": {"paused": True}}
    later = threading.Timer(0.1, lambda: rollouts.patch_namespaced_custom_object(*where, "seen", patch))
    later.start()
    begin: Any = watch.Watch
    stream = begin()
    events = stream.stream(rollouts.list_namespaced_custom_object, *where, resource_version=version, timeout_seconds=5)
    event = next(event for event in events if event["object"]["metadata"]["name"] == "seen")
    stream.stop()
    later.join()
    assert event["type"] == "MODIFIED"
    assert event["object"]["spec"]["paused"] is True


def test_a_stale_version_in_a_merge_patch_is_a_conflict(rollouts: Any, namespace: str) -> None:
    where = (GROUP, VERSION, namespace, "rollouts")
    made = rollouts.create_namespaced_custom_object(*where, rollout("raced"))
    rollouts.patch_namespaced_custom_object(*where, "raced", {"spec": {"paused": True}})
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "spec": {"paused": False}}
    with pytest.raises(client.ApiException) as refused:
        rollouts.patch_namespaced_custom_object(*where, "raced", stale)
    assert refused.value.status == 409


def test_two_candidates_for_one_lease(api: Any, namespace: str) -> None:
    leases: Any = client.CoordinationV1Api(api)
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"}
    leases.create_namespaced_lease(namespace, {"metadata": {"name": "opsroom"}, "spec": spec})
    first, second = (leases.read_namespaced_lease("opsroom", namespace) for _ in range(2))
    first.spec.holder_identity = "two"
    leases.replace_namespaced_lease("opsroom", namespace, first)
    second.spec.holder_identity = "three"
    with pytest.raises(client.ApiException) as refused:
        leases.replace_namespaced_lease("opsroom", namespace, second)
    assert refused.value.status == 409
    assert leases.read_namespaced_lease("opsroom", namespace).spec.holder_identity == "two"


def test_typed_models_read_what_is_served(api: Any, namespace: str) -> None:
    apps: Any = client.AppsV1Api(api)
    template = {
        "metadata": {"labels": {"app": "typed"}},
        "spec": {"containers": [{"name": "main", "image": "registry.local/typed:1"}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "typed"}}, "template": template}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "typed"}, "spec": spec})
    read = apps.read_namespaced_deployment("typed", namespace)
    assert read.spec.strategy.rolling_update.max_surge == "25%"
    assert read.metadata.generation == 1
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "registry.local/typed:2"}]}}}}
    apps.patch_namespaced_deployment("typed", namespace, image)  # a dict goes as a strategic merge
    containers = apps.read_namespaced_deployment("typed", namespace).spec.template.spec.containers
    assert [(one.name, one.image, one.image_pull_policy) for one in containers] == [
        ("main", "registry.local/typed:2", "IfNotPresent")
    ]


def test_the_client_asks_what_it_may_do(api: Any, namespace: str) -> None:
    reviews: Any = client.AuthorizationV1Api(api)
    wanted = {"namespace": namespace, "verb": "patch", "group": GROUP, "resource": "rollouts"}
    answer = reviews.create_self_subject_access_review({"spec": {"resourceAttributes": wanted}})
    assert answer.status.allowed is True
