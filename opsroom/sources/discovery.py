"""What a Prometheus has: metric names, labels, and how often it scrapes. Asked once, and again now and then.

Directly it is asked with the official ``prometheus-api-client`` (blocking, hence in a thread; imported only here and
only then); behind the API server's service proxy, which that client cannot speak to, with plain GETs.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import msgspec

from opsroom.domain.clean import clean
from opsroom.kube.reader import Reader
from opsroom.sources.answers import Beside
from opsroom.sources.asking import Address
from opsroom.sources.presets import CPU, MEMORY, PRESETS, RESTARTS, Preset, choose, fitted, preset_named
from opsroom.sources.queries import Plan

SCRAPE_DEFAULT = 15.0
LOOK_BACK = "5m"

T = TypeVar("T", bound=Beside)


class Catalog(Protocol):
    """The three questions."""

    partial: str
    """Why something may be missing in an answer since this was last emptied; empty: nothing is."""

    async def names(self) -> frozenset[str]:
        """All metric names."""

    async def labels(self, metric: str) -> frozenset[str]:
        """Label names of one metric."""

    async def query(self, promql: str) -> list[Any]:
        """``data.result`` of an instant query."""


class Official:
    """Asked through ``PrometheusConnect``."""

    def __init__(self, address: Address) -> None:
        self.partial = ""
        self._address = address
        self._connected: Any = None

    async def names(self) -> frozenset[str]:
        """All metric names. Raises requests' errors and ``PrometheusApiClientException``."""
        return frozenset(await asyncio.to_thread(lambda: self._connect().all_metrics()))

    async def labels(self, metric: str) -> frozenset[str]:
        """Label names of ``metric``."""
        params = {"match[]": metric}
        return frozenset(await asyncio.to_thread(lambda: self._connect().get_label_names(params=params)))

    async def query(self, promql: str) -> list[Any]:
        """The result of an instant query."""
        found: list[Any] = await asyncio.to_thread(lambda: self._connect().custom_query(promql))
        return found

    def _connect(self) -> Any:
        if self._connected is None:
            import requests
            from prometheus_api_client import PrometheusConnect
            from urllib3.util.retry import Retry

            session = requests.Session()
            session.verify = self._address.ca_file or True
            session.cert = self._address.client
            # That client gives the data only, and says nothing of the warnings beside it.
            session.hooks["response"].append(self._note)
            # We ask again by ourselves; a thread that sleeps between retries cannot be cancelled.
            self._connected = PrometheusConnect(
                url=self._address.url.rstrip("/"),
                headers=dict(self._address.headers),
                retry=Retry(total=0),
                session=session,
                timeout=self._address.seconds,
            )
        return self._connected

    def _note(self, response: Any, **_: Any) -> None:
        try:
            self.partial = self.partial or msgspec.json.decode(response.content, type=Beside).partial
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # Not Prometheus' answer: the client itself says so.
            return


class _Names(Beside, frozen=True):
    data: list[str]


class _Result(msgspec.Struct, rename="camel"):
    result: list[Any]


class _Instant(Beside, frozen=True):
    data: _Result


class Proxied:
    """Asked through the API server's service proxy; ``base`` is the path up to ``/proxy``."""

    def __init__(self, reader: Reader, base: str) -> None:
        self.partial = ""
        self._reader = reader
        self._base = base

    async def names(self) -> frozenset[str]:
        """All metric names. Raises errors of ``opsroom.errors``."""
        return frozenset(self._noted(await self._reader.get(f"{self._base}/api/v1/label/__name__/values", _Names)).data)

    async def labels(self, metric: str) -> frozenset[str]:
        """Label names of ``metric``."""
        path = f"{self._base}/api/v1/labels"
        return frozenset(self._noted(await self._reader.get(path, _Names, {"match[]": metric})).data)

    async def query(self, promql: str) -> list[Any]:
        """The result of an instant query."""
        path = f"{self._base}/api/v1/query"
        return self._noted(await self._reader.get(path, _Instant, {"query": promql})).data.result

    def _noted(self, answer: T) -> T:
        self.partial = self.partial or answer.partial
        return answer


class NoRequests(Exception):
    """No request metric that we know exists here."""


async def discover(
    catalog: Catalog, preset: str = "", custom: Mapping[str, str] | None = None, scrape: float | None = None
) -> Plan:
    """Find out how to ask this Prometheus.

    ``preset`` names one; empty chooses by the metrics that exist. ``scrape`` given is not measured.

    Raises:
        NoRequests: neither a preset's metrics nor custom queries.
        Whatever ``catalog`` raises.
    """
    catalog.partial = ""
    names = await catalog.names()
    chosen = preset_named(preset) if preset else choose(names)
    if chosen is None and not custom:
        known = ", ".join(one.requests for one in PRESETS)
        raise NoRequests(f"there is no preset {clean(preset)}" if preset else f"none of {known} exists")
    fit: Preset | None = None
    if chosen is not None:
        fit = fitted(chosen, await catalog.labels(chosen.requests))
    containers = await catalog.labels(CPU) if CPU in names else frozenset()
    state = await catalog.labels(RESTARTS) if RESTARTS in names else frozenset()
    found = await measured(catalog, fit.requests) if scrape is None and fit is not None else scrape
    return Plan(
        preset=fit,
        metrics=names & {CPU, MEMORY, RESTARTS},
        containers="container" in containers,
        state_pod="exported_pod" if "exported_pod" in state else "pod",
        state_namespace="exported_namespace" if "exported_namespace" in state else "namespace",
        scrape=SCRAPE_DEFAULT if found is None else found,
        settled=found is not None or fit is None,
        custom=custom,
        partial=catalog.partial,
    )


async def measured(catalog: Catalog, metric: str) -> float | None:
    """Seconds between two samples of ``metric``: the median gap in one of its series; None with too few."""
    one = await catalog.query(f"topk(1, {metric})")
    if not one:
        return None
    labels: dict[str, Any] = one[0].get("metric") or {}
    matchers = ",".join(f"{name}={_quoted(value)}" for name, value in labels.items() if name != "__name__")
    series = await catalog.query(f"{metric}{{{matchers}}}[{LOOK_BACK}]")
    stamps = [float(point[0]) for point in (series[0].get("values") or [])] if series else []
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return max(0.1, round(statistics.median(gaps), 1)) if gaps else None


def _quoted(value: Any) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
