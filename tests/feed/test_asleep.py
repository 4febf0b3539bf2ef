"""Viewers that do not read: nobody waits for them, and what they cost stays what it was."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from opsroom.domain.board import Room, Row
from opsroom.feed import callers
from opsroom.feed.client import FeedClient
from opsroom.feed.listening import Door
from opsroom.feed.published import Published, Viewer

ASLEEP, LOOKS, ROWS = 10, 30, 300
HIGH_WATER = 64 * 1024
"""Bytes that a connection takes before its writer is told to wait (uvicorn's flow control)."""


async def asleep(path: Path) -> socket.socket:
    """A viewer that asks for the feed and never reads."""
    line = socket.socket(socket.AF_UNIX)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, str(path))
    line.sendall(b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return line


async def everything(line: socket.socket, seq: int) -> bytes:
    """All that a viewer finds who wakes up, up to the end of the frame ``seq``."""
    found = bytearray()
    async with asyncio.timeout(60):
        while b'"seq":%d' % seq not in found:
            found += await asyncio.get_running_loop().sock_recv(line, 1 << 20)
    return bytes(found)


def waiting(door: Door) -> list[int]:
    """Bytes that wait for each viewer in this process."""
    connections: set[Any] = door._server.server_state.connections
    return [one.transport.get_write_buffer_size() for one in connections]


def test_ten_that_never_read_hold_up_nobody_and_cost_one_frame_each(
    open_feed: Callable[[Published], AbstractAsyncContextManager[Door]],
    socket_path: Path,
    make_row: Callable[..., Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # That they are let go after a while is tested elsewhere.
    monkeypatch.setattr(callers, "HEAD_SECONDS", 600.0)

    async def run() -> None:
        published, seen = Published(), asyncio.Event()
        published.publish(Room(at=0.0), [make_row(n, big=True) for n in range(ROWS)])
        most = max(map(len, published.frames_since(0, Viewer())))
        async with open_feed(published) as door:
            sleepers = [await asleep(socket_path) for _ in range(ASLEEP)]
            client = FeedClient(f"unix:{socket_path}")

            async def follow() -> None:
                async for _ in client:
                    if client.board.seq == published.seq and sum(map(bool, waiting(door))) >= ASLEEP:
                        seen.set()

            following = asyncio.ensure_future(follow())
            for turn in range(1, LOOKS):
                async with asyncio.timeout(60):
                    await seen.wait()
                seen.clear()
                published.publish(Room(at=float(turn)), [make_row(n, turn, big=True) for n in range(ROWS)])
                assert max(waiting(door)) <= HIGH_WATER + most + 1024
            assert len(waiting(door)) == ASLEEP + 1
            for one in sleepers:
                # The picture, and what has changed since: no state in between was kept for whoever did not take it.
                assert (await everything(one, published.seq)).count(b'"seq":') <= 6
                one.close()
            following.cancel()

    asyncio.run(run())
