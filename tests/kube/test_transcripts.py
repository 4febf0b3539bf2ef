"""What a real API server 1.36 answered, through our own reading: kinds of errors, pages and watch lines."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsroom.errors import Conflict, Gone, NotPermitted, OpsroomError, Rejected, Unauthorized, Unreachable
from opsroom.kube.connection import Request
from opsroom.kube.failures import NotServed, refusal
from opsroom.kube.reader import Reader, named
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.kinds import Deployment, ReplicaSet

TRANSCRIPTS = Path(__file__).parents[1] / "conformance" / "data" / "kube-1.36.jsonl"
RECORDS = {record["name"]: record for record in map(json.loads, TRANSCRIPTS.read_text().splitlines())}

KINDS: dict[str, type[OpsroomError]] = {
    "absent-group": NotServed,
    "get-missing": Gone,
    "create-rollout-exists": Conflict,
    "put-stale": Conflict,
    "merge-patch-stale-rv": Conflict,
    "apply-conflict": Conflict,
    "json-patch-test-fails": Conflict,
    "create-invalid": Rejected,
    "strategic-on-crd": Rejected,
    "bad-json": Rejected,
    "bad-token": Unauthorized,
    "no-token": NotPermitted,
    "forbidden": NotPermitted,
    "service-proxy-no-endpoints": NotPermitted,
    "evict-blocked": Unreachable,
    "list-storage-initializing": Unreachable,
    "watch-garbage-rv": Unreachable,
}


def answer(record: dict[str, Any]) -> httpx.Response:
    body = record["response"].get("body")
    if isinstance(body, str):
        return httpx.Response(record["response"]["status"], text=body)
    return httpx.Response(record["response"]["status"], json=body)


@pytest.mark.parametrize("name", KINDS)
def test_a_real_refusal_is_understood(kube: Any, name: str) -> None:
    record = RECORDS[name]
    request, server = record["request"], kube.Server(answer(record))
    connection = server.connection()

    async def ask() -> OpsroomError:
        type_ = request["headers"].get("content-type", "")
        content = json.dumps(request["body"]).encode()
        response = await connection.send(Request(request["method"], request["path"], None, content, type_))
        return refusal(response, connection.endpoint, named(request["path"]))

    error = asyncio.run(ask())
    assert type(error) is KINDS[name]
    assert error.message


def test_a_forbidden_patch_names_user_verb_and_place(kube: Any) -> None:
    connection = kube.Server(answer(RECORDS["forbidden"])).connection()
    with pytest.raises(NotPermitted, match=r"wall needs patch on rollouts \(argoproj.io\) in namespace shop"):
        asyncio.run(Reader(connection).get("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout", dict))


@pytest.mark.parametrize(
    ("name", "type_"), [("list-page-1", ArgoRollout), ("list-rv0", ArgoRollout), ("replicasets", ReplicaSet)]
)
def test_a_real_list_is_read(kube: Any, name: str, type_: Any) -> None:
    record = json.loads(json.dumps(RECORDS[name]))
    record["response"]["body"]["metadata"].pop("continue", None)
    found = asyncio.run(Reader(kube.Server(answer(record)).connection()).list_pages("/x", type_))
    assert found.unreadable == 0
    assert [item.metadata.uid for item in found.items] == [
        item["metadata"]["uid"] for item in record["response"]["body"]["items"]
    ]


def test_a_real_deployment_and_its_replica_sets_share_a_template(kube: Any) -> None:
    def read(name: str, type_: Any) -> Any:
        return asyncio.run(Reader(kube.Server(answer(RECORDS[name])).connection()).get("/x", type_))

    deployment = read("deployment-after", Deployment)
    lists = RECORDS["replicasets"]["response"]["body"]["items"]
    sets = [
        asyncio.run(Reader(kube.Server(httpx.Response(200, json=item)).connection()).get("/x", ReplicaSet))
        for item in lists
    ]
    assert deployment.spec.template.images
    assert any(one.spec.template.digest == deployment.spec.template.digest for one in sets)
    assert all(one.metadata.owner == deployment.metadata.uid and one.metadata.hash for one in sets)
