"""Rows, rooms and an open feed for the tests of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.series import Metric, Series
from opsroom.feed.address import Address
from opsroom.feed.listening import Door, listen
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp


def make(number: int, weight: int = 0, *, namespace: str = "shop", big: bool = False) -> Row:
    values = tuple(float(i + weight) for i in range(60))
    metrics = tuple(
        Metric(name=name, canary=Series(600.0 + weight, 10.0, values), baseline=Series(600.0, 10.0, values))
        for name in ("latency_p99", "error_rate", "cpu_usage", "requests")
    )
    return Row(
        rollout=Rollout(
            uid=Uid(f"uid-{number}"),
            engine=Engine.ARGO,
            shape=Shape.CANARY,
            namespace=namespace,
            name=f"service-{number}",
            phase=Phase.PROGRESSING,
            canary=Revision(hash=f"hash-{number}"),
            weight=weight,
        ),
        metrics=metrics if big else (),
    )


@pytest.fixture(scope="session")
def make_row() -> Callable[..., Row]:
    return make


@pytest.fixture(scope="session")
def make_room() -> Callable[[float], Room]:
    return lambda at: Room(at=at, context="test")


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "feed.sock"


@pytest.fixture
def open_feed(socket_path: Path) -> Callable[[Published], AbstractAsyncContextManager[Door]]:
    @asynccontextmanager
    async def opened(published: Published) -> AsyncIterator[Door]:
        app = FeedApp(published, metrics=lambda: "opsroom_up 1\n", beat=0.05)
        door = await listen(app, Address(path=str(socket_path)))
        try:
            yield door
        finally:
            await door.close()

    return opened
