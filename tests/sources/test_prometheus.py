"""The metrics source over canned answers: what is asked, and what becomes of every way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import promql_parser
import pytest

from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.sources.aligned import Aligned, Look
from opsroom.sources.asking import authorization
from opsroom.sources.discovery import NoRequests, discover
from opsroom.sources.presets import CPU, MEMORY, PRESETS, RESTARTS, fitted
from opsroom.sources.prometheus import Metrics
from opsroom.sources.queries import LATENCY_P99, REQUESTS, RESTART_COUNT, Plan, all_queries

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


def metrics(server: Prometheus, catalog: Catalog | None = None, **more: Any) -> Metrics:
    return Metrics("http://prom.test:9090", transport=server, catalog=catalog or Catalog(), **more)


def spans(server: Prometheus, metric: str) -> list[tuple[float, float]]:
    return [(float(one["start"]), float(one["end"])) for one in server.asked if metric in one["query"]]


def test_one_query_a_metric_and_only_the_newest_steps_after_the_first_look() -> None:
    server = Prometheus()
    found = looks(metrics(server), NOW, NOW + 2, NOW + 2.5, NOW + 4)
    assert len(server.asked) == 4 * 6
    # A scrape (1 s) and as long again: the newest closed step ends 2 s ago.
    assert spans(server, "0.99") == [
        (NOW - 20, NOW - 2),
        (NOW - 2, NOW),
        (NOW - 2, NOW),
        (NOW, NOW + 2),
    ]
    assert (found[-1].metrics[LATENCY_P99][1] == 5000.0).all()
    assert (found[-1].times == np.arange(NOW - 16, NOW + 3, 2)).all()


def test_counts_are_of_one_step() -> None:
    server = Prometheus()
    found = looks(metrics(server), NOW)[0]
    assert "[2990ms]" in next(one["query"] for one in server.asked if "increase" in one["query"])
    np.testing.assert_allclose(found.requests[1], 5 * 2 / 2.99)


def test_restarts_come_from_the_pods_where_prometheus_has_none() -> None:
    found = looks(metrics(Prometheus()), NOW, NOW + 2)[-1]
    assert list(found.metrics[RESTART_COUNT][1][0, -2:]) == [4.0, 4.0]
    assert list(found.metrics[RESTART_COUNT][0][0, -2:]) == [1.0, 1.0]


def test_what_was_missed_is_asked_for_again() -> None:
    down: list[bool] = []
    server = Prometheus(lambda form: httpx.ConnectError("refused") if down else series(form))
    source = metrics(server)
    looks(source, NOW)
    down.append(True)
    gap = looks(source, NOW + 2)[0]
    assert np.isnan(gap.metrics[LATENCY_P99][1][0, -1])
    assert source.states()[0].at == NOW
    down.clear()
    healed = looks(source, NOW + 8)[0]
    assert not np.isnan(healed.metrics[LATENCY_P99][1]).any()
    assert spans(server, "0.99")[-1] == (NOW, NOW + 6)
    assert source.states()[0].error == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.ConnectError("refused"), "No answer from Prometheus at prom.test:9090 (refused)"),
        (httpx.ReadTimeout(""), "No answer from Prometheus at prom.test:9090 (ReadTimeout)"),
        (httpx.Response(200, text="<html>login</html>"), "cannot be understood"),
        (httpx.Response(200, content=b"\xff\xfe"), "cannot be understood"),
        (
            httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": []}}),
            "not a matrix",
        ),
        (httpx.Response(200, json={"status": "success"}), "holds no data"),
        (httpx.Response(401, text="no"), "does not accept our credentials"),
        (httpx.Response(400, json={"status": "error", "error": "parse \x1berror"}), "(HTTP 400): parse error"),
        (httpx.Response(503, text="<html>"), "(HTTP 503)"),
    ],
)
def test_every_failure_is_a_sentence_and_gaps(answer: httpx.Response | Exception, words: str) -> None:
    source = metrics(Prometheus(lambda form: answer))
    found = looks(source, NOW)[0]
    state = source.states()[0]
    assert words in state.error
    assert state.at is None
    assert np.isnan(found.requests[1]).all()
    assert np.isnan(found.errors[1]).all()
    assert found.uids == ("uid",)


def test_a_slow_prometheus_is_said_to_be_slow_and_left_in_peace_for_a_while() -> None:
    class Slow(httpx.AsyncBaseTransport):
        asked = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.asked += 1
            await asyncio.Event().wait()
            raise AssertionError

    slow = Slow()
    source = Metrics("http://prom.test", transport=slow, catalog=Catalog(), seconds=0.05)
    looks(source, NOW, NOW + 1)
    assert "did not answer within 0.05 s" in source.states()[0].error
    assert slow.asked == 6


def test_a_proxy_that_allows_only_get_is_asked_by_get() -> None:
    methods: list[str] = []

    class GetOnly(Prometheus):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            methods.append(request.method)
            if request.method == "POST":
                return httpx.Response(405)
            return await super().handle_async_request(request)

    source = metrics(GetOnly())
    assert np.isfinite(looks(source, NOW, NOW + 2)[1].requests[1]).all()
    assert methods[-5:] == ["GET"] * 5


@pytest.mark.parametrize("values", ['[["x","y"]]', "[[1]]", "7", '[[1,"2"],[3,"4"],5]', "{}", '[[1,"2 3"]]'])
def test_values_that_are_no_numbers_are_garbage(values: str) -> None:
    result = '[{"metric":{"rs":"a"},"values":' + values + "}]"
    text = '{"status":"success","data":{"resultType":"matrix","result":' + result + "}}"
    source = metrics(Prometheus(lambda form: httpx.Response(200, text=text)))
    assert np.isnan(looks(source, NOW)[0].requests[0]).all()
    assert "cannot be understood" in source.states()[0].error


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_no_number_is_a_gap(value: str) -> None:
    source = metrics(Prometheus(lambda form: series(form, value)))
    assert np.isnan(looks(source, NOW)[0].metrics[LATENCY_P99][1]).all()
    assert source.states()[0].error == ""


def test_an_empty_answer_is_no_error() -> None:
    empty = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    source = metrics(Prometheus(lambda form: httpx.Response(200, json=empty)))
    assert np.isnan(looks(source, NOW)[0].requests[0]).all()
    assert source.states()[0].error == ""


def test_one_refused_query_leaves_the_others_and_no_false_zero() -> None:
    def answer(form: dict[str, str]) -> httpx.Response:
        if "status=~" in form["query"]:
            return httpx.Response(422, json={"status": "error", "error": "found duplicate series"})
        return series(form)

    source = metrics(Prometheus(answer))
    found = looks(source, NOW)[0]
    assert np.isfinite(found.requests[1]).all()
    assert np.isnan(found.errors[1]).all()
    assert "errors (HTTP 422): found duplicate series" in source.states()[0].error
    assert source.states()[0].at is None


def test_no_known_metric_says_what_to_configure() -> None:
    source = metrics(Prometheus(), Catalog(frozenset({"up"})))
    found = looks(source, NOW)[0]
    assert "http_requests_total" in source.states()[0].error
    assert "[prometheus.queries]" in source.states()[0].error
    assert found.requests[0].shape == (1, 10)


def test_the_official_client_finds_nobody() -> None:
    source = Metrics("http://anna:s3cret@127.0.0.1:9", seconds=1.0)
    looks(source, NOW)
    error = source.states()[0].error
    assert error.startswith("No answer from Prometheus at 127.0.0.1:9 ([Errno 111] Connection refused)")
    assert "s3cret" not in error + repr(source)


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ("abc.DEF-1", {"Authorization": "Bearer abc.DEF-1"}),
        ("anna:s3:cret", {"Authorization": "Basic YW5uYTpzMzpjcmV0"}),
    ],
)
def test_a_secret_with_a_colon_is_a_user_and_a_password(secret: str, header: dict[str, str]) -> None:
    assert authorization(secret) == header


def test_custom_queries_win() -> None:
    server = Prometheus()
    own = {"queue_depth": "sum by (namespace, rs) (rate(depth[$window]))", REQUESTS: "my_requests[$step]"}
    found = looks(metrics(server, queries=own), NOW)[0]
    asked = [one["query"] for one in server.asked]
    assert "sum by (namespace, rs) (rate(depth[4s]))" in asked
    assert "my_requests[2s]" in asked
    assert (found.metrics["queue_depth"][1] == 5.0).all()


def test_prometheus_behind_the_api_servers_proxy_is_only_read() -> None:
    seen: list[tuple[str, str]] = []

    class ApiServer(Prometheus):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append((request.method, request.url.path))
            if request.url.path.endswith("/values"):
                return httpx.Response(200, json={"data": ["http_requests_total"]}, request=request)
            if request.url.path.endswith("/labels"):
                return httpx.Response(200, json={"data": ["code", "pod", "namespace"]}, request=request)
            return await super().handle_async_request(request)

    server = ApiServer()
    reader = Reader(Connection(Endpoint(host="http://api.test"), transport=server))
    source = Metrics("kube:monitoring/prometheus:9090", reader=reader, scrape=1.0)
    found = looks(source, NOW)[0]
    base = "/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/api/v1"
    assert {method for method, _ in seen} == {"GET"}
    assert (seen[0][1], seen[-1][1]) == (f"{base}/label/__name__/values", f"{base}/query_range")
    assert np.isfinite(found.requests[1]).all()
    assert source.states()[0].error == ""


def planned(catalog: Catalog, **more: Any) -> Plan:
    return asyncio.run(discover(catalog, **more))


def test_the_scrape_interval_is_measured_in_one_series() -> None:
    catalog = Catalog(scrape=30.0)
    plan = planned(catalog)
    assert (plan.scrape, plan.settled) == (30.0, True)
    assert catalog.asked[-1] == 'http_requests_total{pod="a\\"b"}[5m]'
    catalog.samples = 1
    assert not planned(catalog).settled


def test_labels_decide_how_codes_and_pods_are_called() -> None:
    plan = planned(Catalog(labels=("status", "exported_pod", "exported_namespace", "container")))
    assert plan.preset is not None
    assert (plan.preset.failed, plan.preset.arm, plan.preset.namespace) == (
        'status=~"5.."',
        "exported_pod",
        "exported_namespace",
    )
    assert plan.containers


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_a_preset_is_chosen_by_its_counter(preset: Any) -> None:
    plan = planned(Catalog(frozenset({preset.requests})))
    assert plan.preset is not None
    assert plan.preset.name == preset.name


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(NoRequests, match="no preset nope"):
        planned(Catalog(), preset="nope")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
@pytest.mark.parametrize("namespaces", [(), ("shop",), ("shop", "pay")])
def test_every_query_is_grouped_promql(preset: Any, namespaces: tuple[str, ...]) -> None:
    fit = fitted(preset, frozenset({"code", "namespace", "pod"}))
    plan = Plan(preset=fit, metrics=frozenset({CPU, MEMORY, RESTARTS}), scrape=15.0)
    for name, query in plan.queries(namespaces, 10.0).items():
        promql_parser.parse(query.promql)
        assert ", rs" in query.promql, name
        assert all(namespace in query.promql for namespace in namespaces)


def test_all_queries_of_the_default_preset_are_told() -> None:
    assert set(all_queries(("shop",))) == {
        "latency_p99",
        "latency_p50",
        "requests",
        "errors",
        "cpu_usage",
        "pods",
        "memory_bytes",
        "restarts",
    }


@pytest.mark.parametrize("namespaces", [(), ("shop", "pay")])
def test_every_query_we_send_is_held_to_a_real_prometheus(namespaces: tuple[str, ...]) -> None:
    held = (Path(__file__).parents[1] / "conformance" / "queries.promql").read_text().splitlines()
    assert set(all_queries(namespaces, 2.0, 1.0).values()) <= set(held)
