"""Half an answer is not an answer: what Thanos, VictoriaMetrics and remote reads say beside their data is heard."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.sources.aligned import Aligned, Look
from opsroom.sources.answers import read_matrix
from opsroom.sources.asking import Address
from opsroom.sources.discovery import Official, Proxied, discover
from opsroom.sources.presets import CPU
from opsroom.sources.prometheus import Metrics
from opsroom.sources.queries import CPU_USAGE, LATENCY_P99
from tests.sources.answering import Told

NOW = 1_000_000.0
THANOS = "No StoreAPIs matched for this query"
ROLLOUT = Rollout(
    uid=Uid("uid"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="checkout",
    phase=Phase.PAUSED,
    stable=Revision(hash="old", replica_set="checkout-old", ready=1),
    canary=Revision(hash="new", replica_set="checkout-new"),
)


class Catalog:
    """A Prometheus with these metrics; ``away``: what it says of a store that is not there."""

    def __init__(self, *names: str, away: str = "") -> None:
        self.found, self.away, self.partial = names, away, ""

    async def names(self) -> frozenset[str]:
        self.partial = self.away
        return frozenset(self.found)

    async def labels(self, metric: str) -> frozenset[str]:
        return frozenset({"namespace", "pod", "status"})

    async def query(self, promql: str) -> list[Any]:
        raise AssertionError("the scrape interval is given")


class Stores(httpx.AsyncBaseTransport):
    """Answers every query; errors that nobody had have no series, and ``beside`` stands beside the data of errors."""

    def __init__(self, **beside: Any) -> None:
        self.beside = beside
        self.failed = False
        """Whether the canary's pods have failed requests, and the store that knows it is there."""
        self.asked: list[tuple[str, float, float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        form = dict(httpx.QueryParams(request.content.decode()))
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        self.asked.append((form["query"], start, end))
        errors = "status=~" in form["query"]
        arms = (["new"] if self.failed else []) if errors else ["old", "new"]
        times = np.arange(start, end + step / 2, step)
        result = [
            {"metric": {"namespace": "shop", "rs": f"checkout-{arm}"}, "values": [[at, "5"] for at in times]}
            for arm in arms
        ]
        answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return httpx.Response(200, json=answer | (self.beside if errors else {}))


def source(stores: Stores, *catalog: Catalog) -> Metrics:
    named = catalog[0] if catalog else Catalog("http_requests_total")
    return Told("http://thanos.test", transport=stores, catalog=named, scrape=1.0)


def look(metrics: Metrics, at: float) -> Aligned:
    async def once() -> Aligned:
        try:
            return await metrics.fetch([ROLLOUT], Look(at, 2.0, 10))
        finally:
            await metrics.aclose()

    return asyncio.run(once())


PARTIAL = [{"warnings": [THANOS]}, {"warnings": ["\x1b[2J" + THANOS, "more"]}, {"isPartial": True}, {"warnings": [""]}]
WHOLE: list[dict[str, Any]] = [
    {},
    {"warnings": []},
    {"warnings": None, "isPartial": False},
    {"infos": ["PromQL info: metric might not be a counter"]},
]


@pytest.mark.parametrize("beside", PARTIAL)
def test_an_error_series_that_a_store_did_not_give_is_unknown_and_not_zero(beside: dict[str, Any]) -> None:
    metrics = source(Stores(**beside))
    found = look(metrics, NOW)
    assert np.isfinite(found.requests[1]).all()
    assert np.isnan(found.errors[1]).all()
    assert np.isnan(found.errors[0]).all()
    (state,) = metrics.states()
    assert state.error.startswith("Partial answer from Prometheus at thanos.test (errors): ")
    assert state.error.endswith(". Nothing is promoted until it is whole")
    assert state.error.isprintable()
    assert state.at is None, "half an answer is not fresh"


@pytest.mark.parametrize("beside", WHOLE)
def test_an_answer_without_warnings_is_whole_and_silence_in_it_is_zero(beside: dict[str, Any]) -> None:
    metrics = source(Stores(**beside))
    assert (look(metrics, NOW).errors[1] == 0.0).all()
    assert (metrics.states()[0].error, metrics.states()[0].at) == ("", NOW)


def test_errors_that_are_seen_in_half_an_answer_count() -> None:
    stores = Stores(warnings=[THANOS])
    stores.failed = True
    found = look(source(stores), NOW)
    assert (found.metrics["error_rate"][1] == 1.0).all()
    assert np.isnan(found.metrics["error_rate"][0]).all()


def test_what_was_half_is_asked_for_again_once_answers_are_whole_and_not_before() -> None:
    stores = Stores(warnings=[THANOS])
    metrics = source(stores)
    spans: list[list[tuple[float, float]]] = []
    for at in (NOW, NOW + 2, NOW + 4, NOW + 6):
        if at == NOW + 4:
            stores.beside, stores.failed = {}, True
        found = look(metrics, at)
        spans.append([(end - start, end) for query, start, end in stores.asked if "status=~" in query])
        stores.asked.clear()
    first, second, healed, after = spans
    assert [length for length, _ in first] == [18.0]
    assert [length for length, _ in second] == [2.0], "the whole window is not asked for at each look"
    assert [length for length, _ in healed] == [2.0, 18.0]
    assert [length for length, _ in after] == [2.0]
    assert np.isfinite(found.errors[1]).all()
    assert (metrics.states()[0].error, metrics.states()[0].at) == ("", NOW + 6)


def test_warnings_that_are_no_list_are_garbage_and_no_whole_answer() -> None:
    metrics = source(Stores(warnings={"a": 1}))
    assert np.isnan(look(metrics, NOW).errors[1]).all()
    assert "cannot be understood" in metrics.states()[0].error


def test_a_metric_that_an_absent_store_has_is_not_taken_for_one_that_does_not_exist() -> None:
    metrics = source(Stores(), catalog := Catalog("http_requests_total", away=THANOS))
    look(metrics, NOW)
    assert metrics.states()[0].error.startswith("Partial answer from Prometheus at thanos.test (names of metrics)")
    catalog.found, catalog.away = ("http_requests_total", CPU), ""
    found = look(metrics, NOW + 60)
    assert CPU_USAGE in found.metrics
    assert metrics.states()[0].error == ""
    catalog.found, catalog.away = ("http_requests_total",), THANOS
    assert CPU_USAGE in look(metrics, NOW + 2000).metrics, "the plan of a better day serves on"
    assert metrics.states()[0].error == ""


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        names = ["http_requests_total", "namespace", "pod", "code"]
        body = json.dumps({"status": "success", "data": names, "warnings": [THANOS]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def thanos() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "catalog",
    [
        lambda url: Official(Address(url)),
        lambda url: Proxied(Reader(Connection(Endpoint(host=url))), ""),
    ],
    ids=["official client", "service proxy"],
)
def test_both_ways_of_asking_for_names_hear_the_warning(thanos: str, catalog: Callable[[str], Any]) -> None:
    plan = asyncio.run(discover(catalog(thanos), scrape=1.0))
    assert plan.partial == THANOS
    assert LATENCY_P99 in plan.queries((), 10.0)


def test_a_matrix_with_warnings_is_still_read() -> None:
    body = b'{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["a\\u0000b"],"infos":["x"]}'
    assert read_matrix(body).partial == "a b"
