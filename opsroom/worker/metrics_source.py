"""The metrics source that the settings name, made anew when what it was made with is no longer good.

A token in a file is exchanged by whoever put it there, one in the keyring by ``opsroom login``, and a connection to
the cluster may be another one after a fault: none of them should need a new worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from opsroom.config.secrets import token
from opsroom.config.settings import Settings, of_one_context
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.sources.prometheus import Metrics as Prometheus
from opsroom.worker.outside import Outside
from opsroom.worker.picture import NO_PROMETHEUS
from opsroom.worker.score import Metrics, Missing

LOOK_SECONDS = 30.0
"""Between two looks at the token while the source does not answer; the keyring may ask somebody each time."""

Measure = Callable[[Metrics], Awaitable[None]]
"""Measures with one source until cancelled."""


class MetricsSource:
    """One worker's Prometheus."""

    def __init__(self, settings: Settings, outside: Outside) -> None:
        self._settings = settings
        self._outside = outside
        self._token = ""
        self._error = ""
        self._reader: Reader | None = None

    async def run(self, measure: Measure) -> None:
        """Hand a source to ``measure``, and another one when it is time, until cancelled."""
        while True:
            source = await self._made()
            measuring = asyncio.ensure_future(measure(source))
            try:
                while not measuring.done() and not await self._outdated(source):
                    await asyncio.wait([measuring], timeout=LOOK_SECONDS)
                if measuring.done():
                    return measuring.result()
            finally:
                measuring.cancel()
                await asyncio.gather(measuring, return_exceptions=True)
                await source.aclose()

    async def _made(self) -> Metrics:
        """The configured Prometheus; where there is none, a source that says so."""
        told = self._settings.prometheus
        if not told.url:
            return Missing(NO_PROMETHEUS)
        if told.url.startswith("kube:"):
            await self._outside.ready.wait()
        self._reader = self._outside.reader
        self._token, self._error = await self._found()
        if self._error:
            return Missing(self._error)
        return Prometheus(
            told.url,
            reader=self._reader,
            namespaces=self._settings.namespaces,
            token=self._token,
            headers=told.headers,
            preset=told.preset,
            queries=told.queries,
            seconds=told.timeout,
            ca_file=told.ca_file,
            client=(told.client_cert, told.client_key) if told.client_cert else None,
        )

    async def _outdated(self, source: Metrics) -> bool:
        url = self._settings.prometheus.url
        if url.startswith("kube:") and self._outside.reader is not self._reader:
            return True
        failing = bool(url) and any(state.error for state in source.states())
        return failing and await self._found() != (self._token, self._error)

    async def _found(self) -> tuple[str, str]:
        """The token (empty for none), and why it cannot be had."""
        url = self._settings.prometheus.url
        shared = not of_one_context(self._settings, url)
        try:
            # The keyring may ask a service of the desktop, which may take its time.
            secret = await asyncio.to_thread(token, "prometheus", url=url, shared=shared)
        except OpsroomError as error:
            return "", str(error)
        return (secret.reveal() if secret is not None else ""), ""
