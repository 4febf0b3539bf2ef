"""The HTTP API's own ways: parameters, forms of numbers, listings, the text format, errors on purpose."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest

from opsroom.simulator.prometheus.durations import duration_ms, time_ms
from opsroom.simulator.prometheus.http import prometheus_app
from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.render import number, timestamp
from opsroom.simulator.prometheus.scrape import Exposed, Scraper, Shape, Target
from opsroom.simulator.prometheus.tsdb import Tsdb

SHAPES = (Shape("up", "gauge", "app"), Shape("hits_total", "counter", "app", (("code", "200"),)))
NOW = 1000.0


def exposed(pods: str, hits: float) -> Exposed:
    targets = tuple(Target("shop", pod, {"app": f"{pod}:80"}) for pod in pods)
    values = np.tile([1.0, hits], (len(pods), 1))
    return Exposed(SHAPES, targets, values, np.ones(values.shape, dtype=np.bool_))


def scraper() -> tuple[Tsdb, Scraper]:
    tsdb = Tsdb()
    scraping = Scraper(tsdb)
    for second in range(10):
        scraping.scrape(NOW - 9 + second, exposed("ab" if second < 7 else "a", 3.0 * second))
    return tsdb, scraping


def call(method: str, path: str, **given: Any) -> httpx.Response:
    tsdb, scraping = scraper()
    app = prometheus_app(Engine(tsdb), scraping, lambda: NOW)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sim") as client:
            return await client.request(method, path, **given)

    return asyncio.run(send())


def data(path: str, **params: str) -> Any:
    answer = call("GET", path, params={name.replace("match", "match[]"): value for name, value in params.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_query_is_answered_alike_by_get_and_by_post() -> None:
    query = 'sum(rate(hits_total{pod="a"}[5s]))'
    by_get = call("GET", "/api/v1/query", params={"query": query})
    by_post = call("POST", "/api/v1/query", data={"query": query})
    assert by_get.content == by_post.content
    assert by_get.json()["data"] == {"resultType": "vector", "result": [{"metric": {}, "value": [1000, "3"]}]}


def test_a_target_that_went_is_gone_at_once() -> None:
    pods = [one["metric"]["pod"] for one in data("/api/v1/query", query="up")["result"]]
    assert pods == ["a"]
    before = data("/api/v1/query", query="up", time=str(NOW - 4))["result"]
    assert [one["metric"]["pod"] for one in before] == ["a", "b"]


def test_a_range_query_gives_its_series_in_order_with_the_steps_they_have() -> None:
    answer = data("/api/v1/query_range", query="hits_total", start="996", end="1000", step="2")
    assert answer["resultType"] == "matrix"
    assert [one["metric"]["pod"] for one in answer["result"]] == ["a", "b"]
    assert answer["result"][0]["values"] == [[996, "15"], [998, "21"], [1000, "27"]]
    assert answer["result"][1]["values"] == [[996, "15"]]


@pytest.mark.parametrize(
    ("query", "status", "kind", "word"),
    [
        ("sum(", 400, "bad_data", "parse error"),
        ("deriv(up[5s])", 422, "execution", "deriv"),
        ("up * on () up", 422, "execution", "many-to-many"),
    ],
)
def test_errors_have_their_kind_and_status(query: str, status: int, kind: str, word: str) -> None:
    answer = call("GET", "/api/v1/query", params={"query": query, "time": str(NOW - 4)})
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert answer.json()["errorType"] == kind
    assert word in answer.json()["error"]


def test_a_query_without_the_time_it_takes_is_answered_503() -> None:
    answer = call("GET", "/api/v1/query", params={"query": "up", "timeout": "0s"})
    assert answer.status_code == 503
    assert answer.json()["errorType"] == "timeout"


def test_listings_name_what_is_there() -> None:
    labels = {"__name__", "code", "instance", "job", "namespace", "pod"}
    assert set(data("/api/v1/labels")) == labels
    assert data("/api/v1/label/pod/values") == ["a", "b"]
    assert data("/api/v1/label/__name__/values", match='{pod="b"}') == ["hits_total", "up"]
    assert [row["pod"] for row in data("/api/v1/series", match="up")] == ["a", "b"]
    assert data("/api/v1/series", match="up", start="999", end="1000")[0]["pod"] == "a"
    assert data("/api/v1/metadata") == {"hits_total": [{"type": "counter", "help": "", "unit": ""}]}
    assert data("/api/v1/status/buildinfo")["version"] == "2.42.0"
    assert data("/api/v1/status/runtimeinfo")["storageRetention"] == "2400s"


def test_targets_are_the_pods_of_the_last_scrape() -> None:
    active = data("/api/v1/targets")["activeTargets"]
    assert [(one["labels"]["pod"], one["health"], one["scrapePool"]) for one in active] == [("a", "up", "app")]


def test_the_text_format_shows_the_last_scrape_and_leaves_up_to_the_scraper() -> None:
    assert call("GET", "/metrics/services").text == (
        '# TYPE hits_total counter\nhits_total{code="200",instance="a:80",job="app",namespace="shop",pod="a"} 27\n'
    )


def test_it_says_that_it_is_well() -> None:
    assert call("GET", "/-/healthy").status_code == call("GET", "/-/ready").status_code == 200
    assert call("GET", "/api/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1e-7, "1e-07"),
        (1.5e-9, "1.5e-09"),
        (12345678901234567.0, "12345678901234568"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-2.5e30, "-2.5e+30"),
        (5e-324, "5e-324"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(value: float, text: str) -> None:
    assert number(value) == text


def test_times_and_durations_are_read_as_prometheus_reads_them() -> None:
    assert time_ms("1.5") == time_ms("1970-01-01T00:00:01.5Z") == time_ms("1970-01-01T02:00:01.500+02:00") == 1500
    assert [duration_ms(text) for text in ("15", "0.5", "1h30m", "100ms", "1d")] == [15000, 500, 5400000, 100, 86400000]
    for wrong in ("", "x", "1m1h", "1 s", "1_0", "5"[:0], "-1m"):
        with pytest.raises(ValueError, match="cannot parse"):
            duration_ms(wrong)
    for wrong in ("", "tomorrow", "2020-01-01", "NaN"):
        with pytest.raises(ValueError, match="valid timestamp"):
            time_ms(wrong)
    assert timestamp(1500) == "1.500"
    assert json.loads(timestamp(2000)) == 2
