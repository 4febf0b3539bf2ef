"""A simulated cluster inside the test: its controllers, its API over ASGI, and time that passes only when asked."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from opsroom.delivery.deliver import deliver
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry, Journal
from opsroom.domain.deed import Deed, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.kube.access import ADMIN_TOKEN, Auth
from opsroom.simulator.kube.app import kube_app

T = TypeVar("T")
Obj = dict[str, Any]

START = 1_750_000_000.0
STEPS: list[Obj] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


class Steady:
    """Programs that start in two seconds and never fail; ``sick`` images never start."""

    def __init__(self) -> None:
        self.sick: set[str] = set()

    def start_seconds(self, pod: Obj) -> float:
        """Two seconds, or never."""
        return 1e9 if pod["spec"]["containers"][0]["image"] in self.sick else 2.0

    def container(self, _pod: Obj) -> Container:
        """Running."""
        return Container()


class Tampering:
    """A writer with something in the line: ``before`` and ``after`` run around each PATCH that is sent."""

    def __init__(self, writer: Writer) -> None:
        self.inner = writer
        self.before: list[Callable[[str], None]] = []
        self.after: list[Callable[[str], None]] = []
        self.sent: list[tuple[str, Any]] = []

    async def patch(self, path: str, body: Any, *, content_type: str) -> object:
        """Send, with the next hook before and after, if any is left."""
        if self.before:
            self.before.pop(0)(path)
        self.sent.append((path, body))
        answer = await self.inner.patch(path, body, content_type=content_type)
        if self.after:
            self.after.pop(0)(path)
        return answer

    async def post(self, path: str, body: Any) -> object:
        """Passed on."""
        return await self.inner.post(path, body)

    async def put(self, path: str, body: Any) -> object:
        """Passed on."""
        return await self.inner.put(path, body)

    async def delete(self, path: str) -> object:
        """Passed on."""
        return await self.inner.delete(path)


class Pages:
    """A journal in memory; ``broken`` makes it unwritable."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.broken: Exception | None = None

    def write(self, entry: Entry) -> None:
        """Keep ``entry``."""
        if self.broken is not None:
            raise self.broken
        self.entries.append(entry)

    @property
    def states(self) -> list[str]:
        """States of the deeds, in the order in which they were written."""
        return [entry.deed.state.value for entry in self.entries if entry.deed is not None]


@dataclass
class Sim:
    """Everything a delivery test touches."""

    programs: Steady = field(default_factory=Steady)
    auth: Auth = field(default_factory=Auth)
    journal: Pages = field(default_factory=Pages)

    def __post_init__(self) -> None:
        self.clock = Clock(START)
        self.cluster = Cluster(self.clock, self.programs, seed=7)
        self.app = kube_app(self.cluster.store, self.auth, lambda *_a, **_k: ())
        self.connection = self.connect()
        self.reader = Reader(self.connection)
        self.writer = Tampering(Writer(self.connection))

    def connect(self, token: str = ADMIN_TOKEN) -> Connection:
        """Another client of the same API server."""
        endpoint = Endpoint(host="http://sim", authorization=f"Bearer {token}", context="sim")
        return Connection(endpoint, transport=httpx.ASGITransport(self.app))

    def run(self, work: Awaitable[T]) -> T:
        """Run ``work`` to its end."""

        async def main() -> T:
            return await work

        return asyncio.run(main())

    async def wait(self, seconds: float) -> None:
        """Time passes, and with it the controllers work."""
        self.cluster.pass_time(seconds)

    def hands(self, **changes: Any) -> Hands:
        """What deeds are done with here."""
        settings: dict[str, Any] = {"now": self.clock, "wait": self.wait} | changes
        return Hands(self.reader, self.writer, self.journal, **settings)

    async def deliver(self, intent: Intent, **changes: Any) -> list[Deed]:
        """Every state of one deed."""
        return [deed async for deed in deliver(intent, self.hands(**changes))]

    def get(self, resource: str, name: str) -> Obj:
        """An object as it is stored."""
        found = self.cluster.store.get(resource, "shop", name)
        assert found is not None
        return found

    def change(self, resource: str, name: str, **fields: Any) -> None:
        """Somebody else's merge of top-level fields (``spec={…}``)."""
        obj = self.get(resource, name)
        new = {**obj, **{key: {**obj.get(key, {}), **value} for key, value in fields.items()}}
        subresource = "status" if "status" in fields else None
        self.cluster.store.replace(resource, new, subresource=subresource, manager="somebody")

    def annotate(self, resource: str, name: str, notes: dict[str, str]) -> None:
        """Somebody else's annotations."""
        meta = self.get(resource, name)["metadata"]
        self.change(resource, name, metadata={**meta, "annotations": {**meta.get("annotations", {}), **notes}})

    def set_image(self, resource: str, name: str, image: str) -> None:
        """A new version is pushed, and the controllers take it up."""
        obj = self.get(resource, name)
        template = obj["spec"]["template"]
        containers = [{**template["spec"]["containers"][0], "image": image}]
        self.change(resource, name, spec={"template": {**template, "spec": {"containers": containers}}})

    def create(self, resource: str, body: Obj) -> Obj:
        """Create ``body`` in the namespace ``shop``."""
        return self.cluster.store.create(resource, body, namespace="shop", manager="pipeline")

    def rollout(self, name: str = "cart", strategy: Obj | None = None, **spec: Any) -> None:
        """An Argo Rollout whose first version is stable."""
        body = _workload("argoproj.io/v1alpha1", "Rollout", name, {"app": name})
        canary = {"maxSurge": "25%", "maxUnavailable": 0, "steps": STEPS}
        body["spec"] |= {"strategy": strategy or {"canary": canary}} | spec
        self.create("rollouts", body)
        self.cluster.pass_time(30)

    def deployment(self, name: str, replicas: int = 4, track: str = "") -> None:
        """A Deployment whose first version is complete."""
        labels = {"app": "pay"} | ({"track": track} if track else {})
        body = _workload("apps/v1", "Deployment", name, labels)
        body["spec"] |= {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        }
        self.create("deployments", body)
        self.cluster.pass_time(30)

    def pair(self) -> None:
        """``pay`` and its canary, which runs one pod of v2."""
        self.deployment("pay", track="stable")
        self.deployment("pay-canary", replicas=0, track="canary")
        self.annotate("deployments", "pay-canary", {"opsroom.dev/canary-of": "pay"})
        self.set_image("deployments", "pay-canary", "registry/app:v2")
        self.change("deployments", "pay-canary", spec={"replicas": 1})
        self.cluster.pass_time(30)

    def hash(self, name: str) -> str:
        """The pod template hash of a Deployment's present ReplicaSet."""
        deployment = self.get("deployments", name)
        revision = deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for found in self.cluster.store.list("replicasets", "shop"):
            owner = found["metadata"]["ownerReferences"][0]["uid"]
            mine = owner == deployment["metadata"]["uid"]
            if mine and found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision:
                return str(found["metadata"]["labels"]["pod-template-hash"])
        raise AssertionError("no ReplicaSet")

    def intent(self, verb: Verb, name: str = "cart", shape: Shape = Shape.CANARY, **changes: Any) -> Intent:
        """A deed on ``name`` as it stands now."""
        if shape in (Shape.CANARY, Shape.BLUE_GREEN):
            obj, engine = self.get("rollouts", name), Engine.ARGO
            status = obj["status"]
            under_way = status["currentPodHash"] != status["stableRS"]
            seen = Precondition(
                canary_hash=status["currentPodHash"] if under_way else "",
                stable_hash=status["stableRS"],
                step=status.get("currentStepIndex") if shape is Shape.CANARY else None,
            )
        else:
            obj, engine = self.get("deployments", name), Engine.DEPLOYMENT
            seen = Precondition(canary_hash=self.hash(name))
        target = Target(uid=Uid(obj["metadata"]["uid"]), engine=engine, shape=shape, namespace="shop", name=name)
        fields: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "verb": verb,
            "target": target,
            "precondition": seen,
            "actor": "ada",
            "at": self.clock(),
        }
        return Intent(**(fields | changes))


def _workload(api: str, kind: str, name: str, labels: dict[str, str]) -> Obj:
    container = {"name": "app", "image": "registry/app:v1"}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


@contextmanager
def world() -> Iterator[Sim]:
    """A cluster with the namespaces ``shop`` and ``opsroom``."""
    made = Sim()
    for name in ("shop", "opsroom"):
        if made.cluster.store.get("namespaces", None, name) is None:
            made.cluster.store.create("namespaces", {"metadata": {"name": name}}, manager="test")
    yield made
    made.cluster.loop.close()


@pytest.fixture
def sim() -> Iterator[Sim]:
    """One of these for one test."""
    with world() as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal on disk."""
    return Journal(tmp_path / "ada.jsonl", "ada")
