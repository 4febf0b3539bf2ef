"""HTTP/1.1 as far as the proxy needs it: read a head and a body, send an answer. No more, and nothing of faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

LIMIT = 16 * 1024 * 1024
"""Bytes of one watch line at most."""

END = b"\r\n"


@dataclass(frozen=True, slots=True)
class Head:
    """First line and headers; names in lower case."""

    first: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split(" ", 2)[1])

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head; None at the end of the connection."""
    try:
        data = await reader.readuntil(END + END)
    except asyncio.IncompleteReadError:
        return None
    first, *lines = data[: -len(END + END)].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(first, {name.strip().lower(): value.strip() for name, _, value in pairs})


async def pieces(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The body, piece by piece as it comes."""
    if head.chunked:
        while size := int((await reader.readuntil(END)).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(END)
        return
    left = int(head.headers.get("content-length", "0"))
    if left:
        yield await reader.readexactly(left)


async def read_body(reader: asyncio.StreamReader, head: Head) -> bytes:
    """The whole body."""
    return b"".join([piece async for piece in pieces(reader, head)])


def request(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    """One request that is the only one of its connection."""
    skipped = ("connection", "content-length", "transfer-encoding", "keep-alive", "accept-encoding")
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name not in skipped]
    lines += ["connection: close", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + END + END + body


def answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """One answer with a length; the connection stays open."""
    lines = [f"HTTP/1.1 {status} ."]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + END + END + body


def chunk(data: bytes) -> bytes:
    """One chunk of a stream."""
    return f"{len(data):x}".encode() + END + data + END
