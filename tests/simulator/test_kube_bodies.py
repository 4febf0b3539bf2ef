"""Odd bodies: whatever is sent, the answer is one the protocol knows, and every reader goes on working."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsroom.simulator.kube.access import ADMIN_TOKEN, Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.resources import BY_PLURAL, KINDS, REVIEWS, Kind
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.structure import structured

odd = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "shop", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "name", "matchLabels", "containers", "op", "path"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def some(*names: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(names, odd), **known}) | odd


metadata = some("labels", "annotations", "ownerReferences", "finalizers", "resourceVersion", "uid", "name", "namespace")
template = some("metadata", spec=some("containers", "initContainers"))
spec = some("strategy", "selector", "replicas", "ports", "resourceAttributes", "groups", "namespace", template=template)
bodies = some("kind", "apiVersion", "status", "data", "rules", "subjects", "roleRef", metadata=metadata, spec=spec)
PATCHES = [f"application/{kind}" for kind in ("merge-patch+json", "strategic-merge-patch+json", "json-patch+json")]


def path_of(kind: Kind, name: str = "") -> str:
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    middle = "/namespaces/shop" if kind.namespaced else ""
    return f"{base}{middle}/{kind.plural}{'/' + name if name else ''}"


async def exchange(kind: Kind, body: Any) -> set[int]:
    """Send the body in every way a kind takes one, then read as people do; exceptions of the app come through."""
    store = Store(lambda: 0.0, seed=1)
    app = kube_app(store, Auth())
    store.create("namespaces", {"metadata": {"name": "shop"}})
    store.create(kind.plural, {"metadata": {"name": "x"}, "spec": {}}, namespace="shop", manager="m")
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    one = path_of(kind, "x")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://kube", headers=headers
    ) as client:
        answers = [await client.post(path_of(kind), json=body), await client.put(one, json=body)]
        answers += [await client.patch(one, json=body, headers={"content-type": patch}) for patch in PATCHES]
        apply = {"content-type": "application/apply-patch+yaml"}
        answers.append(await client.patch(f"{one}?fieldManager=f&force=true", json=body, headers=apply))
        for below in ("status", "scale"):
            merge = {"content-type": PATCHES[0]}
            answers.append(await client.patch(f"{one}/{below}", json=body, headers=merge))
        table = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        reads = [await client.get(path_of(kind), headers=table), await client.get(f"{path_of(kind)}?labelSelector=a=b")]
        assert {read.status_code for read in reads} == {200}
        answers.append(await client.request("DELETE", one, json=body))
    return {answer.status_code for answer in answers}


@settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KINDS), bodies)
def test_no_body_breaks_the_server(kind: Kind, body: Any) -> None:
    assert asyncio.run(exchange(kind, body)) <= {200, 201, 400, 404, 405, 409, 415, 422}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.sampled_from(REVIEWS), bodies)
def test_no_review_breaks_the_server(review: Any, body: Any) -> None:
    app = kube_app(Store(lambda: 0.0, seed=1), Auth())

    async def ask() -> int:
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://kube", headers=headers) as client:
            return (await client.post(f"/apis/{review.group}/v1/{review.plural}", json=body)).status_code

    assert asyncio.run(ask()) in (201, 400, 422)


@pytest.mark.parametrize(
    ("plural", "body", "code", "field"),
    [
        ("deployments", {"metadata": {"labels": {"a": 1}}}, 400, "metadata.labels.a"),
        ("deployments", {"spec": "x"}, 400, "spec"),
        ("deployments", {"spec": {"paused": "x"}}, 400, "string into Go struct field DeploymentSpec.spec.paused"),
        ("statefulsets", {"spec": {"replicas": 1.5}}, 400, "number into Go struct field StatefulSetSpec.spec.replicas"),
        ("rollouts", {"spec": {"template": {"spec": {"containers": [{"image": 1}]}}}}, 422, "containers[0].image"),
        ("services", {"spec": {"selector": {"app": {}}}}, 400, "spec.selector.app"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(plural: str, body: Any, code: int, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        structured(BY_PLURAL[plural], body)
    assert refused.value.code == code
    assert field in refused.value.message


def test_nulls_are_as_good_as_absent() -> None:
    body = {"metadata": {"name": "x", "creationTimestamp": None}, "spec": {"template": None, "replicas": 1}}
    assert structured(BY_PLURAL["deployments"], body) == {"metadata": {"name": "x"}, "spec": {"replicas": 1}}
