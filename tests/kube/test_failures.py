"""Every answer that is no success becomes one sentence that names the thing."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

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
from opsroom.kube.failures import NotServed
from opsroom.kube.reader import Reader
from opsroom.kube.writer import JSON_PATCH, MERGE, Writer

PATH = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout"
FORBIDDEN = (
    'rollouts.argoproj.io "checkout" is forbidden: User "wall" cannot patch resource "rollouts/status" in API group '
    '"argoproj.io" in the namespace "shop"'
)
FAILED_TEST = "the server rejected our request due to an error in our request"


def failed(kube: Any, answer: Any, method: str = "GET", content_type: str = MERGE) -> OpsroomError:
    async def ask() -> None:
        connection = kube.Server(answer).connection()
        if method == "GET":
            await Reader(connection).get(PATH, dict)
        else:
            await Writer(connection).patch(PATH, {}, content_type=content_type)

    with pytest.raises(OpsroomError) as caught:
        asyncio.run(ask())
    return caught.value


def test_a_missing_right_is_named_in_rbacs_words(kube: Any) -> None:
    error = failed(kube, kube.status(403, "Forbidden", FORBIDDEN), "PATCH")
    assert type(error) is NotPermitted
    assert error.message == "wall needs patch on rollouts/status (argoproj.io) in namespace shop"


def test_a_refusal_that_is_not_rbacs_keeps_the_servers_words(kube: Any) -> None:
    error = failed(kube, kube.status(403, "Forbidden", "exceeded quota: pods"), "PATCH")
    assert type(error) is NotPermitted
    assert "exceeded quota: pods" in error.message


def test_an_expired_token_says_who_and_what_to_do(kube: Any) -> None:
    error = failed(kube, kube.status(401, "Unauthorized", "Unauthorized"))
    assert type(error) is Unauthorized
    assert "api.test:6443" in error.message
    assert "anna" in error.message
    assert "--context prod" in error.fix


def test_a_missing_object_differs_from_a_kind_that_is_not_served(kube: Any) -> None:
    gone = failed(kube, kube.status(404, "NotFound", 'rollouts "checkout" not found', name="checkout"))
    unknown = failed(kube, httpx.Response(404, text="404 page not found\n"))
    assert (type(gone), type(unknown)) == (Gone, NotServed)
    assert "rollouts shop/checkout does not exist" in gone.message
    assert "does not serve" in unknown.message


@pytest.mark.parametrize(
    ("code", "reason", "details", "content_type", "kind"),
    [
        (409, "Conflict", {"name": "checkout"}, MERGE, Conflict),
        (422, "Invalid", {}, JSON_PATCH, Conflict),
        (422, "Invalid", {"name": "checkout", "causes": [{"field": "spec"}]}, JSON_PATCH, Rejected),
        (422, "Invalid", {}, MERGE, Rejected),
        (400, "BadRequest", {}, MERGE, Rejected),
        (415, "UnsupportedMediaType", {}, MERGE, Rejected),
        (504, "Timeout", {}, MERGE, OutcomeUnknown),
        (502, "", {}, MERGE, OutcomeUnknown),
        (500, "InternalError", {}, MERGE, Unreachable),
        (503, "ServiceUnavailable", {}, MERGE, Unreachable),
    ],
)
def test_refused_writes_tell_whether_they_may_have_happened(
    kube: Any, code: int, reason: str, details: dict[str, Any], content_type: str, kind: type[OpsroomError]
) -> None:
    assert type(failed(kube, kube.status(code, reason, FAILED_TEST, **details), "PATCH", content_type)) is kind


def test_patience_is_asked_for_in_seconds(kube: Any) -> None:
    error = failed(kube, httpx.Response(429, headers={"Retry-After": "7"}, json={"kind": "Status", "code": 429}))
    assert isinstance(error, Unreachable)
    assert error.retry_after == 7.0
    inside = failed(kube, kube.status(429, "TooManyRequests", "storage is (re)initializing", retryAfterSeconds=3))
    assert isinstance(inside, Unreachable)
    assert inside.retry_after == 3.0


@pytest.mark.parametrize(
    ("broken", "read", "write"),
    [
        (httpx.ConnectError("refused"), Unreachable, Unreachable),
        (httpx.ConnectTimeout(""), Unreachable, Unreachable),
        (httpx.ReadTimeout(""), Unreachable, OutcomeUnknown),
        (httpx.WriteError(""), Unreachable, OutcomeUnknown),
    ],
)
def test_only_a_write_that_may_have_left_us_is_unknown(
    kube: Any, broken: httpx.HTTPError, read: type[OpsroomError], write: type[OpsroomError]
) -> None:
    assert type(failed(kube, broken)) is read
    error = failed(kube, broken, "PATCH")
    assert type(error) is write
    assert "api.test:6443" in error.message


def test_something_that_is_no_api_server_is_recognised(kube: Any) -> None:
    page = httpx.Response(200, text="<html>Sign in</html>")
    assert "something else" in str(failed(kube, page))
    moved = httpx.Response(302, headers={"Location": "https://login.test/"})
    assert "redirects to https://login.test/" in str(failed(kube, moved))


def test_a_failure_inside_a_created_answer_is_a_failure(kube: Any) -> None:
    inside = {"kind": "Status", "status": "Failure", "message": "This pod has more than one PodDisruptionBudget"}
    with pytest.raises(Unreachable, match="more than one"):
        asyncio.run(Writer(kube.Server(kube.body(inside, 201)).connection()).post("/api/v1/x", {}))


def test_foreign_words_are_cleaned(kube: Any) -> None:
    error = failed(kube, kube.status(400, "BadRequest", "\x1b]52;c;ZXZpbA==\x07boom"))
    assert "\x1b" not in str(error)
    assert "boom" in str(error)


def test_what_etcd_timed_out_on_may_have_been_stored(kube: Any) -> None:
    answer = kube.status(500, "", "etcdserver: request timed out")
    assert type(failed(kube, answer, "PATCH", MERGE)) is OutcomeUnknown
