"""Who is at the other end, as the kernel tells it, and how much of anything is read at most."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsroom.domain.board import Room
from opsroom.errors import Unreachable
from opsroom.feed import client, replay
from opsroom.feed.address import Address
from opsroom.feed.client import fetch_picture
from opsroom.feed.frames import Delta, Hello, Picture, encode, event
from opsroom.feed.listening import listen
from opsroom.feed.peers import peer_groups, peer_uid
from opsroom.feed.published import Published
from opsroom.feed.record import RecordingError
from opsroom.feed.replay import Replay
from opsroom.feed.server import FeedApp
from opsroom.feed.state import LinkState

SOMEBODY, THEIR_GROUP, THEIR_TEAM = 54321, 54322, 54323
CALL = """
import os, socket, sys
try:
    os.setgroups([int(sys.argv[4])])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[2]))
except OSError:
    pass
print(os.getuid(), os.getgid(), *os.getgroups(), flush=True)
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.recv(1)
"""
"""Calls as another user where this one may become one."""


def test_the_kernel_says_who_calls() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as server:
        os.chmod(folder, 0o755)  # noqa: S103 - somebody else is to come in
        server.bind(f"{folder}/s")
        os.chmod(f"{folder}/s", 0o666)  # noqa: S103
        server.listen()
        server.settimeout(60)
        words = [f"{folder}/s", *(str(number) for number in (SOMEBODY, THEIR_GROUP, THEIR_TEAM))]
        caller = subprocess.Popen([sys.executable, "-I", "-S", "-c", CALL, *words], stdout=subprocess.PIPE)
        try:
            line, _ = server.accept()
            with line:
                uid, groups = peer_uid(line), peer_groups(line)
        finally:
            told, _ = caller.communicate(timeout=60)
    they, *theirs = map(int, told.split())
    assert uid == they
    assert groups == set(theirs)


class Refusing:
    """A socket of a kernel that does not tell groups."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        if option == socket.SO_PEERCRED:
            return self._inner.getsockopt(level, option, size)
        raise OSError("not here")


def test_where_groups_are_not_told_the_callers_own_must_do() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_groups(Refusing(one)) == {os.getgid()}


@pytest.mark.parametrize("told", ["uids", "gid"])
def test_a_socket_that_everybody_may_open_still_serves_only_whom_it_is_for(
    told: str, socket_path: Path, make_room: Callable[[float], Room]
) -> None:
    group = max(os.getgid(), *os.getgroups(), 0) + 1

    async def run() -> None:
        published = Published()
        published.publish(make_room(1.0), [])
        only = frozenset({os.getuid() + 1})
        app = FeedApp(published, metrics=str)
        door = await listen(app, Address(path=str(socket_path)), uids=only, gid=group if told == "gid" else None)
        os.chmod(socket_path, 0o666)  # noqa: S103
        with pytest.raises(Unreachable):
            await fetch_picture(door.address)
        await door.close()
        door = await listen(app, Address(path=str(socket_path)), uids=only, gid=os.getgid())
        assert (await fetch_picture(door.address)).seq == 1
        await door.close()

    asyncio.run(run())


def test_a_picture_beyond_the_limit_is_not_read_on(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch, make_row: Callable[..., Any], make_room: Callable[[float], Room]
) -> None:
    monkeypatch.setattr(client, "BODY_LIMIT", 10_000)

    async def run() -> None:
        published = Published()
        published.publish(make_room(1.0), [make_row(n, big=True) for n in range(50)])
        door = await listen(FeedApp(published, metrics=str), Address(path=str(socket_path)))
        with pytest.raises(Unreachable, match="is larger than"):
            await fetch_picture(door.address)
        await door.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", [Picture, Delta])
def test_parts_without_end_are_not_read_on(
    kind: type[Picture] | type[Delta],
    socket_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_row: Callable[..., Any],
    make_room: Callable[[float], Room],
) -> None:
    monkeypatch.setattr(client, "BODY_LIMIT", 10_000)
    whole = Picture(seq=2, room=make_room(2.0), rows=(make_row(1),), more=True)
    part = whole if kind is Picture else Delta(seq=2, since=1, room=whole.room, rows=whole.rows, more=True)
    first = Picture(seq=1, room=make_room(1.0))

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + event(encode(Hello())) + event(encode(first)))
        writer.write(event(encode(part)) * 200)
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_unix_server(say, str(socket_path))
        viewer = client.FeedClient(f"unix:{socket_path}")
        async with asyncio.timeout(60):
            async for _ in viewer:
                if viewer.link.state is LinkState.LOST:
                    break
        assert "is larger than" in viewer.link.error
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_a_recording_that_unpacks_to_one_endless_line_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "EVENT_LIMIT", 100_000)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(b"x" * 5_000_000))
    with pytest.raises(RecordingError, match="longer than any frame"):
        Replay(path)
