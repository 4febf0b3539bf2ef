"""Read from the API server: GET, whole lists in pages, watches. There is no way to send anything else from here.

Protocol: K8S staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go (ListOptions);
client-go tools/cache/reflector.go.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar, cast

import httpx
import msgspec

from opsroom.domain.clean import clean
from opsroom.errors import Unreachable
from opsroom.kube.connection import Connection, Request
from opsroom.kube.failures import Expired, Status, in_stream, not_gone, refusal, unanswered
from opsroom.kube.objects import Event, Listing, decoder, read_one, read_page

T = TypeVar("T")

PAGE = 500
WATCH_SECONDS = (300, 600)
RESTARTS = 3
"""How often a list is begun anew because its continue token ran out."""


class Reader:
    """GET only, structurally: the method is not a parameter."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def get(self, path: str, type_: type[T], params: dict[str, str] | None = None) -> T:
        """Read one object as ``type_`` (``dict`` gives all of it).

        Raises:
            Gone, NotPermitted, Unauthorized, Rejected, Unreachable: as their names say.
        """
        try:
            body = await self.get_bytes(path, params)
        except Expired as error:
            raise not_gone(error, named(path)) from error
        try:
            value: T = read_one(body, type_)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._nonsense(path, error) from error
        return value

    async def get_bytes(self, path: str, params: dict[str, str] | None = None) -> bytes:
        """Read whatever stands at ``path``: logs, or a service behind the API server's proxy."""
        response = await self.connection.send(Request("GET", path, params))
        if response.status_code >= 300:
            raise refusal(response, self.connection.endpoint, named(path))
        return response.content

    async def list_pages(self, path: str, type_: type[T], params: dict[str, str] | None = None) -> Listing[T]:
        """Read a whole list, page by page; begins anew when the server forgot where it was (410).

        Raises:
            as ``get``.
        """
        for attempt in range(RESTARTS):
            try:
                return await self._list(path, type_, params or {})
            except Expired:
                if attempt == RESTARTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def _list(self, path: str, type_: type[T], params: dict[str, str]) -> Listing[T]:
        items: list[T] = []
        unreadable, version, token = 0, "", ""
        while True:
            query = {**params, "limit": str(PAGE)}
            if token:
                query["continue"] = token
            body = await self.get_bytes(path, query)
            try:
                page, bad = read_page(body, type_)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise self._nonsense(path, error) from error
            items.extend(page.items or [])
            unreadable += bad
            version, token = page.metadata.resource_version, page.metadata.continue_
            if not token:
                return Listing(items=items, resource_version=version, unreadable=unreadable)
            await asyncio.sleep(0)

    async def watch(
        self,
        path: str,
        type_: type[T],
        resource_version: str,
        params: dict[str, str] | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[Event[T], None]:
        """Events since ``resource_version``, bookmarks among them.

        Ends when the server closes the stream in peace, or was silent for so long that a new stream is the better
        proof of life. ``opened`` is called once the server has accepted. Objects that do not fit ``type_`` are
        passed over.

        Raises:
            Expired: the version is too old: list again.
            Unreachable: the stream broke off.
            NotPermitted, Gone, Unauthorized: the server does not let us (any more).
        """
        query = {
            **(params or {}),
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),  # noqa: S311
        }
        endpoint = self.connection.endpoint
        read = decoder(Event[type_]).decode  # type: ignore[valid-type]
        async with self.connection.stream(path, query) as response:
            try:
                if response.status_code >= 300:
                    await response.aread()
                    raise refusal(response, endpoint, named(path))
                if opened is not None:
                    opened()
                lines = Lines()
                # One chunk an event and thousands of them a second: every layer between socket and decoder counts.
                async for chunk in cast(httpx.AsyncByteStream, response.stream):
                    for line in lines.cut(chunk):
                        try:
                            event: Event[T] | None = read(line)
                        except RecursionError:
                            event = self._without_depths(line, type_)
                        except (msgspec.DecodeError, UnicodeDecodeError):
                            event = None
                        if event is None or event.type == "ERROR":
                            self._raise_error(line, path)
                        else:
                            yield event
                if lines.rest.strip():
                    self._raise_error(lines.rest, path)
            except httpx.ReadTimeout:
                return
            except httpx.HTTPError as error:
                raise unanswered(error, endpoint, "GET") from error

    def _without_depths(self, line: bytes, type_: type[T]) -> Event[T] | None:
        try:
            event: Event[T] = read_one(line, Event[type_])  # type: ignore[valid-type]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return event

    def _raise_error(self, line: bytes, path: str) -> None:
        """Raise what an ERROR line says; a line that is only odd is passed over."""
        try:
            event: Event[Status] = decoder(Event[Status]).decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if event.type == "ERROR":
            raise in_stream(event.object, self.connection.endpoint, named(path))

    def _nonsense(self, path: str, error: Exception) -> Unreachable:
        return Unreachable(
            f"{self.connection.endpoint.address} answered {named(path)} with something else ({clean(error, 120)})",
            "Is this address a Kubernetes API server?",
        )


class Lines:
    """Cuts a stream into lines without turning bytes into text."""

    def __init__(self) -> None:
        self.rest = b""
        """What came after the last end of a line."""

    def cut(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completes; blank ones are left out."""
        if not self.rest and chunk.find(b"\n") == len(chunk) - 1:
            return [chunk]
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        return [line for line in lines if line]


def named(path: str) -> str:
    """What ``path`` speaks of, for people: ``deployments`` or ``deployments NAMESPACE/NAME``."""
    parts = [part for part in path.split("/") if part]
    if "namespaces" in parts[:-1]:
        at = parts.index("namespaces")
        namespace, kind, *name = (*parts[at + 1 :], "")
        if name and name[0]:
            return clean(f"{kind} {namespace}/{name[0]}", 120)
        return clean(f"{kind} in namespace {namespace}" if kind else f"namespace {namespace}", 120)
    return clean(parts[-1] if parts else path, 120)
