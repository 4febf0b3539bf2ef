"""A watch on its way through the proxy, line by line: cut, expired, repeated, bookmarked, late or frozen."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator

from tests.faults import wire
from tests.faults.record import Call, Record
from tests.faults.weather import Kind, Side, Weather

LOOK = 0.25
"""Seconds between two looks at the weather while no event comes."""

_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
_KIND = re.compile(rb'"kind":"(\w+)"')


class WatchStream:
    """One watch from the server to ``writer``."""

    def __init__(self, call: Call, weather: Weather, record: Record, writer: asyncio.StreamWriter) -> None:
        self._call, self._weather, self._record, self._writer = call, weather, record, writer
        self._last = b'{"type":"MODIFIED","object":{"kind":"Pod"}}\n'

    async def pump(self, pieces: AsyncIterator[bytes]) -> None:
        """Pass lines on until the watch ends, by itself or by the weather."""
        lines: asyncio.Queue[bytes | None] = asyncio.Queue(4096)
        reading = asyncio.ensure_future(_read(pieces, lines))
        try:
            while True:
                line: bytes | None = b""
                with contextlib.suppress(TimeoutError):
                    line = await asyncio.wait_for(lines.get(), LOOK)
                await self._thaw()
                if await self._ended(line):
                    return
                if line is None:
                    self._writer.write(b"0\r\n\r\n")
                    await self._writer.drain()
                    return
                if line:
                    await self._send(line)
        finally:
            reading.cancel()

    async def _ended(self, line: bytes | None) -> bool:
        if self._hit(Kind.CUT, LOOK if not line else 1.0):
            whole = line or self._last
            self._writer.write(wire.chunk(whole[: max(1, len(whole) // 2)]))
            await self._writer.drain()
            return True
        if self._hit(Kind.EXPIRE, LOOK if not line else 1.0):
            status = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}'
            self._writer.write(wire.chunk(b'{"type":"ERROR","object":' + status + b"}\n") + b"0\r\n\r\n")
            await self._writer.drain()
            return True
        return False

    async def _send(self, line: bytes) -> None:
        fault = self._weather.hit(Kind.LAG, Side.KUBE, self._call.path)
        if fault is not None:
            self._record.faults[f"kube:{Kind.LAG}"] += 1
            await asyncio.sleep(min(fault.wait, max(0.0, fault.end - self._weather.now)))
        out = wire.chunk(line)
        if self._hit(Kind.REPEAT):
            out += wire.chunk(line)
        if self._hit(Kind.BOOKMARK):
            out += wire.chunk(bookmark(line))
        self._writer.write(out)
        await self._writer.drain()
        self._last = line
        self._record.is_good(self._call.client, Side.KUBE, time.time())

    async def _thaw(self) -> None:
        while self._weather.frozen(Side.KUBE, self._call.path):  # noqa: ASYNC110 - the sky sets no event
            await asyncio.sleep(0.05)

    def _hit(self, kind: Kind, share: float = 1.0) -> bool:
        if self._weather.hit(kind, Side.KUBE, self._call.path, share) is None:
            return False
        self._record.faults[f"kube:{kind}"] += 1
        return True


def bookmark(line: bytes) -> bytes:
    """A bookmark at the version of ``line``, as the API server words it."""
    version, kind = _VERSION.search(line), _KIND.search(line)
    number = version[1].decode() if version else "1"
    name = kind[1].decode() if kind else "Pod"
    metadata = f'{{"resourceVersion":"{number}","creationTimestamp":null}}'
    return f'{{"type":"BOOKMARK","object":{{"kind":"{name}","apiVersion":"v1","metadata":{metadata}}}}}\n'.encode()


async def _read(pieces: AsyncIterator[bytes], lines: asyncio.Queue[bytes | None]) -> None:
    rest = b""
    try:
        async for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                await lines.put(line + b"\n")
    except (OSError, asyncio.IncompleteReadError):
        pass
    await lines.put(None)
