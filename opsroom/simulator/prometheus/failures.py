"""What a query can fail with, in the three kinds that the HTTP API tells apart.

Names and statuses: Prometheus HTTP API, "Format overview" (400 bad_data, 422 execution, 503 timeout).
"""

from __future__ import annotations


class QueryError(Exception):
    """A query that has no answer; `kind` is Prometheus' errorType and `status` its HTTP status."""

    kind = "internal"
    status = 500


class BadData(QueryError):
    """A parameter or an expression that cannot be understood."""

    kind = "bad_data"
    status = 400


class ExecutionError(QueryError):
    """An expression that is understood and cannot be evaluated."""

    kind = "execution"
    status = 422


class QueryTimeout(QueryError):
    """An evaluation that took longer than the caller allows."""

    kind = "timeout"
    status = 503


def unsupported(what: str) -> ExecutionError:
    """The error for PromQL that is valid but not simulated; it names the thing."""
    return ExecutionError(f"the simulated Prometheus does not evaluate {what}")
