"""An API server of canned answers behind an httpx transport: no sockets, every request on record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint

Answer = httpx.Response | Exception


class Chunks(httpx.AsyncByteStream):
    """A body that arrives in pieces; an exception among them breaks off."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


class Server(httpx.AsyncBaseTransport):
    """Gives out ``answers`` in order (or what ``answer`` makes of each request)."""

    def __init__(self, *answers: Answer, answer: Callable[[httpx.Request], Answer] | None = None) -> None:
        self.answers = list(answers)
        self.answer = answer
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        answer = self.answer(request) if self.answer is not None else self.answers.pop(0)
        if isinstance(answer, httpx.HTTPError):
            answer.request = request
        if isinstance(answer, Exception):
            raise answer
        answer.request = request
        return answer

    def connection(self, **endpoint: Any) -> Connection:
        """A connection to this server."""
        found = Endpoint(host="https://api.test:6443", context="prod", user="anna", **endpoint)
        return Connection(found, transport=self)

    def asked(self, index: int = -1) -> dict[str, str]:
        """Query parameters of a request."""
        return dict(self.requests[index].url.params)


def body(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(status, json=value, headers=headers)


def status(code: int, reason: str = "", message: str = "", **details: Any) -> httpx.Response:
    """A failure as the API server words it."""
    value: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }
    return body(value, code)


def stream(*chunks: bytes | Exception) -> httpx.Response:
    """A watch."""
    return httpx.Response(200, stream=Chunks(*chunks))


def line(kind: str, uid: str = "", version: str = "", **more: Any) -> bytes:
    """One line of a watch."""
    thing = {"metadata": {"uid": uid, "resourceVersion": version}, **more}
    return json.dumps({"type": kind, "object": thing}).encode() + b"\n"


class Kube:
    """The makers above, for tests that cannot import this file."""

    Server = Server
    body = staticmethod(body)
    status = staticmethod(status)
    stream = staticmethod(stream)
    line = staticmethod(line)


@pytest.fixture
def kube() -> type[Kube]:
    """Canned answers and the server that gives them."""
    return Kube
