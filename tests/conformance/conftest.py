"""A Kubernetes API server to test against: the simulated one, or the one OPSROOM_TEST_KUBECONFIG names."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from opsroom.simulator.controllers.deployment import reconcile_deployment
from opsroom.simulator.controllers.loop import ControlLoop
from opsroom.simulator.controllers.replicaset import reconcile_replica_set
from opsroom.simulator.kube.access import ADMIN_TOKEN, Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.kubeconfig import write_kubeconfig
from opsroom.simulator.kube.store import Store
from opsroom.simulator.serving import LoopbackServer

T = TypeVar("T")
WALL_TOKEN = "wall-token"


@dataclass(frozen=True)
class ApiServerUnderTest:
    """Where requests go, and what the tests may do behind the server's back (nothing, if it is a real one)."""

    url: str
    tokens: dict[str, str]
    kubeconfig: Path
    namespace: str
    verify: ssl.SSLContext | bool = True
    store: Store | None = None
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def real(self) -> bool:
        return self.store is None

    def client(self) -> httpx.Client:
        """A client without credentials."""
        return httpx.Client(base_url=self.url, verify=self.verify, timeout=10.0, trust_env=False)

    def headers(self, who: str = "ADMIN") -> dict[str, str]:
        """What makes a request one of this user's."""
        token = self.tokens.get(who)
        return {"authorization": f"Bearer {token}"} if token else {}

    def serves(self, group_version: str) -> bool:
        """Whether a custom API group is installed."""
        with self.client() as http:
            return http.get(f"/apis/{group_version}", headers=self.headers()).status_code == 200

    def inside(self, deed: Callable[[Store], T]) -> T:
        """Run `deed` on the simulated server's loop; skips where there is no store to reach into."""
        if self.store is None or self.loop is None:
            pytest.skip("needs a hand inside the server")
        store = self.store

        async def run() -> T:
            return deed(store)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


def _log_lines(
    namespace: str, pod: str, container: str, *, since: float | None, tail: int | None, previous: bool
) -> list[tuple[float, str]]:
    start = 1_000_000.0
    lines = [(start + number, f"{pod} {container} line {number}") for number in range(20)]
    return [line for line in lines if since is None or line[0] > since]


class _Simulated:
    """A simulated API server with the workload controllers and no kubelet, on a loop of its own thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = Store(time.time, seed=1)
        self.port = 0
        self._ready = threading.Event()
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the simulated API server did not start"

    def stop(self) -> None:
        assert self._end is not None
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        auth = Auth()
        auth.add(WALL_TOKEN, "wall", groups=("wall",), uid="uid-wall")
        controllers = ControlLoop(
            self.store,
            {
                "deployments": lambda obj, loop, now: reconcile_deployment(obj, loop.owned("replicasets", obj), now),
                "replicasets": lambda obj, loop, now: reconcile_replica_set(obj, loop.owned("pods", obj), now),
            },
        )
        server = LoopbackServer(kube_app(self.store, auth, _log_lines), 0)
        self.port = server.port
        await server.start()
        self._ready.set()
        while not self._end.is_set():
            controllers.run(time.time())
            try:
                await asyncio.wait_for(self._end.wait(), 0.02)
            except TimeoutError:
                continue
        await server.stop()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServerUnderTest]:
    named = os.environ.get("OPSROOM_TEST_KUBECONFIG")
    if named:
        yield from _real(named)
        return
    simulated = _Simulated()
    simulated.start()
    path = write_kubeconfig(tmp_path_factory.mktemp("kube") / "config", simulated.port)
    yield ApiServerUnderTest(
        url=f"http://127.0.0.1:{simulated.port}",
        tokens={"ADMIN": ADMIN_TOKEN, "LIMITED": WALL_TOKEN, "BAD": "nobody-knows-this"},
        kubeconfig=path,
        namespace=f"conformance-{uuid.uuid4().hex[:6]}",
        store=simulated.store,
        loop=simulated.loop,
    )
    simulated.stop()


def _real(path: str) -> Iterator[ApiServerUnderTest]:
    from kubernetes import config

    connect: Any = config.new_client_from_config
    client: Any = connect(path)
    settings = client.configuration
    verify: ssl.SSLContext | bool = bool(settings.verify_ssl)
    if settings.ssl_ca_cert or settings.cert_file:
        verify = ssl.create_default_context(cafile=settings.ssl_ca_cert)
        if settings.cert_file:
            verify.load_cert_chain(settings.cert_file, settings.key_file)
    token = str(settings.api_key.get("authorization", "")).removeprefix("Bearer ")
    server = ApiServerUnderTest(
        url=settings.host,
        tokens={"ADMIN": token, "BAD": "nobody-knows-this"},
        kubeconfig=Path(path),
        namespace=f"opsroom-conformance-{uuid.uuid4().hex[:6]}",
        verify=verify,
    )
    yield server
    with server.client() as http:
        http.delete(f"/api/v1/namespaces/{server.namespace}", headers=server.headers())
