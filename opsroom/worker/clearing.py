"""What is asked right before an automatic deed is sent: no freeze, and the deed counts for whoever decides next.

The freeze that a tick rests on is up to three seconds old. A person who freezes and sees it said must not see a deed
after it, so the map is read afresh for each deed; where it cannot be read, nothing is sent.
"""

from __future__ import annotations

from opsroom.delivery.lease import Lease
from opsroom.delivery.plan import Refused
from opsroom.delivery.shared import read_freeze
from opsroom.domain.deed import Refusal
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.worker.sharing import Sharing

UNCOUNTED = "uncounted"
"""Detail: the deed could not be counted on the Lease."""


class Clearing:
    """Asked once for each automatic deed (and again after a lost race)."""

    def __init__(self, reader: Reader, lease: Lease, sharing: Sharing) -> None:
        self._reader = reader
        self._lease = lease
        self._sharing = sharing

    async def __call__(self) -> Refused | None:
        """Why the deed may not be sent now; None where nothing is in its way. Never raises ``OpsroomError``."""
        try:
            freeze = await read_freeze(self._reader)
        except OpsroomError as error:
            return Refused(refusal=Refusal.UNREACHABLE, detail=f"freeze: {error}")
        self._sharing.look_came(freeze)
        if freeze is not None:
            return Refused(refusal=Refusal.FROZEN, detail=freeze.by)
        if not await self._lease.noted() and self._lease.held:
            return Refused(refusal=Refusal.UNREACHABLE, detail=UNCOUNTED)
        return None
