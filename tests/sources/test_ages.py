"""No source may look newer than its data: an answer is as old as its question, and nothing at all is no news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec

from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.mirror import Mirror
from opsroom.kube.reader import Reader
from opsroom.sources.aligned import Look
from opsroom.sources.cluster import Cluster
from opsroom.sources.kinds import Deployment
from opsroom.sources.queries import Plan
from tests.sources.answering import Told

NOW = 1_000_000.0
ON_ITS_WAY = 20.0
"""Seconds for which the process stands still, or the machine sleeps, while an answer waits."""


class Slow(httpx.AsyncBaseTransport):
    """An API server with nothing in it; the clock goes on while each of its answers is on its way."""

    def __init__(self) -> None:
        self.now = NOW

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.now += ON_ITS_WAY
        if "watch" in request.url.params:
            return httpx.Response(200, stream=Silent(), request=request)
        listing = {"metadata": {"resourceVersion": "5"}, "items": []}
        return httpx.Response(200, json=listing, request=request)


class Silent(httpx.AsyncByteStream):
    """A watch in which nothing happens."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""


def test_the_api_server_is_as_fresh_as_the_last_question_it_answered() -> None:
    async def run() -> None:
        server = Slow()
        async with Connection(Endpoint(host="http://api.test"), transport=server) as connection:
            cluster = Cluster(Reader(connection), (), lambda: server.now)
            proving = asyncio.ensure_future(cluster._prove())
            await cluster.changed.wait()
            proving.cancel()
            assert cluster.states()[0].at == NOW

    asyncio.run(run())


def test_a_copy_is_as_fresh_as_the_last_list_or_watch_that_was_asked_for() -> None:
    async def run() -> None:
        server, ages = Slow(), list[float | None]()
        async with Connection(Endpoint(host="http://api.test"), transport=server) as connection:
            mirror = Mirror(
                Reader(connection), "/apis/apps/v1/deployments", Deployment, lambda *_: None, clock=lambda: server.now
            )
            heard, both = mirror._heard, asyncio.Event()

            def hear(at: float) -> None:
                heard(at)
                ages.append(mirror.at)
                if len(ages) == 2:
                    both.set()

            mirror._heard = hear  # type: ignore[method-assign]
            running = asyncio.ensure_future(mirror.run())
            await both.wait()
            running.cancel()
        assert ages == [NOW, NOW + ON_ITS_WAY]

    asyncio.run(run())


class Emptied(httpx.AsyncBaseTransport):
    """A Prometheus that has one series, or none."""

    def __init__(self) -> None:
        self.series: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = {"status": "success", "data": {"resultType": "matrix", "result": self.series}}
        return httpx.Response(200, content=msgspec.json.encode(body))


def test_a_prometheus_that_has_lost_all_it_had_is_told_and_grows_old_until_something_is_there_again() -> None:
    async def run() -> None:
        server = Emptied()
        metrics = Told("http://prom.test", transport=server)
        metrics._plan, metrics._plan_due = (
            Plan(preset=None, metrics=frozenset(), custom={"requests": "up"}),
            NOW + 600.0,
        )
        have = [{"metric": {"namespace": "shop", "rs": "cart-1"}, "values": [[NOW, "1"]]}]
        seen = []
        for turn, server.series in enumerate(([], have, [], [], have)):
            await metrics.fetch((), Look(NOW + turn, 2.0, 30))
            state = metrics.states()[0]
            seen.append((state.at, "has lost every series" in state.error))
        await metrics.aclose()
        # A Prometheus that never had any may rightly have none: there is nothing that could be old.
        assert seen == [(NOW, False), (NOW + 1, False), (NOW + 1, True), (NOW + 1, True), (NOW + 4, False)]

    asyncio.run(run())
