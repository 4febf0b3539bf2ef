"""Reading an HTTP/1.1 stream of server-sent events over asyncio streams, with h11 for the protocol.

Small on purpose: the terminal's process imports it before its first paint, so no HTTP client library. It knows
bytes, limits and time-outs; what the events mean is the client's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import h11

from opsroom.domain.clean import clean
from opsroom.errors import NotPermitted, Unauthorized, Unreachable
from opsroom.feed.address import Address
from opsroom.feed.frames import EVENT_LIMIT

CONNECT_SECONDS = 5.0
CHUNK = 64 * 1024
BODY_LIMIT = 256 * 1024 * 1024
"""Bytes of one whole picture (``GET /picture``)."""

Token = Callable[[], str]
"""Gives the bearer token at each attempt, so that a renewed one is used."""


class Line:
    """One request on one connection."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)
        self._ended = False

    @classmethod
    async def open(cls, address: Address) -> Line:
        """Connect.

        Raises:
            Unreachable: nobody listens there, or not in time.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if address.path:
                    reader, writer = await asyncio.open_unix_connection(address.path, limit=CHUNK)
                else:
                    context = ssl.create_default_context() if address.tls else None
                    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context, limit=CHUNK)
        except TimeoutError as error:
            raise Unreachable(f"the feed at {address} did not answer in {CONNECT_SECONDS:.0f} s") from error
        except ssl.SSLError as error:
            raise Unreachable(
                f"the feed at {address} has a certificate that is not trusted ({error.reason})"
            ) from error
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise Unreachable(f"no worker answers at {address} ({why})", "Start one with: opsroom worker") from error
        return cls(address, reader, writer)

    async def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()

    async def ask(self, path: str, token: str, silence: float) -> None:
        """Send ``GET path`` and read the answer's head.

        Raises:
            Unauthorized: 401. NotPermitted: 403. Unreachable: anything else but 200.
        """
        headers = [("Host", self._host()), ("Accept", "text/event-stream, application/json"), ("Connection", "close")]
        if token:
            headers.append(("Authorization", f"Bearer {token}"))
        try:
            request = h11.Request(method="GET", target=self._address.prefix + path, headers=headers)
        except h11.LocalProtocolError as error:
            raise Unauthorized("the feed's token is not one line of printable text") from error
        data = (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        self._writer.write(data)
        head = await self._next(silence)
        while isinstance(head, h11.InformationalResponse):
            head = await self._next(silence)
        if not isinstance(head, h11.Response):
            raise Unreachable(f"the feed at {self._address} closed the line before it answered")
        await self._check(head.status_code, silence)

    async def _check(self, status: int, silence: float) -> None:
        if status == 200:
            return
        words = (await self._next(silence)) if status in (403, 503) else None
        said = clean(bytes(words.data[:200]).decode(errors="replace")) if isinstance(words, h11.Data) else ""
        if status == 401:
            raise Unauthorized(f"the feed at {self._address} does not know you", "Log in with: opsroom login feed")
        if status == 403:
            raise NotPermitted(f"the feed at {self._address} refuses you" + (f" ({said})" if said else ""))
        raise Unreachable(f"the feed at {self._address} answers HTTP {status}" + (f" ({said})" if said else ""))

    async def body(self, silence: float) -> AsyncIterator[bytes]:
        """The answer's body, piece by piece, until its end; ``silence`` seconds without a byte are an error."""
        while True:
            part = await self._next(silence)
            if isinstance(part, h11.Data):
                yield bytes(part.data)
            else:
                return

    async def _next(self, silence: float) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            try:
                found = self._http.next_event()
            except h11.RemoteProtocolError as error:
                if self._ended:
                    raise Unreachable(f"the line to the worker at {self._address} broke off") from error
                raise Unreachable(
                    f"what answers at {self._address} does not speak HTTP ({clean(error, 200)})"
                ) from error
            if found is not h11.NEED_DATA:
                return found
            try:
                async with asyncio.timeout(silence):
                    data = await self._reader.read(CHUNK)
            except TimeoutError as error:
                raise Unreachable(f"no word from the worker at {self._address} for {silence:.0f} s") from error
            except OSError as error:
                raise Unreachable(f"the line to the worker at {self._address} broke ({error.strerror})") from error
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise Unreachable(f"the feed at {self._address} closed the line before it answered")
            self._ended = not data
            self._http.receive_data(data)

    def _host(self) -> str:
        if self._address.path:
            return "localhost"
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        return f"{host}:{self._address.port}"


class EventReader:
    """Cuts a body into server-sent events: ``(data, comment)``, one of the two empty."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._looked = 0

    def push(self, piece: bytes) -> list[tuple[bytes, bytes]]:
        """Take the next piece of the body, give the events that it completes.

        Raises:
            Unreachable: an event is longer than the limit.
        """
        self._rest += piece
        found: list[tuple[bytes, bytes]] = []
        while (end := self._rest.find(b"\n\n", self._looked)) >= 0:
            with memoryview(self._rest) as whole:
                block = bytes(whole[:end])
            found += self._read(block)
            del self._rest[: end + 2]
            self._looked = 0
        self._looked = max(0, len(self._rest) - 1)
        if len(self._rest) > self._limit:
            self._rest.clear()
            self._looked = 0
            raise Unreachable(
                f"the feed sent an event of more than {self._limit // 2**20} MiB", "Is the address right?"
            )
        return found

    def _read(self, block: bytes) -> list[tuple[bytes, bytes]]:
        data: list[bytes] = []
        found: list[tuple[bytes, bytes]] = []
        for line in block.split(b"\n"):
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif line.startswith(b":"):
                found.append((b"", line[1:].strip()))
        if data:
            found.append((b"\n".join(data), b""))
        return found
