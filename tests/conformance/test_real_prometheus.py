"""The simulated Prometheus beside a real one that scraped the very same samples.

A real Prometheus (Debian's package) scrapes three small pages for some twenty seconds, once for all tests. What it
stored is read back raw and loaded into our store; then both answer every query of `queries.promql` and must agree.
Its raw answers show no staleness markers: they are put back where a scrape of the page lacked the series.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from opsroom.simulator.prometheus import exposition
from opsroom.simulator.prometheus.http import prometheus_app
from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.scrape import Scraper
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.quality import Fault, Quality
from opsroom.simulator.traffic.service import draw_service
from opsroom.simulator.traffic.traffic import Traffic

SCRAPES = 17
LOOKBACK = 6
PAGES = ("services", "odd", "flaky")
QUERIES = [
    line
    for line in (Path(__file__).parent / "queries.promql").read_text().splitlines()
    if line and not line.startswith("#")
]
PROMETHEUS = shutil.which("prometheus")
pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus binary on PATH")


def odd_page(n: int) -> str:
    """Counters that reset, pause and start late; gauges with every kind of float; histograms with every flaw."""
    lines = [f"counter_plain {5 * n}", f"counter_reset {n % 7 * 3 + 1}", "counter_flat 42"]
    lines += [f"counter_zero_start {max(0, n - 3) * 2}", f"gauge_neg {-n / 3}", f"gauge_wave {math.sin(n) * 3}"]
    lines += [f"gauge_nan {'NaN' if n % 4 == 0 else n}", f"gauge_inf {('+Inf', '-Inf', '7')[n % 3]}"]
    lines += ["gauge_part 0.75", f"tiny {n * 1e-7}", f"huge {n * 3e21}", f"tenths {n * 0.1}"]
    lines += [f"counter_gap {n * n}"] if not 5 <= n <= 8 else []
    lines += [f"counter_late {n * 4}"] if n >= 10 else []
    lines += ["counter_once 9"] if n == 4 else []
    lines += [r'odd_label{text="a\"b\\c\nd"} 1', f'odd_label{{text="grün <&>"}} {n}']
    for p, pod in enumerate(("a", "b", "c")):
        for c, code in enumerate((200, 500)):
            lines += [f'requests{{pod="{pod}",code="{code}"}} {n * (p + 1) + c * 10 + p * 0.3}']
        lines += [f'weight{{pod="{pod}",zone="z{p}"}} {p}'] if pod != "c" else []
    histograms = {
        "plain": (("0.1", 2), ("0.5", 5), ("1", 9), ("+Inf", 10)),
        "empty": (("0.1", 0), ("+Inf", 0)),
        "no_inf": (("0.1", 1), ("0.5", 2)),
        "only_inf": (("+Inf", 3),),
        "negative": (("-1", 1), ("0", 3), ("2", 4), ("+Inf", 4)),
        "falling": (("0.1", 5), ("0.5", 3), ("1", 7), ("+Inf", 6)),
        "twice": (("1", 2), ("1.0", 3), ("2", 6), ("+Inf", 8)),
        "bad": (("x", 2), ("1", 3), ("+Inf", 8)),
    }
    for kind, buckets in histograms.items():
        lines += [f'h_bucket{{kind="{kind}",le="{le}"}} {count * n}' for le, count in buckets]
    return "\n".join([*lines, ""])


def services_pages() -> list[str]:
    """What simulated services expose, a canary that crashes and a pod that goes among them."""
    traffic, rng = Traffic(seed=7), np.random.default_rng(7)
    for name in ("cart", "search"):
        traffic.add_service("shop", name, draw_service(rng, rate=300.0))
    traffic.add_version("new", Quality(Fault.CRASH_LOOP, onset=3.0, duration=4.0))
    names = (("cart", "old", 3, 0.3), ("cart", "new", 1, 0.1), ("search", "older", 2, 0.5))
    pods = [
        Pod("shop", f"{service}-{version}5f-{number}", service, version, share, ready=True, started=990.0)
        for service, version, many, share in names
        for number in range(many)
    ]
    steps = (traffic.step(1000.0 + n, pods if n < 9 else pods[1:]) for n in range(SCRAPES + 20))
    return [exposition.text(step) for step in steps]


class Pages(ThreadingHTTPServer):
    """Serves the next version of each page at each scrape and knows when there were enough."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.scrapes = dict.fromkeys(PAGES, 0)
        self.services = services_pages()
        self.enough = threading.Event()


class Page(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        page = self.path.strip("/")
        n = self.server.scrapes[page]
        self.server.scrapes[page] = n + 1
        if min(self.server.scrapes.values()) > SCRAPES:
            self.server.enough.set()
        failing = page == "flaky" and n in (6, 7, 13)
        texts = {"odd": odd_page(n), "flaky": f"steady {n * 3}\n", "services": self.server.services[n]}
        body = texts[page].encode()
        self.send_response(500 if failing else 200)
        self.send_header("Content-Type", exposition.CONTENT_TYPE)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass
class Real:
    """The real Prometheus and the store that holds its samples."""

    address: str
    tsdb: Tsdb
    times: list[float]

    def ask(self, path: str, given: Mapping[str, str]) -> Answer:
        form = urllib.parse.urlencode(given)
        by_get = path.startswith("label/")
        address = f"{self.address}/api/v1/{path}" + (f"?{form}" if by_get else "")
        request = urllib.request.Request(address, data=None if by_get else form.encode())  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as failure:
            with failure:
                return Answer(failure.code, json.load(failure))


def config(folder: Path, port: int) -> Path:
    jobs = [
        {
            "job_name": page,
            "honor_labels": True,
            "metrics_path": f"/{page}",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"page": page}}],
        }
        for page in PAGES
    ]
    path = folder / "prometheus.yml"
    path.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}))
    return path


def loaded(tsdb: Tsdb, series: list[Any]) -> list[float]:
    """Load raw series, markers put back; returns the times of the odd page's scrapes."""
    scrapes: dict[str, list[float]] = {}
    for one in series:
        if one["metric"]["__name__"] == "scrape_duration_seconds":
            scrapes[one["metric"]["page"]] = [t for t, _ in one["values"]]
    rows: dict[float, dict[int, float]] = {}
    endings: dict[float, list[int]] = {}
    for one in series:
        number = tsdb.series(one["metric"])
        there = {t: float(value) for t, value in one["values"]}
        was_there = False
        for t in scrapes[one["metric"]["page"]]:
            if t in there:
                rows.setdefault(t, {})[number] = there[t]
            elif was_there:
                endings.setdefault(t, []).append(number)
            was_there = t in there
    for t in sorted({*rows, *endings}):
        row = rows.get(t, {})
        tsdb.append_batch(np.array(list(row), dtype=np.int64), t, np.array(list(row.values())))
        tsdb.mark_stale(np.array(endings.get(t, []), dtype=np.int64), t)
    return scrapes["odd"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("prometheus")
    pages = Pages()
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [
        *(str(PROMETHEUS), f"--config.file={config(folder, pages.server_address[1])}"),
        *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"),
        *(f"--query.lookback-delta={LOOKBACK}s", "--log.level=error"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
    try:
        assert pages.enough.wait(60), (folder / "log").read_text()
        found = Real(f"http://127.0.0.1:{port}", Tsdb(), [])
        raw = found.ask("query", {"query": '{__name__=~".+"}[120s]'})
        # Scrapes go on while the tests run, so nothing after the newest complete second is asked for.
        found.times = loaded(found.tsdb, raw.body["data"]["result"])[:-2]
        yield found
    finally:
        process.terminate()
        process.wait(20)
        pages.shutdown()
        pages.server_close()


def ours(real: Real, asked: list[tuple[str, dict[str, str]]]) -> list[Answer]:
    """What the simulated Prometheus answers to the same requests."""
    engine = Engine(real.tsdb, lookback_seconds=LOOKBACK)
    app = prometheus_app(engine, Scraper(real.tsdb), now=lambda: real.times[-1])

    async def ask_all() -> list[Answer]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sim") as client:
            answers = [
                await client.get(f"/api/v1/{path}", params=given)
                if path.startswith("label/")
                else await client.post(f"/api/v1/{path}", data=given)
                for path, given in asked
            ]
        return [Answer(answer.status_code, answer.json()) for answer in answers]

    return asyncio.run(ask_all())


def moments(real: Real) -> list[dict[str, str]]:
    """Instants on, just beside and between samples, early and late."""
    chosen = [real.times[n] for n in (1, 7, 11, 13)]
    shifted = [t + shift for t in chosen for shift in (0.0, 0.001, -0.001, 0.4)]
    return [{"time": f"{t:.3f}"} for t in (*shifted, real.times[-1])]


def spans(real: Real) -> list[dict[str, str]]:
    first, last = real.times[0], real.times[-1]
    return [
        {"start": f"{first - 2:.3f}", "end": f"{last:.3f}", "step": "1"},
        {"start": f"{first:.3f}", "end": f"{last:.3f}", "step": "700ms"},
        {"start": f"{real.times[9]:.3f}", "end": f"{real.times[9]:.3f}", "step": "3s"},
    ]


def disagreement(theirs: Answer, own: Answer, in_order: bool) -> str:
    """What differs between two answers, empty if nothing."""
    if theirs.status != own.status or theirs.body["status"] != own.body["status"]:
        return f"{theirs.status} {theirs.body} != {own.status} {own.body}"
    if theirs.body["status"] == "error":
        return "" if same_error(theirs.body, own.body) else f"{theirs.body} != {own.body}"
    left, right = theirs.body["data"], own.body["data"]
    if left["resultType"] != right["resultType"]:
        return f"{left['resultType']} != {right['resultType']}"
    if left["resultType"] in ("scalar", "string"):
        return "" if near([left["result"]], [right["result"]]) else f"{left} != {right}"
    names = [json.dumps(one["metric"], sort_keys=True) for one in left["result"]]
    own_names = [json.dumps(one["metric"], sort_keys=True) for one in right["result"]]
    if (names if in_order else sorted(names)) != (own_names if in_order else sorted(own_names)):
        return f"series {names} != {own_names}"
    values = dict(zip(own_names, map(points, right["result"]), strict=True))
    for name, one in zip(names, left["result"], strict=True):
        if not near(points(one), values[name]):
            return f"{name}: {points(one)} != {values[name]}"
    return ""


def points(one: Any) -> list[Any]:
    found: list[Any] = [one["value"]] if "value" in one else one["values"]
    return found


def near(left: list[Any], right: list[Any]) -> bool:
    """Equal times, values equal up to the last digits; equal numbers are written alike."""
    return len(left) == len(right) and all(
        t == own_t and (text == own_text or close(text, own_text))
        for (t, text), (own_t, own_text) in zip(left, right, strict=True)
    )


def close(text: str, own_text: str) -> bool:
    one, other = float(text), float(own_text)
    return one != other and math.isclose(one, other, rel_tol=1e-11, abs_tol=1e-11)


def same_error(theirs: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """The kind always, the words too except for the parser's and the names of matched series."""
    words, own_words = theirs["error"], own["error"]
    for loose in ("parse error", "found duplicate series", "multiple matches"):
        if loose in words:
            return theirs["errorType"] == own["errorType"] and loose in own_words
    return dict(theirs) == dict(own)


def test_every_query_answers_as_the_real_one_at_one_moment(real: Real) -> None:
    asked = [("query", {"query": query, **moment}) for query in QUERIES for moment in moments(real)]
    assert_agreement(real, asked)


def test_the_products_queries_have_something_to_compare(real: Real) -> None:
    product = QUERIES[: QUERIES.index("up")]
    asked = [("query", {"query": query, "time": f"{real.times[9]:.3f}"}) for query in product]
    answers = zip(product, ours(real, asked), strict=True)
    empty = [query for query, own in answers if not own.body["data"]["result"]]
    assert len(product) > 10
    assert empty == []


def test_every_query_answers_as_the_real_one_over_a_range(real: Real) -> None:
    asked = [("query_range", {"query": query, **span}) for query in QUERIES for span in spans(real)]
    assert_agreement(real, asked)


def assert_agreement(real: Real, asked: list[tuple[str, dict[str, str]]]) -> None:
    assert len(asked) > 100
    found: dict[str, str] = {}
    for (path, given), own in zip(asked, ours(real, asked), strict=True):
        ordered = path == "query_range" or given["query"].startswith("sort")
        difference = disagreement(real.ask(path, given), own, ordered)
        if difference:
            found.setdefault(given["query"], f"{given}: {difference}"[:700])
    assert not found, "\n".join([f"{len(found)} queries differ", *found.values()])


BAD_PARAMETERS: list[tuple[str, dict[str, str]]] = [
    ("query", {}),
    ("query", {"query": "up", "time": "yesterday"}),
    ("query", {"query": "up", "timeout": "soon"}),
    ("query_range", {"query": "up"}),
    ("query_range", {"query": "up", "start": "1", "end": "0", "step": "1"}),
    ("query_range", {"query": "up", "start": "1", "end": "2", "step": "0"}),
    ("query_range", {"query": "up", "start": "1", "end": "2", "step": "-1"}),
    ("query_range", {"query": "up", "start": "1", "end": "2", "step": "x"}),
    ("query_range", {"query": "up", "start": "1", "end": "2", "step": ""}),
    ("query_range", {"query": "up", "start": "0", "end": "11002", "step": "1"}),
    ("query_range", {"query": "up", "start": "0", "end": "11000", "step": "1"}),
    (
        "query_range",
        {"query": "1", "start": "1970-01-01T00:00:01Z", "end": "1970-01-01T01:00:03.5+01:00", "step": "1s"},
    ),
    ("series", {}),
    ("series", {"match[]": "{"}),
    ("series", {"match[]": "requests"}),
    ("series", {"match[]": '{__name__=~"counter_.+"}'}),
    ("labels", {"match[]": "requests"}),
    ("labels", {}),
    ("labels", {"match[]": "up{"}),
    ("label/pod/values", {}),
    ("label/pod/values", {"match[]": "weight"}),
    ("label/nothing/values", {}),
    ("label/bad-name/values", {}),
]


def test_parameters_are_refused_and_listings_made_as_the_real_one_does(real: Real) -> None:
    for (path, given), own in zip(BAD_PARAMETERS, ours(real, BAD_PARAMETERS), strict=True):
        theirs = real.ask(path, given)
        if theirs.body["status"] == "error" or isinstance(theirs.body["data"], dict):
            assert disagreement(theirs, own, in_order=True) == "", given
        else:
            assert sorted(map(str, theirs.body["data"])) == sorted(map(str, own.body["data"])), given
