"""Server and client together over a real socket: loss, return, slowness, strangers, garbage."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom import __version__
from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Uid
from opsroom.errors import NotPermitted, Unauthorized, Unreachable, UsageError
from opsroom.feed.address import Address, parse
from opsroom.feed.client import FeedClient, fetch_picture
from opsroom.feed.frames import PART_ROWS, Hello, Picture, beat, encode, event
from opsroom.feed.listening import Door, ListenError, listen
from opsroom.feed.published import Published, Viewer
from opsroom.feed.server import FeedApp
from opsroom.feed.state import Link, LinkState

OpenFeed = Callable[[Published], AbstractAsyncContextManager[Door]]
MakeRow = Callable[..., Row]


async def until(client: FeedClient, true: Callable[[], bool]) -> None:
    """Follow the feed until ``true``."""
    async with asyncio.timeout(20):
        async for _ in client:
            if true():
                return


async def lost(client: FeedClient) -> str:
    """Follow the feed until the line is lost, give the sentence."""
    await until(client, lambda: client.link.state is LinkState.LOST)
    return client.link.error


def test_a_viewer_sees_the_picture_then_the_changes(open_feed: OpenFeed, socket_path: Path, make_row: MakeRow) -> None:
    async def run() -> None:
        published = Published()
        async with open_feed(published):
            client = FeedClient(f"unix:{socket_path}")
            published.publish(Room(at=1.0), [make_row(1), make_row(2)])
            await until(client, lambda: client.board.seq == 1)
            assert set(client.board.rows) == {"uid-1", "uid-2"}
            published.publish(Room(at=2.0), [make_row(1, 50)])
            await until(client, lambda: client.board.seq == 2)
            assert client.board.rows == {"uid-1": make_row(1, 50)}

    asyncio.run(run())


def test_nothing_of_a_change_is_made_before_all_of_it_has_come(socket_path: Path, make_row: MakeRow) -> None:
    published = Published()
    published.publish(Room(at=1.0), [make_row(n) for n in range(PART_ROWS + 1)])
    said = [encode(Hello()), *published.frames_since(0, Viewer())]
    published.publish(Room(at=2.0), [make_row(n, 50) for n in range(PART_ROWS + 1)])
    first, last = published.frames_since(1, Viewer())

    async def rows_after(*more: bytes) -> dict[Uid, Row]:
        answer = b"".join(map(event, [*said, *more])) + beat(9.0, 9.0)
        async with fake_server(socket_path, b"HTTP/1.1 200 OK\r\n\r\n" + answer, hold=True):
            client = FeedClient(f"unix:{socket_path}")
            await until(client, lambda: client.board.worker_at == 9.0)
            return dict(client.board.rows)

    assert asyncio.run(rows_after(first)) == {f"uid-{n}": make_row(n) for n in range(PART_ROWS + 1)}
    assert asyncio.run(rows_after(first, last)) == {f"uid-{n}": make_row(n, 50) for n in range(PART_ROWS + 1)}


def test_a_viewer_that_comes_before_the_first_picture_hears_beats(open_feed: OpenFeed, socket_path: Path) -> None:
    async def run() -> None:
        published = Published()
        async with open_feed(published):
            client = FeedClient(f"unix:{socket_path}")
            await until(client, lambda: client.board.heard is not None)
            assert client.board.room is None
            published.publish(Room(at=1.0), [])
            await until(client, lambda: client.board.room is not None)

    asyncio.run(run())


def test_fifty_viewers_all_see_the_last_picture(open_feed: OpenFeed, socket_path: Path, make_row: MakeRow) -> None:
    async def run() -> None:
        published = Published()
        published.publish(Room(at=0.0), [])
        async with open_feed(published):
            clients = [FeedClient(f"unix:{socket_path}") for _ in range(50)]
            everybody_there, there = asyncio.Event(), set[FeedClient]()

            def done(client: FeedClient) -> bool:
                if client.link.state is LinkState.LIVE:
                    there.add(client)
                if len(there) == 50:
                    everybody_there.set()
                return client.board.seq >= 6

            following = asyncio.gather(*(until(client, partial(done, client)) for client in clients))
            async with asyncio.timeout(20):
                await everybody_there.wait()
            for turn in range(1, 6):
                published.publish(Room(at=float(turn)), [make_row(n, turn) for n in range(100)])
                await asyncio.sleep(0)
            await following
            for client in clients:
                assert [row.rollout.weight for row in client.board.rows.values()] == [5] * 100

    asyncio.run(run())


def test_a_slow_reader_skips_states_and_never_holds_up_the_others(
    open_feed: OpenFeed, socket_path: Path, make_row: MakeRow
) -> None:
    async def run() -> None:
        published = Published()
        async with open_feed(published):
            published.publish(Room(at=0.0), [make_row(n, 0, big=True) for n in range(300)])
            slow = await asyncio.open_unix_connection(str(socket_path), limit=1024)
            slow[1].write(b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
            fast = FeedClient(f"unix:{socket_path}")
            await until(fast, lambda: fast.board.seq == 1)

            async def follow() -> None:
                await until(fast, lambda: fast.board.seq == 21)

            following = asyncio.ensure_future(follow())
            for turn in range(1, 21):
                published.publish(Room(at=float(turn)), [make_row(n, turn, big=True) for n in range(300)])
                await asyncio.sleep(0.01)
            await following
            slow_client = bytearray()
            async with asyncio.timeout(20):
                while b'"seq":21' not in slow_client:
                    slow_client += await slow[0].read(65536)
            slow[1].close()
            frames = slow_client.count(b'"seq":')
            assert frames < 12, "states were queued for the slow reader"

    asyncio.run(run())


WORKER = """
import asyncio, sys, time
from opsroom.domain.board import Room
from opsroom.feed.address import parse
from opsroom.feed.listening import listen
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
async def main():
    published = Published()
    published.publish(Room(at=time.time(), context=sys.argv[2]), [])
    await listen(FeedApp(published, metrics=str), parse(sys.argv[1]))
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_a_killed_worker_is_said_to_be_lost_and_its_successor_is_found(socket_path: Path) -> None:
    def worker(name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", WORKER, f"unix:{socket_path}", name])

    async def run() -> list[str]:
        process = worker("first")
        client, story = FeedClient(f"unix:{socket_path}"), list[str]()
        try:
            async with asyncio.timeout(30):
                async for told in client:
                    if isinstance(told, Link) and told.state is LinkState.LOST and story == ["first"]:
                        story.append(told.error)
                        process.wait()
                        process = worker("second")
                    if isinstance(told, Picture):
                        story.append(told.room.context)
                        if len(story) == 1:
                            process.send_signal(signal.SIGKILL)
                        else:
                            return story
        finally:
            process.kill()
            process.wait()
        return story

    first, sentence, second = asyncio.run(run())
    assert (first, second) == ("first", "second")
    assert str(socket_path) in sentence


def test_a_worker_that_falls_silent_is_lost(socket_path: Path) -> None:
    async def run() -> None:
        async with fake_server(socket_path, b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello())), hold=True):
            sentence = await lost(FeedClient(f"unix:{socket_path}", silence=0.2))
            assert "no word from the worker" in sentence

    asyncio.run(run())


@asynccontextmanager
async def fake_server(path: Path, answer: bytes, hold: bool = False) -> AsyncIterator[None]:
    """Something that is not a worker: says ``answer`` to everybody."""
    done = asyncio.Event()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if hold:
                await done.wait()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(say, str(path))
    try:
        yield
    finally:
        done.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed the line before"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "does not know you"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nno way", "refuses you (no way)"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nfull", "HTTP 503 (full)"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\n\x1b[2Jno\x07!\n", "refuses you ([2Jno !)"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello(protocol=2, version="\x1b[2J"))), "(opsroom [2J)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "ended the feed"),
        (b"HTTP/1.1 200 OK\r\n\r\ndata: {}\n\n", "not a frame"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello(protocol=2))), "protocol 2"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Picture(seq=1, room=Room(at=1.0)))), "no opsroom feed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nda", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nda", "broke off"),
    ],
)
def test_what_is_no_feed_gets_one_clear_sentence_and_the_client_goes_on(
    socket_path: Path, answer: bytes, words: str
) -> None:
    async def run() -> None:
        client = FeedClient(f"unix:{socket_path}")
        async with fake_server(socket_path, answer):
            assert words in await lost(client)
            assert words in await lost(client)

    asyncio.run(run())


def test_frames_of_another_version_are_not_blamed_on_the_address(socket_path: Path, make_row: MakeRow) -> None:
    frame = encode(Picture(seq=1, room=Room(at=1.0), rows=(make_row(1),)))
    head = b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello(version="9.9\x1b")))

    async def run() -> None:
        async with fake_server(socket_path, head + event(frame.replace(b'"progressing"', b'"levitating"'))):
            said = await lost(FeedClient(f"unix:{socket_path}"))
        assert said.startswith(f"the worker at unix:{socket_path} is opsroom 9.9, this is {__version__}: ")
        assert "'levitating'" in said
        assert said.endswith("Use the same version on both sides")

    asyncio.run(run())


@pytest.mark.parametrize("bad", [b'"\xff"', b'"c","later":' + b"[" * 100_000 + b"]" * 100_000])
def test_a_picture_for_scripts_that_is_none_is_a_sentence(socket_path: Path, bad: bytes) -> None:
    body = encode(Picture(seq=1, room=Room(at=1.0, context="c"))).replace(b'"c"', bad)

    async def run() -> None:
        async with fake_server(socket_path, b"HTTP/1.1 200 OK\r\n\r\n" + body):
            with pytest.raises(Unreachable, match="is no opsroom feed"):
                await fetch_picture(f"unix:{socket_path}")

    asyncio.run(run())


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.booleans())
def test_garbage_never_ends_the_client(tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bool) -> None:
    async def run() -> None:
        path = tmp_path_factory.mktemp("garbage") / "s"
        answer = (b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello())) if head else b"") + data
        async with fake_server(path, answer):
            assert await lost(FeedClient(f"unix:{path}"))

    asyncio.run(run())


def test_nobody_there_names_the_place_and_the_fix(socket_path: Path) -> None:
    sentence = asyncio.run(lost(FeedClient(f"unix:{socket_path}")))
    assert str(socket_path) in sentence
    assert "opsroom worker" in sentence


def test_one_picture_for_scripts(open_feed: OpenFeed, socket_path: Path, make_row: MakeRow) -> None:
    async def run() -> None:
        published = Published()
        async with open_feed(published):
            with pytest.raises(Unreachable, match="no picture yet"):
                await fetch_picture(f"unix:{socket_path}")
            published.publish(Room(at=1.0), [make_row(n, big=True) for n in range(450)])
            picture = await fetch_picture(f"unix:{socket_path}")
            assert len(picture.rows) == 450
            assert picture.rows[7] == make_row(7, big=True)

    asyncio.run(run())


def test_the_socket_is_for_its_owner_only_and_goes_with_the_worker(open_feed: OpenFeed, socket_path: Path) -> None:
    async def run() -> None:
        async with open_feed(Published()):
            assert stat.S_IMODE(os.stat(socket_path).st_mode) == 0o600

    asyncio.run(run())
    assert not socket_path.exists()


def test_a_stranger_at_the_socket_is_turned_away(socket_path: Path) -> None:
    async def run() -> None:
        app = FeedApp(Published(), metrics=str)
        door = await listen(app, Address(path=str(socket_path)), uids=frozenset({os.getuid() + 1}))
        with pytest.raises(Unreachable):
            await fetch_picture(f"unix:{socket_path}")
        await door.close()

    asyncio.run(run())


def test_a_second_worker_does_not_take_the_socket_of_a_living_one(open_feed: OpenFeed, socket_path: Path) -> None:
    async def run() -> None:
        async with open_feed(Published()):
            with pytest.raises(ListenError, match="already listens"):
                await listen(FeedApp(Published(), metrics=str), Address(path=str(socket_path)))

    asyncio.run(run())


def test_the_socket_of_a_killed_worker_is_taken_over(open_feed: OpenFeed, socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))

    async def run() -> None:
        async with open_feed(Published()):
            pass

    asyncio.run(run())


def test_a_file_in_the_place_of_the_socket_is_left_alone(socket_path: Path) -> None:
    socket_path.write_text("mine")
    with pytest.raises(ListenError, match="not a socket"):
        asyncio.run(listen(FeedApp(Published(), metrics=str), Address(path=str(socket_path))))
    assert socket_path.read_text() == "mine"


def test_off_loopback_needs_permission_and_somebody_who_checks_tokens() -> None:
    app = FeedApp(Published(), metrics=str)
    for anywhere in (False, True):
        with pytest.raises(UsageError, match="reached from outside"):
            asyncio.run(listen(app, parse("0.0.0.0:0"), anywhere=anywhere))


async def answer_of(address: Address, request: bytes) -> bytes:
    """The raw answer to a raw request."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(request)
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    return said


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /picture HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"403"),
        (b"GET /feed HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"200"),
        (b"POST /feed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"DELETE /picture HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"405"),
        (b"GET /etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"404"),
        (b"NONSENSE\r\n\r\n", b"400"),
    ],
)
def test_a_port_answers_only_what_it_should(request_: bytes, status: bytes) -> None:
    async def run() -> bytes:
        door = await listen(FeedApp(Published(), metrics=lambda: "up 1\n"), parse("127.0.0.1:0"))
        try:
            return await answer_of(door.address, request_)
        finally:
            await door.close()

    assert asyncio.run(run()).split(b" ")[1] == status


def test_a_head_without_end_is_cut_off() -> None:
    async def run() -> None:
        door = await listen(FeedApp(Published(), metrics=str), parse("127.0.0.1:0"))
        _, writer = await asyncio.open_connection(door.address.host, door.address.port)
        try:
            async with asyncio.timeout(10):
                with suppress(OSError):
                    while True:
                        writer.write(b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000)
                        await writer.drain()
        finally:
            writer.close()
            await door.close()

    asyncio.run(run())


def test_the_token_decides_who_sees_what(make_row: MakeRow) -> None:
    async def authorize(token: str) -> Viewer:
        if token != "sesame":
            raise Unauthorized("who are you")
        return Viewer(name="ali", namespaces=frozenset({"bank"}))

    async def run() -> None:
        published = Published()
        published.publish(Room(at=1.0), [make_row(1, namespace="shop"), make_row(2, namespace="bank")])
        door = await listen(FeedApp(published, metrics=str, authorize=authorize), parse("127.0.0.1:0"))
        try:
            picture = await fetch_picture(door.address, lambda: "sesame")
            assert [row.rollout.uid for row in picture.rows] == ["uid-2"]
            client = FeedClient(door.address, lambda: "sesame")
            await until(client, lambda: client.board.seq == 1)
            assert set(client.board.rows) == {"uid-2"}
            with pytest.raises(Unauthorized, match="does not know you"):
                await fetch_picture(door.address)
            assert "printable" in await lost(FeedClient(door.address, lambda: "two\nlines"))
        finally:
            await door.close()

    asyncio.run(run())


@pytest.mark.parametrize("allowed", [None, frozenset({"shop", "bank"})])
def test_a_viewer_sees_the_namespaces_that_it_names_as_far_as_it_may(
    make_row: MakeRow, allowed: frozenset[str] | None
) -> None:
    async def authorize(_token: str) -> Viewer:
        return Viewer(name="ali", namespaces=allowed)

    async def run() -> None:
        published = Published()
        rows = [make_row(n, namespace=space) for n, space in enumerate(("shop", "bank", "mail"))]
        published.publish(Room(at=1.0), rows)
        door = await listen(FeedApp(published, metrics=str, authorize=authorize), parse("127.0.0.1:0"))
        try:
            for wanted, seen in (
                (("bank",), {"uid-1"}),
                (("bank", "shop"), {"uid-0", "uid-1"}),
                (("mail", "bank"), {"uid-1"} if allowed else {"uid-1", "uid-2"}),
                (("a&namespace=mail", "shop"), {"uid-0"}),
            ):
                picture = await fetch_picture(door.address, namespaces=wanted)
                assert {row.rollout.uid for row in picture.rows} == seen
                assert set(picture.room.namespaces) == set(wanted) & (allowed or set(wanted))
                client = FeedClient(door.address, namespaces=wanted)
                await until(client, lambda client=client: client.board.seq == 1)  # type: ignore[misc]
                assert set(client.board.rows) == seen
            if allowed:
                with pytest.raises(NotPermitted, match="you may see none of these namespaces"):
                    await fetch_picture(door.address, namespaces=("mail",))
        finally:
            await door.close()

    asyncio.run(run())


def test_keys_do_not_wait_for_a_keyring_that_asks_somebody(make_row: MakeRow) -> None:
    asked, answered = threading.Event(), threading.Event()

    def keyring() -> str:
        asked.set()
        assert answered.wait(60)
        return "sesame"

    async def run() -> None:
        published = Published()
        published.publish(Room(at=1.0), [make_row(1)])
        door = await listen(FeedApp(published, metrics=str), parse("127.0.0.1:0"))
        client = FeedClient(door.address, keyring)
        following = asyncio.ensure_future(until(client, lambda: client.board.seq == 1))
        try:
            async with asyncio.timeout(60):
                await asyncio.to_thread(asked.wait, 60)
                answered.set()  # by the loop itself, which the keyring must not hold up
                await following
        finally:
            await door.close()

    asyncio.run(run())


def test_viewers_are_told_when_the_worker_ends(open_feed: OpenFeed, socket_path: Path) -> None:
    async def run() -> None:
        published = Published()
        published.publish(Room(at=1.0), [])
        client, live = FeedClient(f"unix:{socket_path}"), asyncio.Event()

        def done() -> bool:
            if client.link.state is LinkState.LIVE:
                live.set()
            return client.link.state is LinkState.LOST

        async with open_feed(published):
            following = asyncio.ensure_future(until(client, done))
            await live.wait()
        await following
        assert client.link.error

    asyncio.run(run())


def test_the_client_loads_nothing_heavy() -> None:
    code = (
        "import sys, opsroom.feed.client, opsroom.feed.replay\n"
        "bad = {'httpx', 'starlette', 'uvicorn', 'anyio', 'numpy', 'kubernetes', 'textual'} & set(sys.modules)\n"
        "sys.exit(' '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_picture_is_the_same_json_however_it_is_read(make_row: MakeRow) -> None:
    published = Published()
    published.publish(Room(at=1.0), [make_row(1, big=True)])
    picture = msgspec.json.decode(published.picture(Viewer()), type=Picture)
    assert picture == Picture(seq=1, room=Room(at=1.0), rows=(make_row(1, big=True),))
