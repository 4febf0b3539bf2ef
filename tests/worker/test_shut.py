"""A worker that may not write: whatever asks it to write is refused before anything is sent."""

from __future__ import annotations

import asyncio
from typing import Any

from opsroom.delivery.lease import Lease
from opsroom.errors import Gone
from opsroom.worker.shut import Shut


class NoLease:
    """A cluster in which nobody decides: whoever could write would hold the Lease at once."""

    async def get(self, path: str, type_: type[Any], params: dict[str, str] | None = None) -> Any:
        raise Gone(f"{path} does not exist")


def test_a_look_at_the_lease_cannot_become_a_hold() -> None:
    lease = Lease(NoLease(), Shut(), "me")
    asyncio.run(lease.step())
    assert not lease.held
    assert "only looks" in lease.error
    asyncio.run(lease.watch())
    assert lease.error == ""
    assert lease.decider().identity == ""
