"""The child process that does one deed: ``opsroom act``, intent on its standard input, deeds on its output.

It runs in a session of its own, and is no asyncio subprocess (closing the loop would kill that): once ``go`` was
said, the deed is finished and journalled even if this terminal is closed at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from typing import IO

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, Intent

END_SECONDS = 2.0
"""How long a stopped child may take to end by itself."""

LINE_LIMIT = 1 << 20
_DEED = msgspec.json.Decoder(Deed)


class Child:
    """One running ``opsroom act``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._transports: list[asyncio.BaseTransport] = []
        self.error = ""
        """The child's last words on standard error, cleaned."""

    @classmethod
    def start(cls, command: Sequence[str], intent: Intent) -> Child:
        """Start the command and hand it the intent.

        Raises:
            OSError: it cannot be started.
        """
        process = subprocess.Popen(  # noqa: S603  (our own command, no shell)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        child = cls(process)
        child.say(msgspec.json.encode(intent))
        return child

    def say(self, line: bytes) -> None:
        """Write one line; that a child is gone already is noticed by its output's end."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line + b"\n")

    async def deeds(self) -> AsyncIterator[Deed]:
        """Each state it reports, until it ends; lines that are none are passed over."""
        stdout, stderr = await self._open(self._process.stdout), await self._open(self._process.stderr)
        words = asyncio.create_task(stderr.read(8192))
        try:
            async for line in stdout:
                with contextlib.suppress(msgspec.MsgspecError):
                    yield _DEED.decode(line)
            lines = (await words).decode(errors="replace").strip().splitlines()
            self.error = clean(lines[-1]) if lines else ""
            await self._ended()
        finally:
            words.cancel()
            self.let_go()

    async def _open(self, pipe: IO[bytes] | None) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
        self._transports.append(transport)
        return reader

    async def _ended(self) -> bool:
        """Wait for its end, a short while; a process has no event that needs no thread and no signal handler."""
        for _ in range(round(END_SECONDS / 0.02)):
            if self._process.poll() is not None:
                return True
            await asyncio.sleep(0.02)
        return False

    async def stop(self) -> None:
        """End it before the deed: ``esc``, end of input, and force only if neither helps."""
        self.say(b"esc")
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not await self._ended():
            self._process.kill()
            await self._ended()
        self.let_go()

    def let_go(self) -> None:
        """Close our ends; a deed that was sent goes on without us."""
        for transport in self._transports:
            transport.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self._process.poll() is None:
            # It outlives us on purpose; a Popen without a return code would complain when it is collected.
            self._process.returncode = 0
