"""A connection to one API server: requests with time limits, credentials kept fresh, every failure one sentence.

The official client resolves kubeconfig, plugins, TLS and proxy in a child process (``opsroom.kube.resolve``); the
requests themselves go through one ``httpx.AsyncClient``. Credentials are resolved again shortly before they end and
once after a 401, because exec plugins and service accounts hand out tokens that live minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType

import httpx
import msgspec

from opsroom.domain.clean import clean
from opsroom.errors import ConfigError, OpsroomError, Unreachable
from opsroom.kube.apart import resolve_apart
from opsroom.kube.endpoint import Endpoint, tls
from opsroom.kube.failures import unanswered

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=10.0, pool=10.0)
"""The server ends ordinary requests after 60 s itself; nobody waits that long for a screen."""

REFRESH_EARLY = 60.0
REFRESH_PAUSE = 10.0
REFRESH_PAUSE_MAX = 120.0
"""Seconds between two attempts to renew credentials, doubled while they bring nothing new: ten watches fail at the
same moment, and a plugin costs a process."""

SILENCE = 150.0
"""Bookmarks come about each minute: a watch that is silent for longer may be half open, and a new one costs little."""

WATCH_TIMEOUT = httpx.Timeout(connect=5.0, read=SILENCE, write=10.0, pool=10.0)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before credentials."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    content: bytes | None = None
    content_type: str = ""


async def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """Resolve ``context`` of ``kubeconfig`` and open a connection; nothing is sent to the server yet.

    Raises:
        ConfigError: no kubeconfig, or it or the context cannot be used.
        Unauthorized: the credential plugin failed.
    """
    endpoint = await resolve_apart(kubeconfig or "", context or "")
    # The context found first stays: somebody may run `kubectl config use-context` while we watch.
    return Connection(endpoint, kubeconfig=kubeconfig or "", renewable=True)


class Connection:
    """One API server and our credentials for it. Close it with ``aclose`` or ``async with``."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        kubeconfig: str = "",
        renewable: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.endpoint = endpoint
        self._kubeconfig = kubeconfig
        self._renewable = renewable
        self._transport = transport
        self._clock = clock
        self._client = _client(endpoint, transport)
        self._renewing = asyncio.Lock()
        self._renewed = clock()
        self._pause = REFRESH_PAUSE

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every socket."""
        await self._client.aclose()

    async def send(self, request: Request) -> httpx.Response:
        """Send one request and read its whole answer, whatever its status.

        Raises:
            Unreachable: nobody answered.
            OutcomeUnknown: a write went out and no answer came.
            Unauthorized: new credentials could not be had.
        """
        try:
            response = await self._once(request)
        except Unreachable as error:
            # The server may have closed an idle connection in the same moment; asking once more costs nothing.
            if request.method != "GET" or not isinstance(error.__cause__, httpx.RemoteProtocolError | httpx.ReadError):
                raise
            response = await self._once(request)
        if response.status_code == 401 and await self._renew():
            response = await self._once(request)
        return response

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """GET ``path`` and hand out the answer while it is still coming in."""
        response = await self._open(path, params)
        try:
            if response.status_code == 401 and await self._renew():
                await response.aclose()
                response = await self._open(path, params)
            yield response
        finally:
            await response.aclose()

    async def _open(self, path: str, params: Mapping[str, str]) -> httpx.Response:
        await self._renew_early()
        # Small lines one at a time: compressing them costs both sides more than it saves.
        headers = self._headers()
        headers["Accept-Encoding"] = "identity"
        request = self._client.build_request("GET", path, params=params, headers=headers, timeout=WATCH_TIMEOUT)
        request.extensions.update(self._extensions())
        try:
            return await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise unanswered(error, self.endpoint, "GET") from error

    async def _once(self, request: Request) -> httpx.Response:
        await self._renew_early()
        headers = self._headers()
        if request.content_type:
            headers["Content-Type"] = request.content_type
        try:
            return await self._client.request(
                request.method,
                request.path,
                params=request.params,
                content=request.content,
                headers=headers,
                extensions=self._extensions(),
            )
        except httpx.HTTPError as error:
            raise unanswered(error, self.endpoint, request.method) from error

    def _headers(self) -> httpx.Headers:
        authorization = self.endpoint.authorization
        bearer = [("Authorization", authorization)] if authorization else []
        return httpx.Headers([*bearer, *self.endpoint.impersonate])

    def _extensions(self) -> dict[str, str]:
        return {"sni_hostname": self.endpoint.server_name} if self.endpoint.server_name else {}

    async def _renew_early(self) -> None:
        expires = self.endpoint.expires
        if expires is not None and self._clock() > expires - REFRESH_EARLY:
            with contextlib.suppress(OpsroomError):
                await self._renew()

    async def _renew(self) -> bool:
        """Resolve the credentials again; True when they are other ones, or another task has just renewed them."""
        if not self._renewable:
            return False
        before = self.endpoint
        async with self._renewing:
            if self.endpoint is not before:
                return True
            # A clock that was set back is no reason to wait for hours.
            if 0.0 <= self._clock() - self._renewed < self._pause:
                return False
            self._renewed = self._clock()
            self._pause = min(REFRESH_PAUSE_MAX, self._pause * 2)
            fresh = await resolve_apart(self._kubeconfig, "" if before.source == "in-cluster" else before.context)
            if fresh == before:
                return False
            self.endpoint = fresh
            self._pause = REFRESH_PAUSE
            if _way(fresh) != _way(before):
                # The old client stays open for the watches that run on it; they end within minutes.
                self._client = _client(fresh, self._transport)
            return True


def _way(endpoint: Endpoint) -> Endpoint:
    return msgspec.structs.replace(endpoint, authorization="", expires=None)


def _client(endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        context: ssl.SSLContext | bool = tls(endpoint) if endpoint.host.startswith("https") else False
        return httpx.AsyncClient(
            base_url=endpoint.host,
            headers={"Accept": "application/json", "User-Agent": "opsroom"},
            verify=context,
            proxy=endpoint.proxy or None,
            trust_env=False,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            transport=transport,
        )
    except ssl.SSLError as error:
        message = f"A certificate of context {clean(endpoint.context)} is broken: {clean(error.reason or error)}"
        raise ConfigError(message, "Fetch the kubeconfig anew") from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        message = f"The address of context {clean(endpoint.context)} cannot be used: {clean(error)}"
        raise ConfigError(message, "Check server and proxy-url with kubectl config view") from error
