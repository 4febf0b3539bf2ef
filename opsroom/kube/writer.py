"""Write to the API server: patch, post, put and delete, each under the field manager ``opsroom``.

It never repeats a request: whether to do so is for the caller, who knows whether the first one may have happened
(``OutcomeUnknown``) and whether the object is still what it was (``Conflict``).
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.errors import OutcomeUnknown, Unreachable
from opsroom.kube.connection import Connection, Request
from opsroom.kube.failures import not_gone, refusal
from opsroom.kube.reader import named

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"

FIELD_MANAGER = "opsroom"


class Writer:
    """Everything that changes the cluster. Its answers are whole objects (decoded JSON)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def patch(
        self,
        path: str,
        body: Any,
        *,
        content_type: str = MERGE,
        field_manager: str = FIELD_MANAGER,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Patch the object at ``path``; ``body`` is a dict, or a list for ``JSON_PATCH``.

        Raises:
            Conflict: 409, or a failed test of a JSON patch (422).
            Rejected: understood and refused.
            OutcomeUnknown: sent, no answer: it may have happened.
            Gone, NotPermitted, Unauthorized, Unreachable: it did not happen.
        """
        return await self._send("PATCH", path, body, content_type, field_manager, dry_run)

    async def post(
        self, path: str, body: Any, *, field_manager: str = FIELD_MANAGER, dry_run: bool = False
    ) -> dict[str, Any]:
        """Create an object, or ask for a review. Raises as ``patch``; ``Conflict`` when it exists."""
        return await self._send("POST", path, body, JSON, field_manager, dry_run)

    async def put(
        self, path: str, body: Any, *, field_manager: str = FIELD_MANAGER, dry_run: bool = False
    ) -> dict[str, Any]:
        """Replace an object; with ``metadata.resourceVersion`` in ``body`` only the one that was read."""
        return await self._send("PUT", path, body, JSON, field_manager, dry_run)

    async def delete(self, path: str, body: Any = None, *, dry_run: bool = False) -> dict[str, Any]:
        """Delete an object; ``body`` may hold DeleteOptions (preconditions)."""
        return await self._send("DELETE", path, body, JSON, "", dry_run)

    async def _send(
        self, method: str, path: str, body: Any, content_type: str, field_manager: str, dry_run: bool
    ) -> dict[str, Any]:
        params = {"fieldManager": field_manager} if field_manager else {}
        if dry_run:
            params["dryRun"] = "All"
        content = None if body is None else msgspec.json.encode(body)
        response = await self.connection.send(
            Request(method, path, params, content, "" if content is None else content_type)
        )
        endpoint = self.connection.endpoint
        if response.status_code >= 300:
            raise not_gone(refusal(response, endpoint, named(path)), named(path))
        try:
            answer: dict[str, Any] = msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            message = f"{endpoint.address} answered the change of {named(path)} with something that is no object"
            raise OutcomeUnknown(message, "Look at it afresh") from error
        # An eviction that two budgets forbid is answered 201 with a failure inside.
        if answer.get("kind") == "Status" and answer.get("status") == "Failure":
            raise Unreachable(f"{endpoint.address} refused {named(path)}: {answer.get('message', '')}")
        return answer
