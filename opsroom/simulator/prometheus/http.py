"""The Prometheus HTTP API over the store, as a Starlette application.

Source: Prometheus documentation "HTTP API" and web/api/v1/api.go (2.42): parameters, their order of checking, error
bodies and statuses. Handlers run on the event loop, so that a scrape never changes the store in the middle of a query.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from opsroom.simulator.prometheus import exposition, render
from opsroom.simulator.prometheus.catalogue import Catalogue
from opsroom.simulator.prometheus.durations import duration_ms, time_ms
from opsroom.simulator.prometheus.failures import BadData, QueryError
from opsroom.simulator.prometheus.promql import DEFAULT_TIMEOUT, Engine
from opsroom.simulator.prometheus.scrape import Scraper

MOST_POINTS = 11_000
Parameters = dict[str, list[str]]
Answer = Callable[[Parameters], str]


class PrometheusApi:
    """The handlers. `now` gives seconds since the epoch."""

    def __init__(self, engine: Engine, scraper: Scraper, now: Callable[[], float]) -> None:
        self._engine = engine
        self._scraper = scraper
        self._now = now
        self._catalogue = Catalogue(engine.tsdb, scraper, now())

    def routes(self) -> list[Route]:
        """All paths that are served."""
        both, get = ["GET", "POST"], ["GET"]
        catalogue = self._catalogue
        return [
            Route("/api/v1/query", self._answering(self.query), methods=both),
            Route("/api/v1/query_range", self._answering(self.query_range), methods=both),
            Route("/api/v1/series", self._answering(catalogue.series), methods=both),
            Route("/api/v1/labels", self._answering(catalogue.label_names), methods=both),
            Route("/api/v1/label/{name}/values", self._answering(catalogue.label_values), methods=get),
            Route("/api/v1/metadata", self._answering(catalogue.metadata), methods=get),
            Route("/api/v1/targets", self._answering(catalogue.targets), methods=get),
            Route("/api/v1/status/buildinfo", self._answering(catalogue.build), methods=get),
            Route("/api/v1/status/runtimeinfo", self._answering(catalogue.runtime), methods=get),
            Route("/metrics/services", self.expose, methods=get),
            Route("/-/healthy", _saying("Prometheus Server is Healthy.\n"), methods=get),
            Route("/-/ready", _saying("Prometheus Server is Ready.\n"), methods=get),
            Route("/", _saying("The simulated Prometheus of opsroom.\n"), methods=get),
        ]

    def query(self, given: Parameters) -> str:
        """The `data` of an instant query."""
        at = _time(given, "time", self._now())
        timeout = _timeout(given)
        return render.instant(self._engine.instant(_text(given, "query"), at, timeout), at)

    def query_range(self, given: Parameters) -> str:
        """The `data` of a range query."""
        start, end = _time(given, "start", None), _time(given, "end", None)
        if end < start:
            raise BadData('invalid parameter "end": end timestamp must not be before start time')
        step = _duration(given, "step")
        if step <= 0:
            raise BadData(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        if (end - start) // step > MOST_POINTS:
            raise BadData(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        timeout = _timeout(given)
        steps, value = self._engine.range(_text(given, "query"), start, end, step, timeout)
        return render.over_range(value, steps)

    async def expose(self, request: Request) -> Response:
        """The text format of what all services expose now."""
        last = self._scraper.last
        return Response("" if last is None else exposition.text(last), media_type=exposition.CONTENT_TYPE)

    def _answering(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = await _parameters(request)
            try:
                data = answer(given)
            except QueryError as failure:
                body = {"status": "error", "errorType": failure.kind, "error": str(failure)}
                return Response(json.dumps(body), failure.status, media_type="application/json")
            return Response(f'{{"status":"success","data":{data}}}', media_type="application/json")

        return endpoint


def prometheus_app(engine: Engine, scraper: Scraper, now: Callable[[], float]) -> Starlette:
    """The application to serve; see `PrometheusApi`."""
    return Starlette(routes=PrometheusApi(engine, scraper, now).routes())


async def _parameters(request: Request) -> Parameters:
    """Form values of a POST before those of the address, as Go merges them; path values by their names."""
    pairs: list[tuple[str, str]] = []
    if request.method == "POST":
        body = (await request.body()).decode("utf-8", "replace")
        pairs.extend(parse_qsl(body, keep_blank_values=True))
    pairs.extend(request.query_params.multi_items())
    given: Parameters = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    given.update({f"path:{name}": [str(value)] for name, value in request.path_params.items()})
    return given


def _saying(words: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(words)

    return endpoint


def _text(given: Parameters, name: str) -> str:
    return given.get(name, [""])[0]


def _time(given: Parameters, name: str, default: float | None) -> int:
    text = _text(given, name)
    if not text and default is not None:
        return round(default * 1000)
    try:
        return time_ms(text)
    except ValueError as cause:
        raise BadData(f'invalid parameter "{name}": {_odd_prefix(name)}{cause}') from cause


def _odd_prefix(name: str) -> str:
    # Only the moment of an instant query is refused with these words before the others.
    return "Invalid time value for 'time': " if name == "time" else ""


def _duration(given: Parameters, name: str) -> int:
    try:
        return duration_ms(_text(given, name))
    except ValueError as cause:
        raise BadData(f'invalid parameter "{name}": {cause}') from cause


def _timeout(given: Parameters) -> float:
    return min(_duration(given, "timeout") / 1000, DEFAULT_TIMEOUT) if _text(given, "timeout") else DEFAULT_TIMEOUT
