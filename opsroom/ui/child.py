"""The child process that does one deed: ``opsroom act``, intent on its standard input, deeds on its output.

It runs in a session of its own: once ``go`` was said, the deed is finished and journalled even if this terminal is
closed at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, Intent

END_SECONDS = 2.0
"""How long a stopped child may take to end by itself."""

_DEED = msgspec.json.Decoder(Deed)


class Child:
    """One running ``opsroom act``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.error = ""
        """The child's last words on standard error, cleaned."""

    @classmethod
    async def start(cls, command: Sequence[str], intent: Intent) -> Child:
        """Start the command and hand it the intent.

        Raises:
            OSError: it cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        child = cls(process)
        child.say(msgspec.json.encode(intent))
        return child

    def say(self, line: bytes) -> None:
        """Write one line; a child that is gone already is noticed by its output's end."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            with contextlib.suppress(OSError):
                stdin.write(line + b"\n")

    async def deeds(self) -> AsyncIterator[Deed]:
        """Each state it reports, until it ends; lines that are none are passed over."""
        stdout, stderr = self._process.stdout, self._process.stderr
        if stdout is None or stderr is None:
            return
        words = asyncio.create_task(stderr.read(8192))
        async for line in stdout:
            with contextlib.suppress(msgspec.MsgspecError):
                yield _DEED.decode(line)
        lines = (await words).decode(errors="replace").strip().splitlines()
        self.error = clean(lines[-1]) if lines else ""
        await self._process.wait()

    async def stop(self) -> None:
        """End it before the deed: ``esc``, end of input, and force only if neither helps."""
        self.say(b"esc")
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
