"""Whatever comes to the feed's port: a clear answer below 500 or a closed line, and the next caller is served.

``schemathesis run http://HOST:PORT/openapi.json --exclude-path /feed`` does the same at length, by hand.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Room
from opsroom.errors import Unauthorized
from opsroom.feed import callers
from opsroom.feed.address import Address, parse
from opsroom.feed.client import FeedClient
from opsroom.feed.listening import listen
from opsroom.feed.published import Published, Viewer
from opsroom.feed.server import FeedApp

PATIENCE = 60.0


async def by_token(token: str) -> Viewer:
    if token != "sesame":
        raise Unauthorized("who are you")
    return Viewer()


def serve(app: FeedApp, ready: Callable[[Address, Callable[[], object]], None]) -> None:
    """Serve until the function that ``ready`` is given was called."""

    async def run() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        door = await listen(app, parse("127.0.0.1:0"))
        ready(door.address, lambda: loop.call_soon_threadsafe(over.set))
        await over.wait()
        await door.close()

    asyncio.run(run())


@pytest.fixture(scope="module", params=["a port for this machine", "a port with tokens"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    published, told = Published(), list[tuple[Address, Callable[[], object]]]()
    published.publish(Room(at=1.0), [])
    app = FeedApp(published, metrics=lambda: "up 1\n", beat=0.05)
    if request.param == "a port with tokens":
        app.authorize = by_token
    there = threading.Event()

    def ready(address: Address, end: Callable[[], object]) -> None:
        told.append((address, end))
        there.set()

    thread = threading.Thread(target=serve, args=(app, ready))
    thread.start()
    assert there.wait(PATIENCE)
    ((address, end),) = told
    yield address.host, address.port
    end()
    thread.join(PATIENCE)


def answer(place: tuple[str, int], request: bytes) -> bytes:
    """The beginning of what is answered to ``request``, whose sender says that nothing more will come."""
    said = b""
    with socket.create_connection(place, timeout=PATIENCE) as line:
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            while len(said) < 4096 and (data := line.recv(4096)):
                said += data
                if b"\r\n\r\n" in said:
                    break
        except ConnectionError:
            # Let go in the middle: an answer, too.
            pass
    return said


def status(said: bytes) -> int:
    """0: none."""
    return int(said.split(b" ")[1]) if said.startswith(b"HTTP/1.1 ") else 0


text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
paths = st.sampled_from(["/feed", "/picture", "/metrics", "/healthz", "/openapi.json"]) | text.map(lambda t: "/" + t)
names = st.sampled_from(
    ["Host", "Authorization", "Content-Length", "Transfer-Encoding", "Expect", "Connection", "Upgrade", "Range", "X"]
)
values = text | st.sampled_from(
    ["localhost", "evil.example", "[::1", "127.0.0.1:x", "Bearer", "chunked", "-1", "9" * 20, "100-continue", "close"]
)
tokens = st.sampled_from(["Bearer sesame", "bearer  sesame", "Basic eA==", "Bearer sesame, Bearer x"])
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "get", "\x7f"])
requests = st.builds(
    lambda method, path, headers, body: (
        f"{method} {path} HTTP/1.1\r\n".encode("latin-1")
        + "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
        + b"\r\n"
        + body
    ),
    methods,
    paths,
    st.lists(st.tuples(names, values | tokens), max_size=6),
    st.binary(max_size=60),
)
cut = st.builds(
    lambda data, at, put: data[: at % (len(data) + 1)] + put, requests, st.integers(0), st.binary(max_size=9)
)
quiet = settings(
    derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quiet
@given(st.lists(requests | cut | st.binary(max_size=80), min_size=1, max_size=3))
def test_any_bytes_get_a_clear_answer_and_the_next_caller_is_served(
    place: tuple[str, int], caplog: pytest.LogCaptureFixture, parts: list[bytes]
) -> None:
    said = answer(place, b"".join(parts))
    assert status(said) < 500, said
    assert b"Traceback" not in said
    assert status(answer(place, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 200
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.parametrize("path", ["feed", "picture", "nowhere"])
def test_garbage_after_a_request_ends_its_answer_and_nothing_else(
    place: tuple[str, int], caplog: pytest.LogCaptureFixture, path: str
) -> None:
    head = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\n".encode()
    for garbage in (b"\x00\r\n\r\n", b"GET\r\n\r\n"):
        for again in range(20):
            assert status(answer(place, head + b"\r\n" + garbage)) in (0, 200, 400, 404), again
    for method in (b"GET", b"HEAD"):
        body = method + head[3:] + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
        assert status(answer(place, body)) in (0, 200, 400, 404, 405)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_garbage_in_the_middle_of_a_stream_ends_it(place: tuple[str, int], caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(place, timeout=PATIENCE) as line:
        line.sendall(
            b"GET /feed HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\nContent-Length: 9\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        said = b""
        while b"picture" not in said:
            data = line.recv(4096)
            assert data, said
            said += data
        line.sendall(b"no number\r\n")
        while line.recv(4096):
            pass
    assert status(answer(place, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 200
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_what_is_not_allowed_says_what_is(place: tuple[str, int]) -> None:
    for path in ("feed", "picture"):
        said = answer(place, f"DELETE /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert status(said) == 405
        assert b"\r\nallow: " in said


async def ended(reader: asyncio.StreamReader) -> None:
    """Read until the other side ends the line."""
    async with asyncio.timeout(PATIENCE):
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            return


FIRST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /healthz HTT", FIRST + b"GET /picture HTTP/1.1\r\nHost: loc", FIRST + FIRST],
    ids=["nothing", "half a head", "half a second head", "nothing after two answers"],
)
def test_who_says_nothing_more_is_let_go(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "HEAD_SECONDS", 0.05)

    async def run() -> None:
        door = await listen(FeedApp(Published(), metrics=str), parse("127.0.0.1:0"))
        reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
        writer.write(said)
        await ended(reader)
        writer.close()
        await door.close()

    asyncio.run(run())


def test_who_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "HEAD_SECONDS", 0.05)

    async def run() -> None:
        published = Published()
        published.publish(Room(at=1.0, context="x" * 8_000_000), [])
        app = FeedApp(published, metrics=str, beat=0.01)
        door = await listen(app, parse("127.0.0.1:0"))
        writers = []
        async with asyncio.timeout(PATIENCE):
            while app.last_left is None:
                if not app.viewers:
                    # On a busy machine a caller may be let go before it has asked: it calls again.
                    _, writer = await asyncio.open_connection(door.address.host, door.address.port, limit=1)
                    writer.write(b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    writers.append(writer)
                await asyncio.sleep(0.05)
        for writer in writers:
            writer.close()
        await door.close()

    asyncio.run(run())


def test_who_listens_to_a_quiet_feed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "HEAD_SECONDS", 0.01)
    lived = Counter[int]()
    look = callers.Guarded._look

    def counted(guarded: Any, transport: Any, former: Any, owed: int, still: int) -> None:
        look(guarded, transport, former, owed, still)
        if former is not None and not transport.is_closing():
            lived[id(transport)] += 1

    monkeypatch.setattr(callers.Guarded, "_look", counted)

    async def run() -> None:
        published = Published()
        published.publish(Room(at=1.0), [])
        door = await listen(FeedApp(published, metrics=str, beat=0.02), parse("127.0.0.1:0"))
        client = FeedClient(door.address)
        async with asyncio.timeout(PATIENCE):
            async for _ in client:
                if max(lived.values(), default=0) > 10:
                    break
        await door.close()

    asyncio.run(run())


def test_more_connections_than_there_is_room_for_are_ended_and_the_others_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callers, "CONNECTIONS_MAX", 3)
    monkeypatch.setattr(callers, "HEAD_SECONDS", PATIENCE)

    async def run() -> None:
        door = await listen(FeedApp(Published(), metrics=str), parse("127.0.0.1:0"))
        lines = [await asyncio.open_connection(door.address.host, door.address.port) for _ in range(4)]
        async with asyncio.timeout(PATIENCE):
            # Who of the four was too many is the kernel's to say; one is, and exactly one.
            over = [asyncio.ensure_future(ended(reader)) for reader, _ in lines]
            done, served = await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            assert (len(done), len(served)) == (1, 3)
            for one in served:
                one.cancel()
            await asyncio.gather(*served, return_exceptions=True)
            for one, (reader, writer) in zip(over, lines, strict=True):
                if one not in done:
                    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    assert b"200 OK" in await reader.read()
        for _, writer in lines:
            writer.close()
        await door.close()

    asyncio.run(run())
