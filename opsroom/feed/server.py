"""The worker's end of the feed: an ASGI application with the picture, the stream of changes, /metrics and what it is.

Each viewer has its own task and its own last-seen sequence. The task waits until the socket takes more, then sends
what is newest at that moment: a slow reader skips states, nobody queues for it and the worker never waits. Every
answer is a GET; there is nothing here that changes anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from opsroom import __version__
from opsroom.errors import NotPermitted, Unauthorized, Unreachable
from opsroom.feed.frames import BEAT_SECONDS, NAMESPACE, Hello, beat, encode, event
from opsroom.feed.openapi import description
from opsroom.feed.published import Published, Viewer

VIEWERS_MAX = 200

RECHECK_SECONDS = 60.0
"""Between two looks at whether somebody who watches still may: rights are taken back, tokens end."""

Authorize = Callable[[str], Awaitable[Viewer]]
"""From a bearer token (may be empty) to a viewer; raises Unauthorized, NotPermitted or Unreachable."""

log = logging.getLogger(__name__)

_PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def everybody(token: str) -> Viewer:
    """Authorization where the socket itself is the guard: who can connect may see all."""
    return Viewer()


@dataclass(slots=True)
class FeedApp:
    """What the routes share."""

    published: Published
    metrics: Callable[[], str]
    """Makes the text of /metrics."""
    authorize: Authorize = everybody
    local_names_only: bool = False
    """Refuse requests whose Host is a name from outside (DNS rebinding), where no token guards the port."""
    clock: Callable[[], float] = time.time
    beat: float = BEAT_SECONDS
    recheck: float = RECHECK_SECONDS
    viewers: int = 0
    last_left: float | None = None
    """Monotonic seconds at which the last viewer left, or a script took a picture; None: there was none yet."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def asgi(self) -> Starlette:
        """The application to serve."""
        return Starlette(
            routes=[
                Route("/feed", _Stream(self)),
                Route("/picture", self._picture),
                Route("/metrics", self._metrics),
                Route("/healthz", self._healthz),
                Route("/openapi.json", self._openapi),
            ]
        )

    async def admit(self, request: Request) -> Viewer | Response:
        """The viewer behind a request, or the answer that refuses it."""
        if self.local_names_only and not is_local(request.headers.get("host", "")):
            return _refusal(403, "only by a local name")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            viewer = await self.authorize(token.strip() if scheme.lower() == "bearer" else "")
            viewer = viewer.only(request.query_params.getlist(NAMESPACE))
        except Unauthorized as error:
            return _refusal(401, str(error))
        except NotPermitted as error:
            return _refusal(403, str(error))
        except Unreachable as error:
            return _refusal(503, str(error))
        if viewer.namespaces == frozenset():
            # An empty picture would look as if all were well.
            return _refusal(403, "you may see none of these namespaces")
        return viewer

    async def _picture(self, request: Request) -> Response:
        viewer = await self.admit(request)
        if isinstance(viewer, Response):
            return viewer
        self.last_left = time.monotonic()
        body = self.published.picture(viewer)
        if not body:
            return _refusal(503, "no picture yet")
        return Response(body, media_type="application/json", headers=_PLAIN)

    async def _metrics(self, request: Request) -> Response:
        viewer = await self.admit(request)
        if isinstance(viewer, Response):
            return viewer
        if viewer.namespaces is not None:
            return _refusal(403, "metrics are for viewers of all namespaces")
        return PlainTextResponse(self.metrics(), media_type="text/plain; version=0.0.4", headers=_PLAIN)

    async def _healthz(self, request: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_PLAIN)

    async def _openapi(self, request: Request) -> Response:
        viewer = await self.admit(request)
        if isinstance(viewer, Response):
            return viewer
        return Response(msgspec.json.encode(description()), media_type="application/json", headers=_PLAIN)


class _Stream:
    """``GET /feed``: one viewer's stream of events."""

    def __init__(self, app: FeedApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if scope["method"] != "GET":
            refused = _refusal(405, "GET only")
            refused.headers["allow"] = "GET"
            await refused(scope, receive, send)
            return
        viewer = await self._app.admit(request)
        if isinstance(viewer, Viewer) and self._app.viewers >= VIEWERS_MAX:
            viewer = _refusal(503, f"{VIEWERS_MAX} viewers are connected already")
        if isinstance(viewer, Response):
            await viewer(scope, receive, send)
            return
        self._app.viewers += 1
        left = asyncio.ensure_future(_left(receive))
        sending = asyncio.ensure_future(self._send(viewer, send))
        closing = asyncio.ensure_future(self._app.closing.wait())
        expelled = asyncio.ensure_future(self._expelled(request, viewer))
        tasks = (left, sending, closing, expelled)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._app.viewers -= 1
            self._app.last_left = time.monotonic()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if sending.done() and not sending.cancelled() and (fault := sending.exception()) is not None:
            log.error("a viewer's stream broke off", exc_info=fault)
        ended = self._app.closing.is_set() or not expelled.cancelled()
        if ended and not left.done():
            await send({"type": "http.response.body", "body": b""})

    async def _expelled(self, request: Request, viewer: Viewer) -> None:
        """Return when the caller's token is no good any more, or shows something else than it did."""
        while True:
            await asyncio.sleep(self._app.recheck)
            now = await self._app.admit(request)
            # A cluster that cannot be asked for a while takes nobody's picture away.
            if now != viewer and not (isinstance(now, Response) and now.status_code == 503):
                return

    async def _send(self, viewer: Viewer, send: Send) -> None:
        app, published = self._app, self._app.published
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream"),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ],
            }
        )

        async def push(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        await push(event(encode(Hello(version=__version__, beat=app.beat))))
        seen = 0
        while True:
            if await published.newer_than(seen, app.beat):
                # Both before the first await: what is sent now is the newest at this moment, whole.
                frames, seen = published.frames_since(seen, viewer), published.seq
                for frame in frames:
                    await push(event(frame))
            else:
                await push(beat(app.clock(), published.looked))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(status: int, why: str) -> Response:
    return PlainTextResponse(why + "\n", status_code=status, headers=_PLAIN)


def is_local(host: str) -> bool:
    """Whether a ``Host`` header names this machine by loopback."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
