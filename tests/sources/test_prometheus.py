"""The metrics source over canned answers: what is asked, and what becomes of every way to fail."""

from __future__ import annotations

import asyncio

import httpx
import numpy as np
import pytest

from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.sources.aligned import Look
from opsroom.sources.asking import authorization
from opsroom.sources.prometheus import Metrics
from opsroom.sources.queries import LATENCY_P99, REQUESTS, RESTART_COUNT
from tests.sources.answering import NAMES, NOW, Catalog, Prometheus, looks, metrics, rollout, series


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


@pytest.mark.parametrize("silent", [False, True])
def test_what_to_ask_for_is_learned_again_as_soon_as_there_are_answers_again(silent: bool) -> None:
    async def scenario() -> list[str]:
        catalog, server = Catalog(), Prometheus()
        source = metrics(server, catalog)
        said = []

        async def look(at: float) -> None:
            await source.fetch([rollout()], Look(at, 2.0, 10))
            said.append(source.states()[0].error)

        await look(NOW)
        # The plan is due again while nothing is answered, and the rests grow.
        catalog.found = frozenset()
        server.answer = (lambda _form: httpx.ConnectError("away")) if silent else nothing
        for later in range(700, 734, 2):
            await look(NOW + later)
        catalog.found, server.answer = NAMES, None
        for later in range(734, 740, 2):
            await look(NOW + later)
        await source.aclose()
        return said

    first, *away, _, _, last = asyncio.run(scenario())
    assert all(away)
    assert (first, last) == ("", "")


def nothing(_form: dict[str, str]) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": {"resultType": "matrix", "result": []}})


def test_no_set_clock_makes_a_question_due_or_holds_one_back() -> None:
    async def scenario() -> list[int]:
        catalog, server, awake = Catalog(), Prometheus(lambda _form: httpx.ConnectError("away")), [0.0]
        source = Metrics("http://prom.test", transport=server, catalog=catalog, scrape=1.0, clock=lambda: awake[0])
        asked = []
        for seconds, wall in ((0.0, NOW), (1.0, NOW + 3600.0), (3.0, NOW + 3.0)):
            awake[0] = seconds
            await source.fetch([rollout()], Look(wall, 2.0, 10))
            asked.append(len(server.asked))
        await source.aclose()
        return asked

    first, ahead, back = asyncio.run(scenario())
    assert first == ahead < back
