"""The wall as a browser gets it: drawn over a web socket, deaf to keys, closed to pages of others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

pytest.importorskip("textual_serve", reason="the extra opsroom[serve] is not installed")
aiohttp = pytest.importorskip("aiohttp")

PATIENCE = 30.0


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A served wall whose feed is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "opsroom", "wall", "--feed", "unix:/nowhere.sock", "--serve", where]
    environment = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "TERM")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        assert process.stdout is not None
        assert where in process.stdout.readline().decode()
        yield where
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


async def until_shown(page: Any, words: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while words not in seen:
            message = await page.receive()
            seen += message.data if isinstance(message.data, bytes) else b""
    return seen


def test_the_page_is_there_and_may_load_nothing_from_elsewhere(address: str) -> None:
    async def look() -> None:
        async with aiohttp.ClientSession() as session, _ready(session, address) as answer:
            assert answer.status == 200
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert f"ws://{address}/ws" in await answer.text()

    asyncio.run(look())


def test_a_wall_is_drawn_in_the_size_of_the_page_and_no_key_ends_it(address: str) -> None:
    async def look() -> None:
        url = f"ws://{address}/ws?width=100&height=30"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as page:
            await until_shown(page, b"OPSROOM")
            for key in ("q", "\x03", "\x03", "x"):
                await page.send_json(["stdin", key])
            await page.send_json(["resize", {"width": 10**9, "height": "x"}])
            await page.send_json("nonsense")
            await page.send_json(["resize", {"width": 90, "height": 25}])
            await page.send_json(["ping", 7])
            async with asyncio.timeout(PATIENCE):
                while True:
                    message = await page.receive()
                    assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
                    if message.data == '["pong", 7]':
                        break
            await until_shown(page, b"NO FEED")

    asyncio.run(look())


def test_pages_of_others_and_sizes_without_sense_get_none(address: str) -> None:
    async def look() -> None:
        async with aiohttp.ClientSession() as session:
            for url, origin, status in (
                ("/ws?width=100&height=30", "http://evil.example", 403),
                ("/ws?width=1000000000&height=30", f"http://{address}", 503),
            ):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(f"ws://{address}{url}", headers={"Origin": origin})
                assert refused.value.status == status

    asyncio.run(look())


@contextlib.asynccontextmanager
async def _ready(session: Any, address: str) -> AsyncIterator[Any]:
    """The page, as soon as somebody listens."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(f"http://{address}/") as answer:
                    yield answer
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
