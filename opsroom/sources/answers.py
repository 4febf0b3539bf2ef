"""Answers of the Prometheus HTTP API, decoded by type: numbers in strings become floats in C.

Source: prometheus docs/querying/api.md. Errors are JSON too (400 bad_data, 422 execution, 503 timeout), but a login
page or a proxy in between answers what it likes.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.clean import clean


class Series(msgspec.Struct, frozen=True, gc=False):
    """One series of a matrix."""

    metric: dict[str, str]
    values: list[tuple[float, float | None]]
    """(epoch seconds, value); None for what is not a number."""


class Matrix(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``data`` of a range query."""

    result_type: str
    result: list[Series]


class Answer(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A whole answer."""

    status: str
    data: Matrix | None = None
    error_type: str = ""
    error: str = ""


class Unusable(Exception):
    """An answer that is no data; the message names what came instead."""


_ANSWER = msgspec.json.Decoder(Answer, strict=False)

NO_NUMBERS = (b'"NaN"', b'"+Inf"', b'"-Inf"')
"""Not JSON's numbers, not even in a string. No namespace and no ReplicaSet can have such a name."""


class _Failure(msgspec.Struct):
    """Any error, Prometheus' own or a Kubernetes Status."""

    error: str = ""
    message: str = ""


_FAILURE = msgspec.json.Decoder(_Failure)


def read_matrix(body: bytes) -> list[Series]:
    """The series in a range query's answer.

    Raises:
        Unusable: this is no matrix.
    """
    for word in NO_NUMBERS:
        if word in body:
            body = body.replace(word, b"null")
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unusable(f"the answer is not Prometheus' ({clean(error, 100)})") from error
    if answer.status != "success" or answer.data is None:
        raise Unusable(clean(answer.error, 200) or "the answer holds no data")
    if answer.data.result_type != "matrix":
        raise Unusable(f"the answer is a {clean(answer.data.result_type, 20)}, not a matrix")
    return answer.data.result


def said(body: bytes) -> str:
    """What a failed answer says, for people; empty when it says nothing readable."""
    try:
        failure = _FAILURE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return clean(failure.error or failure.message, 200)
