"""Workers under the credentials of a role, and what happens around them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from opsroom.analysis.window import Window
from opsroom.config.settings import Prometheus, Settings
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE, Evidence, Verdict, VerdictState
from opsroom.errors import OpsroomError
from opsroom.feed.client import FeedClient
from opsroom.kube.connection import Connection
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.simulator.kube.access import ADMIN_TOKEN
from opsroom.sources.discovery import Proxied
from opsroom.worker.doorkeeper import Doorkeeper
from opsroom.worker.main import WorkerOptions, run_worker

PROXY = "/api/v1/namespaces/opsroom/services/http:prometheus:9090/proxy"
WORKER = "system:serviceaccount:opsroom:opsroom-worker"
MERGE = {"Content-Type": "application/merge-patch+json"}
POLICY = """step = 1.0
[[rows]]
match = { tier = "1", engine = "argo" }
two_people = true
min_seconds = 0.0
max_seconds = 5.0
[[rows]]
min_seconds = 0.0
max_seconds = 5.0
"""


@dataclass
class Judge:
    """Rolls back Canaries and Deployments; of the others promotes some, rolls back some, and cannot decide the rest."""

    condemned: set[str] = field(default_factory=set)

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        return [self._one(uid, now) for uid in window.uids]

    def _one(self, uid: str, now: float) -> Verdict:
        score = 1.0 if uid in self.condemned else (0.0, 1.0, 0.5)[int(uid[:4], 16) % 3]
        state = VerdictState.UNDECIDED
        if score > ROLL_BACK_ABOVE:
            state = VerdictState.HARM
        elif score < PROMOTE_BELOW:
            state = VerdictState.HEALTHY
        evidence = Evidence(metric="error_rate", harm=score, requests=1000.0, steps=9)
        return Verdict(uid=Uid(uid), at=now, state=state, score=score, steps=9, evidence=(evidence,))


@asynccontextmanager
async def at_work(
    kubeconfig: Path,
    cluster: Any,
    folder: Path,
    mode: str,
    *,
    judge: Judge | None = None,
    gates: str = "",
    **settings: Any,
) -> AsyncIterator[FeedClient]:
    """A worker with these credentials, and a viewer of its feed."""
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    told = Settings(
        kubeconfig=str(kubeconfig), policy=str(policy), prometheus=Prometheus(url=cluster.prometheus), **settings
    )
    options = WorkerOptions(settings=told, mode=mode, listen=f"unix:{folder}/worker.sock", gates=gates, nice=0)
    task = asyncio.ensure_future(run_worker(options, judge=judge))
    client = FeedClient(options.listen)
    viewing = asyncio.ensure_future(_view(client))
    try:
        yield client
    finally:
        for one in (viewing, task):
            one.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await one


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def _view(client: FeedClient) -> None:
    async for _ in client:
        pass


async def admin(cluster: Any, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **more.pop("headers", {})}
    async with httpx.AsyncClient(base_url=cluster.url, headers=headers) as client:
        answer = await client.request(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()


async def in_the_queue(cluster: Any) -> set[str]:
    """Let every namespace take part that has no Canaries (Flagger's targets cannot bear to be held); their names."""
    canaries = (await admin(cluster, "GET", "/apis/flagger.app/v1beta1/canaries"))["items"]
    spaces = (await admin(cluster, "GET", "/api/v1/namespaces"))["items"]
    names = {one["metadata"]["name"] for one in spaces} - {one["metadata"]["namespace"] for one in canaries}
    for name in names:
        labels = {"metadata": {"labels": {"opsroom.dev/queue": "enabled"}}}
        await admin(cluster, "PATCH", f"/api/v1/namespaces/{name}", headers=MERGE, json=labels)
    return names


async def new_versions_for_canaries(cluster: Any) -> None:
    """Change the target of every Canary, so that Flagger begins to analyse it."""
    for one in (await admin(cluster, "GET", "/apis/flagger.app/v1beta1/canaries"))["items"]:
        path = f"/apis/apps/v1/namespaces/{one['metadata']['namespace']}/deployments/{one['spec']['targetRef']['name']}"
        template = {"spec": {"template": {"metadata": {"annotations": {"test": "new"}}}}}
        await admin(cluster, "PATCH", path, headers=MERGE, json=template)


async def condemned(cluster: Any) -> set[str]:
    found = set()
    for path in ("/apis/flagger.app/v1beta1/canaries", "/apis/apps/v1/deployments"):
        found |= {one["metadata"]["uid"] for one in (await admin(cluster, "GET", path))["items"]}
    return found


def quarantine(uids: set[str]) -> dict[str, Any]:
    """The map with versions that are gone, as another decider left it."""
    data = {uid: '{"hash":"gone","at":1.0}' for uid in uids}
    metadata = {"name": "opsroom-quarantine", "namespace": "opsroom"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def beside_the_worker(connection: Connection, *, asks: bool = True) -> None:
    """What a worker does in a real cluster and not in this one: Prometheus by proxy, and viewers with tokens.

    The simulated proxy reaches nobody; that it may be asked is what counts.
    """
    with contextlib.suppress(OpsroomError):
        await Proxied(Reader(connection), PROXY).names()
    if asks:
        await Doorkeeper(lambda: Writer(connection), tuple)(ADMIN_TOKEN)
