"""Two HTTP servers in one process and one event loop, on loopback, without signal handlers of their own.

It knows ASGI applications and sockets, nothing of what they serve.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handling: who started the servers ends them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


class LoopbackServer:
    """One application on one loopback port; port 0 takes a free one. Raises OSError if the port is taken."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        # The protocol is named because asyncio sets TCP_NODELAY on such sockets only: without it an answer takes 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOOPBACK, port))
        except OSError:
            self._socket.close()
            raise
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Serve, and return once requests are accepted; raises RuntimeError when the server ends before that."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End it; open streams are cut, not waited for."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError), _without_complaints():
                await self._task
                streams = list(self._server.server_state.tasks)
                for stream in streams:
                    stream.cancel()
                await asyncio.gather(*streams, return_exceptions=True)
        self._socket.close()


@contextlib.contextmanager
def _without_complaints() -> Iterator[None]:
    """uvicorn logs a traceback for every stream that is cut; whoever cuts them does not want it."""
    logger = logging.getLogger("uvicorn.error")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
