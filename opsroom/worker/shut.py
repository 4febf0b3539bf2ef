"""The door of a worker that may not write: it looks like a Writer and lets nothing through.

Whoever only looks at the Lease gets it in the Writer's place, so that no mistake of ours can turn a look into a write.
"""

from __future__ import annotations

from typing import Any, NoReturn

from opsroom.errors import NotPermitted


class Shut:
    """A Writer of which every verb is refused before it is sent."""

    async def patch(self, path: str, body: Any, *, content_type: str) -> NoReturn:
        """Raises NotPermitted."""
        self._refuse(path)

    async def post(self, path: str, body: Any) -> NoReturn:
        """Raises NotPermitted."""
        self._refuse(path)

    async def put(self, path: str, body: Any) -> NoReturn:
        """Raises NotPermitted."""
        self._refuse(path)

    async def delete(self, path: str) -> NoReturn:
        """Raises NotPermitted."""
        self._refuse(path)

    def _refuse(self, path: str) -> NoReturn:
        raise NotPermitted(f"This worker only looks: {path} is not written to")
