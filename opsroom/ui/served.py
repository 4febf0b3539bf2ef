"""The wall in a browser: ``textual-serve`` (an extra) runs one wall process for each open page.

Nothing that a browser sends reaches a wall but its size: keys are dropped here, whatever the wall would make of them.
There is no login, so the wall's feed is all that can be seen, pages of other origins are refused, sizes and viewers
are bounded, and the page may load nothing from elsewhere.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opsroom.errors import UsageError

if TYPE_CHECKING:
    from aiohttp.web import Application, Request, StreamResponse, WebSocketResponse
    from textual_serve.app_service import AppService
    from textual_serve.server import Server

VIEWERS = 20
"""Walls at once; each is a process."""

WIDEST, TALLEST = 400, 150
LOCAL = ("localhost", "127.0.0.1", "::1")

_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")


def serve(command: Sequence[str], host: str, port: int) -> None:
    """Serve walls made by ``command`` until a signal ends it.

    Raises:
        UsageError: the extra is not installed, or nobody may listen there.
    """
    try:
        server = _server(shlex.join(command), host, port)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the wall in a browser needs the package textual-serve ({error.name} is missing)",
            "Install it: pip install 'opsroom[serve]'",
        ) from error
    try:
        server.serve()
    except OSError as error:
        raise UsageError(f"nobody can listen at {host}:{port} ({error.strerror})", "Name another address") from error


def size_of(wide: object, high: object) -> tuple[int, int]:
    """The size a browser asks for, within what a wall can be."""
    cells, lines = (value if isinstance(value, int) else 0 for value in (wide, high))
    return max(20, min(WIDEST, cells)), max(5, min(TALLEST, lines))


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a page may open a wall: ours, or a program that is no browser (it sends no origin)."""
    return origin is None or origin.partition("://")[2] == host


def _server(command: str, host: str, port: int) -> Server:
    from aiohttp import WSMsgType, web
    from textual_serve.server import Server

    class WallServer(Server):
        """Walls only to look at."""

        viewers = 0

        def initialize_logging(self) -> None:
            """Plain warnings; Textual's own logging would print local variables."""
            logging.basicConfig(level=logging.WARNING)

        async def on_startup(self, app: Application) -> None:
            """Say where it is, without a banner."""
            self.console.print(f"The wall is at {self.public_url} ; ctrl+c ends it.", highlight=False, markup=False)
            if host not in LOCAL:
                self.console.print("Everybody who reaches this address can look at it.", highlight=False)

        async def handle_index(self, request: Request) -> StreamResponse:
            """The page, with addresses as this browser sees them."""
            if not set(request.host) <= _HOST:
                raise web.HTTPBadRequest(text="no such host")
            self.public_url = f"{request.scheme}://{request.host}"
            response: StreamResponse = await super().handle_index(request)
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            return response

        async def handle_websocket(self, request: Request) -> WebSocketResponse:
            """One wall for one page."""
            if not same_origin(request.headers.get("Origin"), request.host):
                raise web.HTTPForbidden(text="this page may not look at the wall")
            asked = [
                int(text) if text.isdecimal() else 0 for text in map(request.query.get, ("width", "height")) if text
            ]
            if self.viewers >= VIEWERS or any(value > WIDEST for value in asked):
                raise web.HTTPServiceUnavailable(text="too many walls, or too large a one")
            self.viewers += 1
            try:
                found: WebSocketResponse = await super().handle_websocket(request)
                return found
            finally:
                self.viewers -= 1

        async def _process_messages(self, websocket: WebSocketResponse, app_service: AppService) -> None:
            """Sizes and signs of life; keys, pointers and focus stay outside."""
            async for message in websocket:
                envelope: Any = message.json() if message.type == WSMsgType.TEXT else None
                if not isinstance(envelope, list) or len(envelope) != 2:
                    continue
                if envelope[0] == "resize" and isinstance(envelope[1], dict):
                    await app_service.set_terminal_size(*size_of(envelope[1].get("width"), envelope[1].get("height")))
                elif envelope[0] == "ping":
                    await websocket.send_json(["pong", envelope[1]])

    return WallServer(command, host=host, port=port, title="opsroom wall")
