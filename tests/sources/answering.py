"""A Prometheus of canned answers and the one canary it is asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np

from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.sources.aligned import Aligned, Look
from opsroom.sources.presets import CPU
from opsroom.sources.prometheus import Metrics

NOW = 1_000_000.0
VECTOR = {"resultType": "vector", "result": []}
NAMES = frozenset({"http_requests_total", CPU, "up"})


class Catalog:
    """A Prometheus with these metrics, scraped each ``scrape`` seconds."""

    def __init__(
        self, names: frozenset[str] = NAMES, scrape: float = 1.0, labels: tuple[str, ...] = ("status",)
    ) -> None:
        self.found, self.scrape, self.label_names = names, scrape, frozenset({"namespace", "pod", *labels})
        self.samples = 9
        self.partial = ""
        self.asked: list[str] = []

    async def names(self) -> frozenset[str]:
        return self.found

    async def labels(self, metric: str) -> frozenset[str]:
        return self.label_names

    async def query(self, promql: str) -> list[Any]:
        self.asked.append(promql)
        if promql.startswith("topk"):
            return [{"metric": {"__name__": "http_requests_total", "pod": 'a"b'}, "value": [0, "1"]}]
        return [{"metric": {}, "values": [[n * self.scrape, "1"] for n in range(self.samples)]}]


class Prometheus(httpx.AsyncBaseTransport):
    """Answers every range query with 5.0 for both arms at each step, unless told otherwise."""

    def __init__(self, answer: Callable[[dict[str, str]], httpx.Response | Exception] | None = None) -> None:
        self.answer = answer
        self.asked: list[dict[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        form = dict(httpx.QueryParams(request.content.decode() or request.url.query.decode()))
        self.asked.append(form)
        answer = self.answer(form) if self.answer is not None else series(form)
        if isinstance(answer, Exception):
            raise answer
        return answer


def series(form: dict[str, str], value: str = "5") -> httpx.Response:
    start, end, step = (float(form[key]) for key in ("start", "end", "step"))
    times = np.arange(start, end + step / 2, step)
    result = [
        {"metric": {"namespace": "shop", "rs": f"checkout-{arm}"}, "values": [[at, value] for at in times]}
        for arm in ("old", "new")
    ]
    return httpx.Response(200, json={"status": "success", "data": {"resultType": "matrix", "result": result}})


def rollout() -> Rollout:
    return Rollout(
        uid=Uid("uid"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="shop",
        name="checkout",
        phase=Phase.PAUSED,
        stable=Revision(hash="old", replica_set="checkout-old", ready=1, restarts=1),
        canary=Revision(hash="new", replica_set="checkout-new", restarts=4),
    )


def looks(metrics: Metrics, *times: float, step: float = 2.0) -> list[Aligned]:
    async def look() -> list[Aligned]:
        found = [await metrics.fetch([rollout()], Look(at, step, 10)) for at in times]
        await metrics.aclose()
        return found

    return asyncio.run(look())


class Told(Metrics):
    """A source for which time goes on from look to look."""

    def __init__(self, *words: Any, **more: Any) -> None:
        self.at = 0.0
        super().__init__(*words, clock=lambda: self.at, **more)

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        self.at = look.now
        return await super().fetch(rollouts, look)


def metrics(server: Prometheus, catalog: Catalog | None = None, **more: Any) -> Metrics:
    return Told("http://prom.test:9090", transport=server, catalog=catalog or Catalog(), **more)
