"""The metrics source of a worker: neither another token nor another connection needs a new worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.config.secrets import Secret
from opsroom.config.settings import Context, Prometheus, Settings
from opsroom.domain.board import Mode
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Rollout
from opsroom.errors import ConfigError
from opsroom.sources.aligned import Aligned, Look
from opsroom.worker import metrics_source as module
from opsroom.worker.metrics_source import MetricsSource
from opsroom.worker.outside import Outside
from opsroom.worker.score import Metrics, Missing


class Told:
    """A source that remembers how it was made, and does not answer."""

    def __init__(self, _url: str, **told: Any) -> None:
        self.told = told
        self.closed = False
        self.error = "HTTP 401"

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        raise NotImplementedError

    def states(self) -> tuple[SourceState, ...]:
        return (SourceState(name="prometheus", interval=10.0, error=self.error),)

    async def aclose(self) -> None:
        self.closed = True


class Worker:
    """A worker that measures with whatever it is given; ``secret`` is where the token stands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.outside = Outside("", "", (), mode=Mode.OBSERVE, read_only=True)
        self.outside.reader = SimpleNamespace()  # type: ignore[assignment]
        self.outside.ready.set()
        self.source = MetricsSource(Settings(prometheus=Prometheus(url=url)), self.outside)
        self.used: list[Metrics] = []
        self.secret: Secret | ConfigError = Secret("old")
        self.another = asyncio.Event()
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
        monkeypatch.setattr(module, "Prometheus", Told)
        monkeypatch.setattr(module, "token", self._token)

    def _token(self, _target: str, *, url: str, shared: bool) -> Secret:
        if isinstance(self.secret, ConfigError):
            raise self.secret
        return self.secret

    async def measure(self, source: Metrics) -> None:
        self.used.append(source)
        self.another.set()
        await asyncio.Event().wait()

    async def next(self) -> Metrics:
        async with asyncio.timeout(60):
            await self.another.wait()
        self.another.clear()
        return self.used[-1]


def test_another_token_makes_another_source_while_the_first_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        worker = Worker(monkeypatch, "http://prom.test")
        task = asyncio.ensure_future(worker.source.run(worker.measure))
        first = await worker.next()
        assert isinstance(first, Told)
        worker.secret = ConfigError("the file is gone")
        missing = await worker.next()
        assert isinstance(missing, Missing)
        assert first.closed
        worker.secret = Secret("new")
        third = await worker.next()
        assert isinstance(third, Told)
        assert (first.told["token"], third.told["token"]) == ("old", "new")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert third.closed

    asyncio.run(run())


def test_a_token_for_all_is_not_asked_for_where_one_context_names_its_own_prometheus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, bool]] = []

    def token(_target: str, *, url: str, shared: bool) -> None:
        asked.append((url, shared))

    async def run() -> None:
        monkeypatch.setattr(module, "token", token)
        for contexts in ({}, {"eu": Context(prometheus=Prometheus(url="http://prom.eu"))}):
            settings = Settings(prometheus=Prometheus(url="http://prom.eu"), contexts=contexts)
            outside = Outside("", "", (), mode=Mode.OBSERVE, read_only=True)
            source = await MetricsSource(settings, outside)._made()
            await source.aclose()

    asyncio.run(run())
    assert asked == [("http://prom.eu", True), ("http://prom.eu", False)]


def test_another_connection_makes_another_source_behind_the_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        worker = Worker(monkeypatch, "kube:monitoring/prometheus:9090")
        task = asyncio.ensure_future(worker.source.run(worker.measure))
        first = await worker.next()
        worker.outside.reader = SimpleNamespace()  # type: ignore[assignment]
        second = await worker.next()
        assert isinstance(first, Told)
        assert isinstance(second, Told)
        assert second.told["reader"] is worker.outside.reader is not first.told["reader"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_measuring_that_breaks_off_breaks_off_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_source: Metrics) -> None:
        raise ValueError("a mistake of ours")

    async def run() -> None:
        worker = Worker(monkeypatch, "http://prom.test")
        with pytest.raises(ValueError, match="a mistake of ours"):
            await worker.source.run(broken)

    asyncio.run(run())
