"""What an answer of the API server that is no success means, as one of our errors.

Protocol facts: K8S staging/src/k8s.io/apimachinery/pkg/api/errors and apiserver/pkg/endpoints/handlers/responsewriters
(403 text); a failed ``test`` of a JSON patch is a 422 without details.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping

import httpx
import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.masking import said
from opsroom.errors import (
    Conflict,
    Gone,
    NotPermitted,
    OpsroomError,
    OutcomeUnknown,
    Rejected,
    Unauthorized,
    Unreachable,
)
from opsroom.kube.endpoint import Endpoint

SAFE = ("GET", "HEAD")

_FORBIDDEN = re.compile(
    r'User "(?P<user>.*?)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: (?:in the namespace "(?P<namespace>[^"]+)"|at the cluster scope))?'
)


class Expired(Gone):
    """HTTP 410: the resourceVersion or continue token is too old; list again."""


class NotServed(Gone):
    """HTTP 404 that names no object: the server does not know the kind, or not just now. See ``kube.served``."""


def not_gone(error: OpsroomError, thing: str) -> OpsroomError:
    """``error``, unless it is a 410 for one object: only lists grow too old, so that says nothing of the object."""
    if not isinstance(error, Expired):
        return error
    return Unreachable(f"{thing} cannot be had just now (HTTP 410)", "Look again")


class Cause(msgspec.Struct, frozen=True):
    """One reason inside a Status."""

    reason: str = ""
    message: str = ""
    field: str = ""


class Details(msgspec.Struct, frozen=True, rename="camel"):
    """What a Status is about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: tuple[Cause, ...] | None = None
    retry_after_seconds: float | None = None


class Status(msgspec.Struct, frozen=True):
    """``v1.Status``, the body of every failure."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


_STATUS = msgspec.json.Decoder(Status, strict=False)


def read_status(body: bytes) -> Status:
    """The Status in ``body``; an empty one where there is none."""
    try:
        status = _STATUS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Status()
    return status if status.kind == "Status" else Status()


def refusal(response: httpx.Response, endpoint: Endpoint, thing: str) -> OpsroomError:
    """The error for an answer with status 300 or above; ``thing`` is what was asked, for people."""
    status = read_status(response.content)
    words = said(status.message or response.text.strip(), 300)
    return _by_code(response.status_code, status, words, endpoint, thing, response)


def in_stream(status: Status, endpoint: Endpoint, thing: str) -> OpsroomError:
    """The error for an ERROR event inside a watch that was answered 200."""
    response = httpx.Response(status.code or 500, request=httpx.Request("GET", endpoint.host))
    return _by_code(status.code or 500, status, said(status.message, 300), endpoint, thing, response)


def _by_code(
    code: int, status: Status, words: str, endpoint: Endpoint, thing: str, response: httpx.Response
) -> OpsroomError:
    write = response.request.method not in SAFE
    if code == 401:
        return _unauthorized(endpoint)
    if code == 403:
        return forbidden(words, endpoint, thing)
    if code == 404:
        return _missing(status, endpoint, thing)
    if code == 410 or status.reason == "Expired":
        return Expired(f"The list of {thing} is too old to go on from")
    if code == 409:
        return Conflict(f"{thing} was changed by somebody else at the same moment", "Look again")
    if code == 422 and _failed_test(status, response):
        return Conflict(f"{thing} is not what it was", "Look again")
    if code == 429:
        after = _retry_after(response.headers, status)
        return Unreachable(
            f"{endpoint.address} asks for patience: {words}", "", retry_after=1.0 if after is None else after
        )
    # 502 is said by what stands in between, after it passed the request on; etcd may store what it timed out on.
    if write and (code in (502, 504) or status.reason == "Timeout" or "etcdserver: request timed out" in words):
        return OutcomeUnknown(f"{endpoint.address} did not say what came of the change of {thing}", "Look at it afresh")
    if code >= 500:
        after = _retry_after(response.headers, status)
        return Unreachable(f"{endpoint.address} is out of order (HTTP {code}): {words}", retry_after=after)
    if code < 400:
        return Unreachable(
            f"{endpoint.address} redirects to {clean(response.headers.get('location', ''), 100)}",
            f"Check the server of context {clean(endpoint.context)}: this is not an API server",
        )
    return Rejected(f"{endpoint.address} refused the request for {thing} (HTTP {code}): {words}")


def _unauthorized(endpoint: Endpoint) -> Unauthorized:
    who = f" as {clean(endpoint.user)}" if endpoint.user else ""
    context = f" --context {clean(endpoint.context)}" if endpoint.context else ""
    return Unauthorized(
        f"{endpoint.address} does not accept the credentials{who}: they are wrong or have expired",
        f"Log in again (kubectl{context} get ns must work)",
    )


def forbidden(words: str, endpoint: Endpoint, thing: str) -> NotPermitted:
    """HTTP 403 in RBAC's words, or in the server's own where it is not RBAC (admission, quota)."""
    found = _FORBIDDEN.search(words)
    if found is None:
        return NotPermitted(f"{endpoint.address} forbids {thing}: {words}")
    resource = found["resource"] + (f" ({found['group']})" if found["group"] else "")
    place = f"namespace {found['namespace']}" if found["namespace"] else "all namespaces"
    looks = found["verb"] in ("list", "watch") and not found["namespace"]
    return NotPermitted(
        f"{clean(found['user'])} needs {found['verb']} on {resource} in {place}",
        f"Ask for that role, or {'name the namespaces you may read with -n' if looks else 'use another context'}",
    )


def _missing(status: Status, endpoint: Endpoint, thing: str) -> Gone:
    if status.details is not None and status.details.name:
        return Gone(f"{thing} does not exist (any more)")
    return NotServed(f"{endpoint.address} does not serve {thing}", "Is what defines it installed in this cluster?")


def _failed_test(status: Status, response: httpx.Response) -> bool:
    sent = response.request.headers.get("Content-Type", "")
    details = status.details
    return "json-patch" in sent and (details is None or not (details.name or details.causes))


def _retry_after(headers: Mapping[str, str], status: Status) -> float | None:
    try:
        return max(0.0, min(300.0, float(headers.get("Retry-After", ""))))
    except ValueError:
        return status.details.retry_after_seconds if status.details is not None else None


def unanswered(error: httpx.HTTPError, endpoint: Endpoint, method: str) -> OpsroomError:
    """The error for a request that got no (whole) answer.

    A write that may have left this machine is OutcomeUnknown: it may have happened.
    """
    place, context = endpoint.address, clean(endpoint.context)
    fix = f"Check network, VPN and the server of context {context}" if context else "Check network and address"
    cause = _certificate_trouble(error)
    if cause:
        return Unreachable(
            f"The certificate of {place} is not trusted: {cause}", f"Check certificate-authority of {context}"
        )
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(f"No answer from the API server {place} (connecting took too long)", fix)
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        via = f" through the proxy {clean(endpoint.proxy, 80)}" if endpoint.proxy else ""
        return Unreachable(f"No answer from the API server {place}{via} ({clean(error, 120)})", fix)
    if isinstance(error, httpx.PoolTimeout | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Unreachable(f"The API server {place} cannot be asked ({clean(error, 120)})", fix)
    if method not in SAFE:
        return OutcomeUnknown(f"{place} did not answer after the change was sent", "Look at the object afresh")
    return Unreachable(f"The API server {place} broke off ({clean(error, 120) or type(error).__name__})", fix)


def _certificate_trouble(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return clean(error.verify_message or error.reason, 120)
        error = error.__cause__ or error.__context__
    return ""
