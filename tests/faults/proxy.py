"""A fault proxy: one client's way to one server, spoilt by the weather, with a record of everything that passed.

HTTP/1.1 in, HTTP/1.1 out, one connection to the server for each request, base paths kept as they are (a kubeconfig
of the simulator carries its token in the path). It knows no invariants: it does and notes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.faults import wire
from tests.faults.record import Call, Record
from tests.faults.streams import WatchStream
from tests.faults.weather import Fault, Kind, Side, Weather

TICK = 0.05
"""Seconds between two looks at a frozen sky."""

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class FaultProxy:
    """Listens on loopback between ``client`` and the server at ``url``."""

    def __init__(self, client: str, side: Side, url: str, weather: Weather, record: Record) -> None:
        parts = urlsplit(url)
        self.client, self.side = client, side
        self._base = parts.path.rstrip("/")
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._weather, self._record = weather, record
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """What the client is told instead of the server's address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._base}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=wire.LIMIT)

    async def stop(self) -> None:
        """Cut everything."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False: the connection ends."""
        head = await wire.read_head(reader)
        if head is None:
            return False
        body = await wire.read_body(reader, head)
        method, target, _ = head.first.split(" ", 2)
        path = target.partition("?")[0].removeprefix(self._base)
        identity = head.headers.get("authorization", "") or self._base
        call = Call(self.client, self.side, method, path, time.time(), identity=identity, body=body)
        self._record.keep(call)
        await self._thaw(path)
        if fault := self._hit(Kind.DELAY, call):
            await asyncio.sleep(fault.wait)
        if self._hit(Kind.REFUSE, call):
            return False
        if fault := self._hit(Kind.STATUS, call):
            return await self._refuse(fault, call, writer)
        if "watch=1" in target or "watch=true" in target:
            return await self._watch(head, target, call, reader, writer)
        return await self._pass(head, target, call, writer)

    async def _refuse(self, fault: Fault, call: Call, writer: asyncio.StreamWriter) -> bool:
        call.told = fault.code
        headers = {"content-type": "application/json"}
        if fault.retry_after is not None:
            headers["retry-after"] = f"{fault.retry_after:g}"
        if fault.code == 403:
            # Who refuses lives: a worker may count that as an answer.
            self._record.is_good(self.client, self.side, time.time())
        writer.write(wire.answer(fault.code, headers, status_body(fault.code)))
        await writer.drain()
        return True

    async def _pass(self, head: wire.Head, target: str, call: Call, writer: asyncio.StreamWriter) -> bool:
        write = call.method in WRITES
        status, headers, body = await self._ask(head, target, call)
        if write and status < 300 and self._hit(Kind.DOUBLE, call):
            first = call.answer
            status, headers, body = await self._ask(head, target, call)
            if status >= 300:
                call.upstream, call.answer = 200, first
        await self._thaw(call.path)
        if self._hit(Kind.LOSE, call):
            return False
        if write and self._hit(Kind.LATE_TIMEOUT, call):
            call.told = 504
            writer.write(wire.answer(504, {"content-type": "application/json"}, status_body(504)))
            await writer.drain()
            return True
        if self._hit(Kind.GARBAGE, call):
            status, body = 200, b"<html>" + body[:40]
        elif self._hit(Kind.EMPTY, call):
            body = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
        whole = wire.answer(status, headers, body)
        if self._hit(Kind.TRUNCATE, call):
            writer.write(whole[: len(whole) - len(body) // 2 - 1])
            await writer.drain()
            return False
        writer.write(whole)
        await writer.drain()
        call.told, call.done = status, time.time()
        if call.method == "GET":
            # An hour holds thousands of looks; only which version was seen matters of each.
            version = ((call.answered or {}).get("metadata") or {}).get("resourceVersion", "")
            call.answer = msgspec.json.encode({"metadata": {"resourceVersion": version}})
        self._record.bytes_to[self.client] += len(whole)
        if status < 300 and not {Kind.GARBAGE, Kind.EMPTY} & set(call.faults):
            self._record.is_good(self.client, self.side, call.done)
        return True

    async def _ask(self, head: wire.Head, target: str, call: Call) -> tuple[int, dict[str, str], bytes]:
        async with self._upstream() as (reader, writer):
            writer.write(wire.request(call.method, target, self._passed_on(head), call.body))
            await writer.drain()
            told = await wire.read_head(reader)
            if told is None:
                raise ConnectionResetError("the server closed")
            body = await wire.read_body(reader, told)
        call.passed, call.upstream, call.answer = time.time(), told.status, body if len(body) < 1 << 18 else b""
        kept = {name: value for name, value in told.headers.items() if name in ("content-type", "retry-after")}
        return told.status, kept, body

    async def _watch(
        self,
        head: wire.Head,
        target: str,
        call: Call,
        client: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        async with self._upstream() as (reader, up):
            up.write(wire.request(call.method, target, self._passed_on(head), call.body))
            await up.drain()
            told = await wire.read_head(reader)
            if told is None:
                return False
            call.upstream = call.told = told.status
            if told.status != 200:
                kept = {"content-type": told.headers.get("content-type", "")}
                writer.write(wire.answer(told.status, kept, await wire.read_body(reader, told)))
                await writer.drain()
                return False
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            stream = WatchStream(call, self._weather, self._record, writer)
            await _first(stream.pump(wire.pieces(reader, told)), client.read(1))
        return False

    @asynccontextmanager
    async def _upstream(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=wire.LIMIT)
        try:
            yield reader, writer
        finally:
            writer.close()

    def _passed_on(self, head: wire.Head) -> dict[str, str]:
        """Headers for the server; where its address carries a token, the client's own may be anything."""
        return {name: text for name, text in head.headers.items() if name != "authorization" or not self._base}

    async def _thaw(self, path: str) -> None:
        while self._weather.frozen(self.side, path):  # noqa: ASYNC110 - the sky sets no event
            await asyncio.sleep(TICK)

    def _hit(self, kind: Kind, call: Call) -> Fault | None:
        fault = self._weather.hit(kind, self.side, call.path)
        if fault is not None:
            call.faults.append(kind)
            self._record.faults[f"{self.side}:{kind}"] += 1
        return fault


async def _first(*ways: Awaitable[Any]) -> None:
    """Wait until one of ``ways`` ends, and end the others."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await asyncio.gather(*tasks, return_exceptions=True)


REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def status_body(code: int) -> bytes:
    """A ``v1.Status`` as an API server words it."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
    return msgspec.json.encode({**body, "reason": REASONS[code], "message": f"the fault proxy says {code}"})


def through(kubeconfig: Path, url: str, new: Path) -> Path:
    """A copy of ``kubeconfig`` at ``new`` that leads to ``url``."""
    config: dict[str, Any] = msgspec.json.decode(kubeconfig.read_bytes())
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = url
    new.write_bytes(msgspec.json.encode(config))
    new.chmod(0o600)
    return new


def server_of(kubeconfig: Path) -> str:
    """The server's address in a kubeconfig of the simulator (which is JSON)."""
    config: dict[str, Any] = msgspec.json.decode(kubeconfig.read_bytes())
    return str(config["clusters"][0]["cluster"]["server"])
