"""A simulated cluster with RBAC on, users of our own, and a record of everything that was asked of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from opsroom.cli.manifest import text
from opsroom.cli.parser import build
from opsroom.simulator import process
from opsroom.simulator.kube.access import ADMIN_TOKEN, Attributes, Auth, Authorizer, User
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.kubeconfig import write_kubeconfig
from opsroom.simulator.process import SimulatorOptions, simulator

PLURALS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "MutatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
}


def manifest(line: str) -> list[dict[str, Any]]:
    """The documents that ``opsroom manifest LINE`` prints."""
    return list(yaml.safe_load_all(text(build().parse_args(["manifest", *line.split()]))))


Grant = tuple[str, str, str, str]
"""API group, resource (with its subresource), verb, and the one object's name; empty: all of that kind."""


def granted(documents: list[dict[str, Any]]) -> set[Grant]:
    """Everything that the roles among ``documents`` allow."""
    return {
        (group, resource, verb, name)
        for document in documents
        if document["kind"] in ("Role", "ClusterRole")
        for rule in document["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or ("",)
    }


@dataclass
class Record:
    """What was asked, by user name."""

    allowed: list[tuple[str, Attributes]] = field(default_factory=list)
    refused: list[tuple[str, Attributes]] = field(default_factory=list)

    def used(self, user: str) -> set[Grant]:
        """What ``user`` was allowed and did, to all of a kind and to each object."""
        done = [one for name, one in self.allowed if name == user and not one.path]
        return {(one.group, one.full_resource, one.verb, name) for one in done for name in ("", one.name)}

    def refusals(self, user: str) -> set[Grant]:
        """What ``user`` tried in vain."""
        return {(one.group, one.full_resource, one.verb, "") for name, one in self.refused if name == user}


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    """Every decision of the simulated authorizer about a request (not about a review)."""
    kept = Record()
    check, reason = Authorizer.check, Authorizer.reason

    def recorded(self: Authorizer, user: User, asked: Attributes) -> None:
        try:
            check(self, user, asked)
        except ApiError:
            kept.refused.append((user.name, asked))
            raise
        kept.allowed.append((user.name, asked))

    def asked_by_the_hold(self: Authorizer, user: User, asked: Attributes) -> str | None:
        why = reason(self, user, asked)
        if why is not None and asked.group == "opsroom.dev":
            kept.allowed.append((user.name, asked))
        return why

    monkeypatch.setattr(Authorizer, "check", recorded)
    monkeypatch.setattr(Authorizer, "reason", asked_by_the_hold)
    return kept


@dataclass
class Cluster:
    """A running simulated cluster."""

    url: str
    prometheus: str
    folder: Path
    auth: Auth

    @property
    def port(self) -> int:
        """Of the API server."""
        return int(self.url.rpartition(":")[2])

    async def apply(self, documents: list[dict[str, Any]]) -> None:
        """Create what is missing of ``documents``, as an administrator."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, base_url=self.url) as client:
            for document in documents:
                if document["kind"] in PLURALS:
                    path = PLURALS[document["kind"]].format(document["metadata"].get("namespace", ""))
                    answer = await client.post(path, json=document)
                    assert answer.status_code in (201, 409), answer.text

    def kubeconfig(self, user: str, *groups: str) -> Path:
        """Credentials of a user whom nobody has granted anything yet."""
        token = f"token-of-{user.replace(':', '-')}"
        self.auth.add(token, user, groups=groups)
        return write_kubeconfig(self.folder / f"{token}.kubeconfig", self.port, token=token)


OpenCluster = Callable[..., AbstractAsyncContextManager[Cluster]]


@pytest.fixture
def open_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenCluster:
    """A simulated cluster inside an ``async with``; keyword arguments are the simulator's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Cluster]:
        auth = Auth()
        monkeypatch.setattr(process, "Auth", lambda: auth)
        async with simulator(SimulatorOptions(**{"folder": str(tmp_path / "sim"), **options})) as running:
            yield Cluster(running.kube, running.prometheus, tmp_path, auth)

    return opened


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Any]:
    """Wait until something is true, at most 60 s."""

    async def wait(true: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
        for _ in range(600):
            came = true()
            if inspect.isawaitable(came):
                came = await came
            if came:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"it did not come true: {what()}")

    return wait


class Rights:
    """The functions above, for tests that cannot import this file."""

    manifest = staticmethod(manifest)
    granted = staticmethod(granted)


@pytest.fixture
def rights() -> type[Rights]:
    """What manifests print and grant."""
    return Rights
