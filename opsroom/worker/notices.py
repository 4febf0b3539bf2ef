"""The worker's notices: addresses are found once, in the background, and every picture is looked at for new flags."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from opsroom.config.secrets import addresses
from opsroom.domain.board import Row
from opsroom.domain.notice_policy import NoticePolicy
from opsroom.errors import OpsroomError
from opsroom.worker.calling import Calling
from opsroom.worker.sender import Sender, by_apprise


class Notices:
    """Calls people, where there are addresses to call them at."""

    def __init__(self, policy: Callable[[], NoticePolicy], mine: Callable[[], bool]) -> None:
        """``mine``: whether it is this worker that calls, and not the one that decides."""
        self._policy = policy
        self._mine = mine
        self._calling: Calling | None = None
        self._error = ""

    async def find(self) -> None:
        """Look for addresses: the keyring may ask a service of the desktop, which may take its time."""
        try:
            found = await asyncio.to_thread(addresses)
        except OpsroomError as error:
            self._error = str(error)
            return
        if found:
            self._calling = Calling(Sender(len(found), by_apprise(found)), self._policy, self._mine)

    def look(self, rows: Iterable[Row], context: str, now: float) -> str:
        """Call people for what is new among all ``rows``; what went wrong so far, empty while all is well."""
        if self._calling is None:
            return self._error
        self._calling.look(rows, context, now)
        return self._calling.error
