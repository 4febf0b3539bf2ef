"""Answers of the Prometheus HTTP API, decoded by type: numbers in strings become floats in C.

Source: prometheus docs/querying/api.md. Errors are JSON too (400 bad_data, 422 execution, 503 timeout), but a login
page or a proxy in between answers what it likes. A success may be half of one: ``warnings`` stand beside data that
remote reads or stores of Thanos did not give (thanos docs/components/query.md, partial response), ``isPartial`` says
the same for VictoriaMetrics. ``infos`` only comment on the query.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from opsroom.domain import masking
from opsroom.domain.clean import clean
from opsroom.sources.aligned import Floats


class Series(msgspec.Struct, frozen=True, gc=False):
    """One series of a matrix."""

    metric: dict[str, str]
    values: msgspec.Raw
    """``[[epoch seconds, "value"], …]``, not looked at yet."""


class Matrix(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``data`` of a range query."""

    result_type: str
    result: list[Series]


class Beside(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What any success of Prometheus' API may say beside its data."""

    warnings: tuple[str, ...] | None = None
    is_partial: bool | None = None

    @property
    def partial(self) -> str:
        """Why data may be missing, for people; empty: this is all there is."""
        if self.warnings:
            return masking.said(self.warnings[0], 200) or "a warning without words"
        return "the server says that data is missing" if self.is_partial else ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a range query found."""

    series: list[Series]
    partial: str = ""
    """Why series or samples may be missing, for people; empty: this is all there is."""


class Answer(Beside, frozen=True, kw_only=True, rename="camel", gc=False):
    """A whole answer."""

    status: str
    data: Matrix | None = None
    error: str = ""


class Unusable(Exception):
    """An answer that is no data; the message names what came instead."""


_ANSWER = msgspec.json.Decoder(Answer, strict=False)

NUMBERS_ONLY = bytes.maketrans(b'[]"', b"   ")


class _Failure(msgspec.Struct):
    """Any error, Prometheus' own or a Kubernetes Status."""

    error: str = ""
    message: str = ""


_FAILURE = msgspec.json.Decoder(_Failure)


def read_matrix(body: bytes) -> Found:
    """The series in a range query's answer, and whether they are all.

    Raises:
        Unusable: this is no matrix.
    """
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"the answer is not Prometheus' ({clean(error, 100)})") from error
    if answer.status != "success" or answer.data is None:
        raise Unusable(masking.said(answer.error, 200) or "the answer holds no data")
    if answer.data.result_type != "matrix":
        raise Unusable(f"the answer is a {clean(answer.data.result_type, 20)}, not a matrix")
    return Found(answer.data.result, answer.partial)


def points(series: Sequence[Series]) -> tuple[list[int], Floats]:
    """How many points each series has, and all of them, one series after the other: N × 2 (epoch seconds, value).

    One pass in C over the text of all values: no Python object is made for a number, and ``NaN`` and ``+Inf``, which
    JSON does not know, are read like the others.

    Raises:
        Unusable: there is something else among the values.
    """
    raws = [bytes(one.values) for one in series]
    lengths = [raw.count(b"[") - 1 for raw in raws]
    text = b",".join(raw for raw, length in zip(raws, lengths, strict=True) if length > 0).translate(NUMBERS_ONLY)
    with warnings.catch_warnings():
        # numpy stops at the first thing that is no number and only warns.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(text.decode("ascii"), dtype=np.float64, sep=",") if text else np.empty(0)
        except (DeprecationWarning, ValueError) as error:
            raise Unusable("there are values that are no numbers") from error
    if min(lengths, default=0) < 0 or len(numbers) != 2 * sum(lengths):
        raise Unusable("the values are not pairs")
    return lengths, numbers.reshape(-1, 2)


def said(body: bytes) -> str:
    """What a failed answer says, for people; empty when it says nothing readable."""
    try:
        failure = _FAILURE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return masking.said(failure.error or failure.message, 200)
