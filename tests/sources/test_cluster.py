"""The cluster source over a small API server: what is missing costs only that, and is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec

from opsroom.domain.rollout import Phase
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.sources.cluster import Cluster


class Open(httpx.AsyncByteStream):
    """A watch that stays open until it is cut."""

    def __init__(self, cut: asyncio.Event) -> None:
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await self._cut.wait()
        yield b""


class ApiServer(httpx.AsyncBaseTransport):
    """Lists by path; everything else is 404. ``refused`` are substrings of paths that are forbidden."""

    def __init__(self, lists: dict[str, list[dict[str, Any]]], refused: tuple[str, ...] = ()) -> None:
        self.lists, self.refused = lists, refused
        self.down = False
        self.cut = asyncio.Event()
        self.methods: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.methods.add(request.method)
        path = request.url.path
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        if path == "/version":
            return httpx.Response(200, json={"major": "1"}, request=request)
        if any(part in path for part in self.refused):
            message = f'forbidden: User "wall" cannot list resource "{path.rpartition("/")[2]}" in API group ""'
            return httpx.Response(403, json={"kind": "Status", "message": message}, request=request)
        if path not in self.lists:
            return httpx.Response(404, text="404 page not found", request=request)
        if "watch" in request.url.params:
            return httpx.Response(200, stream=Open(self.cut), request=request)
        body = {"metadata": {"resourceVersion": "5"}, "items": self.lists[path]}
        return httpx.Response(200, json=body, request=request)


def deployment(objects: Any, name: str) -> dict[str, Any]:
    return {
        "metadata": objects.meta(name),
        "spec": {"replicas": 1, "template": objects.template("reg/app:v1")},
        "status": {"observedGeneration": 1, "availableReplicas": 1, "replicas": 1, "updatedReplicas": 1},
    }


def lists(objects: Any, prefix: str = "") -> dict[str, list[dict[str, Any]]]:
    return {
        f"/apis/apps/v1{prefix}/deployments": [deployment(objects, "checkout")],
        f"/apis/apps/v1{prefix}/replicasets": [],
        f"/api/v1{prefix}/pods": [],
        f"/api/v1{prefix}/events": [],
    }


async def until(cluster: Cluster, done: Any) -> None:
    async with asyncio.timeout(10):
        while not done():
            cluster.changed.clear()
            await cluster.changed.wait()


def watching(server: ApiServer, namespaces: tuple[str, ...], look: Any, ping: float = 5.0) -> None:
    async def run() -> None:
        connection = Connection(Endpoint(host="http://api.test"), transport=server)
        cluster = Cluster(Reader(connection), namespaces, time.time, ping)
        task = asyncio.create_task(cluster.run())
        try:
            await until(cluster, lambda: cluster.listed and cluster.states()[0].at)
            await look(cluster)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connection.aclose()

    asyncio.run(run())


def test_a_cluster_without_argo_rollouts_still_has_deployments(objects: Any) -> None:
    async def look(cluster: Cluster) -> None:
        assert [one.phase for one in cluster.rollouts()] == [Phase.HEALTHY]
        state = cluster.states()[0]
        assert state.error == ""
        assert state.detail.startswith("absent: ")
        assert "rollouts" in state.detail

    server = ApiServer(lists(objects))
    watching(server, (), look)
    assert server.methods == {"GET"}


def test_one_forbidden_namespace_is_said_and_the_other_is_shown(objects: Any) -> None:
    both = lists(objects, "/namespaces/shop") | lists(objects, "/namespaces/secret")

    async def look(cluster: Cluster) -> None:
        assert len(cluster.rollouts()) == 1
        assert "wall needs list on" in cluster.states()[0].error

    watching(ApiServer(both, refused=("/secret/",)), ("shop", "secret"), look)


def test_an_api_server_that_goes_away_makes_the_picture_old_not_empty(objects: Any) -> None:
    server = ApiServer(lists(objects))

    async def look(cluster: Cluster) -> None:
        server.down = True
        await until(cluster, lambda: cluster.states()[0].error)
        assert "No answer from the API server api.test:80" in cluster.states()[0].error
        assert len(cluster.rollouts()) == 1
        server.down = False
        await until(cluster, lambda: not cluster.states()[0].error)

    watching(server, (), look, ping=0.01)


def test_a_right_that_is_taken_away_makes_the_picture_old(objects: Any) -> None:
    server = ApiServer(lists(objects))

    async def look(cluster: Cluster) -> None:
        server.refused = ("/deployments",)
        server.cut.set()
        await until(cluster, lambda: "wall needs" in cluster.states()[0].error)
        first = cluster.states()[0].at
        assert len(cluster.rollouts()) == 1
        for _ in range(5):
            cluster.changed.clear()
            await cluster.changed.wait()
        assert cluster.states()[0].at == first, "a frozen picture must not look alive"
        server.refused = ()
        await until(cluster, lambda: not cluster.states()[0].error)
        assert (cluster.states()[0].at or 0.0) > (first or 0.0)

    watching(server, (), look, ping=0.01)


def test_a_broken_object_is_counted_and_left_out(objects: Any) -> None:
    odd = lists(objects)
    odd["/apis/apps/v1/deployments"].append({"metadata": objects.meta("odd"), "spec": {"replicas": "many"}})

    async def look(cluster: Cluster) -> None:
        assert len(cluster.rollouts()) == 1
        assert "unreadable: 1" in cluster.states()[0].detail

    watching(ApiServer(odd), (), look)


def test_an_object_keeps_only_what_is_needed(objects: Any) -> None:
    kept = msgspec.json.encode(
        objects.deployment(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"})
    )
    assert b"last-applied" not in kept
    assert b"managedFields" not in kept
