"""One range query: sent, waited for, read. Every way in which that fails is one sentence.

Directly it is a POST (queries grow long with many namespaces); behind the API server's service proxy it is a GET, so
that the right to ``get services/proxy`` is enough and nothing can be changed through it.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from opsroom.domain.clean import clean
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.sources.answers import Found, Unusable, read_matrix, said

RANGE = "/api/v1/query_range"

_STATUS = re.compile(r"HTTP Status Code (\d{3})")
"""How the official client begins its word about an answer that is none."""


class Failed(Exception):
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where Prometheus is, and what it wants to see before it answers."""

    url: str
    """Base URL, or ``kube:NAMESPACE/[SCHEME:]SERVICE[:PORT]``."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str = ""
    client: tuple[str, str] | None = None
    """(certificate file, key file)."""
    seconds: float = 10.0
    """Time limit of one query."""

    @property
    def place(self) -> str:
        """What people call it, without user and password."""
        if self.url.startswith("kube:"):
            return clean(self.url.removeprefix("kube:"))
        return clean(urlsplit(self.url).netloc.rpartition("@")[2] or self.url)

    @property
    def proxied(self) -> str:
        """Path of the API server's service proxy; empty where Prometheus is reached directly."""
        if not self.url.startswith("kube:"):
            return ""
        namespace, _, service = self.url.removeprefix("kube:").strip("/").partition("/")
        spelled = f"http:{service}" if service.count(":") == 1 else service
        return f"/api/v1/namespaces/{namespace}/services/{spelled}/proxy"

    def slow(self) -> str:
        """The sentence for no answer in time."""
        return f"Prometheus at {self.place} did not answer within {self.seconds:g} s. It may be overloaded"

    def garbled(self, name: str, error: Exception) -> str:
        """The sentence for an answer that is none."""
        return f"Prometheus at {self.place} cannot be understood ({name}): {error}"

    def partial(self, name: str, warning: str) -> str:
        """The sentence for an answer from which something may be missing."""
        return (
            f"Partial answer from Prometheus at {self.place} ({name}): {warning}. Nothing is promoted until it is whole"
        )

    def empty(self) -> str:
        """The sentence for answers without any series, where there were some before."""
        found = f"Prometheus at {self.place} answers, but has lost every series it had"
        return f"{found}. Check that it scrapes its targets, and that its clock and ours agree"

    def silent(self, error: Exception) -> str:
        """The sentence for no answer at all, and for what the official client raises about one."""
        status = _STATUS.match(str(error))
        if status is not None:
            return self.refused(int(status[1]))
        cause = clean(_root(error), 120) or type(error).__name__
        return f"No answer from Prometheus at {self.place} ({cause}). Check --prometheus and the network"

    def refused(self, code: int) -> str:
        """The sentence for an HTTP status where an answer should be."""
        if code in (401, 403):
            fix = "Store a token with opsroom login prometheus"
            return f"Prometheus at {self.place} does not accept our credentials (HTTP {code}). {fix}"
        if code >= 500:
            return f"Prometheus at {self.place} is out of order (HTTP {code})"
        fix = "Check --prometheus: its base URL is wanted, without /api or /graph"
        return f"What answers at {self.place} is no Prometheus (HTTP {code}). {fix}"


def _root(error: BaseException) -> BaseException:
    """The operating system's own word at the bottom of ``error`` (connection refused, name not known), else itself."""
    found, one = error, error.__cause__ or error.__context__
    while one is not None:
        if isinstance(one, OSError):
            found = one
        one = one.__cause__ or one.__context__
    return found


def authorization(secret: str) -> dict[str, str]:
    """The header of ``secret``: ``USER:PASSWORD`` is basic (RFC 7617); no bearer token has a colon (RFC 6750)."""
    if not secret:
        return {}
    if ":" in secret:
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}


class RangeQueries:
    """Sends range queries to one address."""

    def __init__(
        self, address: Address, reader: Reader | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``reader`` is needed for ``kube:`` addresses only."""
        self.address = address
        self._reader = reader
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._get_only = False

    async def aclose(self) -> None:
        """Close every socket."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def ask(self, name: str, promql: str, start: float, end: float, step: float) -> Found:
        """Values of ``promql`` from ``start`` to ``end`` (epoch seconds) each ``step`` seconds.

        Raises:
            Failed: there is no answer to use; the message is for people, ``name`` is the metric in it.
        """
        params = {"query": promql, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        try:
            async with asyncio.timeout(self.address.seconds):
                body = await self._send(name, params)
            return read_matrix(body)
        except TimeoutError:
            raise Failed(self.address.slow()) from None
        except Unusable as error:
            raise Failed(self.address.garbled(name, error)) from error
        except OpsroomError as error:
            raise Failed(str(error)) from error

    async def _send(self, name: str, params: dict[str, str]) -> bytes:
        address = self.address
        if address.proxied:
            if self._reader is None:
                raise Failed(f"Prometheus at {address.place} is inside a cluster that is not connected")
            return await self._reader.get_bytes(address.proxied + RANGE, params)
        try:
            response = await self._post_or_get(params)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Failed(address.silent(error)) from error
        code = response.status_code
        if code == 200:
            return response.content
        if code in (401, 403):
            raise Failed(address.refused(code))
        words = said(response.content)
        raise Failed(f"Prometheus at {address.place} refused the query for {name} (HTTP {code}): {words}")

    async def _post_or_get(self, params: dict[str, str]) -> httpx.Response:
        if not self._get_only:
            response = await self._http().post(RANGE, data=params)
            if response.status_code != 405:
                return response
            # A proxy that lets only GET through; it will not change its mind.
            self._get_only = True
        return await self._http().get(RANGE, params=params)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            address = self.address
            verify: ssl.SSLContext | bool = False
            if address.url.startswith("https"):
                verify = ssl.create_default_context(cafile=address.ca_file or None)
                if address.client is not None:
                    verify.load_cert_chain(*address.client)
            self._client = httpx.AsyncClient(
                base_url=address.url.rstrip("/"),
                headers=dict(address.headers),
                verify=verify,
                timeout=httpx.Timeout(address.seconds, connect=min(5.0, address.seconds)),
                transport=self._transport,
            )
        return self._client
