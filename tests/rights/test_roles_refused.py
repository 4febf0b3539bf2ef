"""Each printed role before an authorizing server: each verb on each kind is asked for; what is not granted is refused.

``python -m pytest tests/rights/test_roles_refused.py -s`` shows what each role is refused, kind by kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from opsroom.simulator.kube.access import ADMIN_TOKEN, Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.store import Store
from tests.rights.stage import WORKER

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
PLACES = ("payments", "search", "opsroom")
"""Named with ``-n``, not named, and our own."""

NEVER = (
    ("", "secrets"),
    ("", "nodes"),
    ("", "pods/exec"),
    ("", "pods/eviction"),
    ("", "serviceaccounts/token"),
    ("apps", "deployments/scale"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
)
"""Kinds with which no role of ours has any business."""

ROLES = {
    "worker --mode auto --gates -n payments": WORKER,
    "worker --mode observe -n payments": WORKER,
    "operator --user anna -n payments": "anna",
    "wall -n payments": "system:serviceaccount:opsroom:opsroom-wall",
}

Asked = tuple[str, str, str, str]
"""Namespace, API group, resource, verb."""


def printed(documents: list[dict[str, Any]], place: str) -> Iterator[tuple[str, str, str]]:
    """What the roles among ``documents`` allow in ``place`` to all objects of a kind."""
    for one in documents:
        here = one["kind"] == "ClusterRole" or (one["kind"] == "Role" and one["metadata"]["namespace"] == place)
        for rule in one["rules"] if here else ():
            if not rule.get("resourceNames"):
                yield from ((g, r, v) for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"])


async def allowed(documents: list[dict[str, Any]], user: str, asked: list[Asked]) -> set[Asked]:
    """Which of ``asked`` the server allows to ``user`` when ``documents`` are applied."""
    auth = Auth()
    auth.add("token", user)
    transport = httpx.ASGITransport(app=kube_app(Store(lambda: 1000.0, seed=1), auth))
    found = set()
    async with httpx.AsyncClient(transport=transport, base_url="http://kube") as client:
        admin = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        for name in PLACES:
            await client.post("/api/v1/namespaces", json={"metadata": {"name": name}}, headers=admin)
        for one in documents:
            if one["kind"].startswith(("Role", "ClusterRole")):
                place = one["metadata"].get("namespace", "")
                path = f"{RBAC}/namespaces/{place}" if place else RBAC
                answer = await client.post(f"{path}/{one['kind'].lower()}s", json=one, headers=admin)
                assert answer.status_code == 201, answer.text
        for question in asked:
            namespace, group, resource, verb = question
            plain, _, part = resource.partition("/")
            wanted = {"namespace": namespace, "group": group, "resource": plain, "subresource": part, "verb": verb}
            body = {"spec": {"resourceAttributes": wanted}}
            answer = await client.post(REVIEWS, json=body, headers={"authorization": "Bearer token"})
            if answer.json()["status"]["allowed"]:
                found.add(question)
    return found


@pytest.mark.parametrize("line", ROLES)
def test_a_role_is_refused_everything_that_was_not_printed_for_it(line: str, rights: Any) -> None:
    documents = rights.manifest(line)
    kinds = {(group, resource) for group, resource, _, _ in rights.granted(documents)} | set(NEVER)
    asked = [(place, *kind, verb) for place in PLACES for kind in sorted(kinds) for verb in VERBS]
    may = asyncio.run(allowed(documents, ROLES[line], asked))
    refused = set(asked) - may
    for place in PLACES:
        for group, resource in sorted(kinds):
            verbs = " ".join(verb for verb in VERBS if (place, group, resource, verb) in refused)
            print(f"{line.split(' -n')[0]:28} {place:9} {resource}.{group or 'core'} refused: {verbs}")  # noqa: T201
    assert may == {(place, *one) for place in PLACES for one in printed(documents, place)} & set(asked)
    assert may
    assert not {(group, resource) for _, group, resource, _ in may} & set(NEVER)
