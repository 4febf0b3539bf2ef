"""The seams of this room: what it needs of a cluster, a journal and a clock, as protocols.

``opsroom.kube`` satisfies them; tests put small worlds in their place. All methods raise types of
``opsroom.errors`` only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from opsroom.domain.board import Right

T = TypeVar("T")

Raw = dict[str, Any]
"""A JSON object as the API server sent it; engines build undo templates from it, so nothing may be dropped."""

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Reader(Protocol):
    """GET only."""

    async def get(self, path: str, type_: type[T], params: dict[str, str] | None = None) -> T:
        """The object at ``path``."""
        ...


class Writer(Protocol):
    """Every other verb; each call is one request and is never repeated inside."""

    async def patch(self, path: str, body: Any, *, content_type: str) -> object:
        """PATCH ``path``."""
        ...

    async def post(self, path: str, body: Any) -> object:
        """POST to the collection ``path``."""
        ...

    async def put(self, path: str, body: Any) -> object:
        """PUT ``path``."""
        ...

    async def delete(self, path: str) -> object:
        """DELETE ``path``."""
        ...


Now = Callable[[], float]
"""Epoch seconds."""

Wait = Callable[[float], Awaitable[None]]
"""Sleep this many seconds."""

May = Callable[[str, str, str, str, str], Awaitable[Right]]
"""Access review: (namespace, group, resource, subresource, verb)."""

Guard = Callable[[], bool]
"""Whether the Lease is still ours; asked right before every automatic request."""
