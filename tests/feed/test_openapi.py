"""What the feed says of itself is what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.routing import Route

from opsroom.domain.board import Room, Row
from opsroom.errors import NotPermitted, OpsroomError, Unauthorized, Unreachable
from opsroom.feed.address import parse
from opsroom.feed.frames import Picture
from opsroom.feed.listening import listen
from opsroom.feed.openapi import description
from opsroom.feed.published import Published, Viewer
from opsroom.feed.server import FeedApp


def documented(path: str) -> dict[str, str]:
    """Status to content type."""
    answers = description()["paths"][path]["get"]["responses"]
    return {status: next(iter(answer["content"])) for status, answer in answers.items()}


def test_every_route_is_described_and_nothing_else() -> None:
    routes = [route for route in FeedApp(Published(), metrics=str).asgi().routes if isinstance(route, Route)]
    assert {route.path for route in routes} == set(description()["paths"])
    for route in routes:
        assert not (route.methods or set()) - {"GET", "HEAD"}, "there is nothing here that changes anything"


def test_every_shape_that_is_named_is_there() -> None:
    document = description()
    text = msgspec.json.encode(document).decode()
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


async def asked(path: Path, authorize: Callable[[str], Any], published: Published) -> dict[str, tuple[int, str, bytes]]:
    """Of each path: status, content type and (but for the stream) the body."""
    app = FeedApp(published, metrics=lambda: "up 1\n", authorize=authorize)
    door = await listen(app, parse(f"unix:{path}"))
    found = {}
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            for one in description()["paths"]:
                async with client.stream("GET", one) as answer:
                    body = b"" if one == "/feed" and answer.status_code == 200 else await answer.aread()
                    kind = answer.headers["content-type"].partition(";")[0]
                    found[one] = (answer.status_code, kind, body)
    finally:
        await door.close()
    return found


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (Viewer(), "200"),
        (Unauthorized("who are you"), "401"),
        (NotPermitted("not you"), "403"),
        (Unreachable("nobody can be asked"), "503"),
    ],
    ids=["let in", "unknown", "refused", "not checked"],
)
def test_answers_are_those_that_are_described(
    told: Viewer | OpsroomError, status: str, socket_path: Path, make_row: Callable[..., Row]
) -> None:
    async def authorize(token: str) -> Viewer:
        if isinstance(told, OpsroomError):
            raise told
        return told

    published = Published()
    published.publish(Room(at=1.0), [make_row(1, big=True)])
    answers = asyncio.run(asked(socket_path, authorize, published))
    for path, (code, kind, body) in answers.items():
        want = "200" if path == "/healthz" else status
        assert str(code) == want, path
        assert kind == documented(path)[want], path
        if path == "/picture" and code == 200:
            assert msgspec.json.decode(body, type=Picture).rows == (make_row(1, big=True),)
        if path == "/openapi.json" and code == 200:
            assert msgspec.json.decode(body) == msgspec.json.decode(msgspec.json.encode(description()))


def test_before_the_first_picture_the_answer_is_the_described_one(socket_path: Path) -> None:
    async def everybody(token: str) -> Viewer:
        return Viewer()

    code, kind, _ = asyncio.run(asked(socket_path, everybody, Published()))["/picture"]
    assert (str(code), kind) == ("503", documented("/picture")["503"])
