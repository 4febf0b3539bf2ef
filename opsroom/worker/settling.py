"""Deeds that were left open: of this worker's journal once, and of others by their marks for as long as it runs.

Only whoever decides here ends anything; where nobody does, what was left is shown. It must not decide anything anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Journal, read_recent
from opsroom.delivery.settle import open_deeds, settle
from opsroom.domain.board import Mode
from opsroom.domain.deed import Deed
from opsroom.errors import JournalError
from opsroom.worker.automatic import Automatic
from opsroom.worker.leftovers import Leftovers
from opsroom.worker.outside import Outside
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


class Settling:
    """One worker's part in ending what was left open."""

    def __init__(
        self,
        outside: Outside,
        sharing: Sharing,
        automatic: Automatic,
        journal: Journal,
        situation: Callable[[], Situation],
        told: Callable[[Deed], None],
        mode: Mode,
    ) -> None:
        self._outside = outside
        self._sharing = sharing
        self._automatic = automatic
        self._journal = journal
        self._situation = situation
        self._mode = mode
        self._leftovers = Leftovers(automatic, told)
        self._own_done = False

    async def run(self) -> None:
        """Look until cancelled."""
        await self._outside.ready.wait()
        while True:
            await self.look()
            await self._next()

    async def _next(self) -> None:
        """Soon, or at once when somebody else decides, or we."""
        lease = self._outside.lease
        if lease is None or self._own_done or self._mode is not Mode.AUTO:
            await asyncio.sleep(LOOK_SECONDS)
            return
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await lease.changed.wait()
                lease.changed.clear()
        except TimeoutError:
            return

    async def look(self) -> None:
        """One look: our own open deeds the first time that we may act, and what others left."""
        outside, cluster = self._outside, self._outside.cluster
        hands = self._hands()
        if hands is not None and not self._own_done:
            await self._settle_own(hands)
        if cluster is None or not cluster.listed:
            return
        if hands is not None and (self._sharing.freeze is not None or not self._sharing.freeze_known):
            return
        decider = outside.decider()
        if hands is None and decider.identity and not decider.me:
            return  # whoever decides there shows it to all
        await self._leftovers.look(self._situation(), cluster, hands, time.time())

    async def _settle_own(self, hands: Hands) -> None:
        """Take up what our own journal leaves open; one that cannot be read tells nothing, and is looked at again."""
        try:
            found = await asyncio.to_thread(self._open)
        except JournalError as error:
            log.warning("%s", error)
            return
        for deed in found:
            self._automatic.follow(deed.intent.target.uid, settle(deed, hands), deed.intent)
        self._own_done = True

    def _open(self) -> list[Deed]:
        found = open_deeds(read_recent(self._journal.path), time.time())
        # What this process began since it may act is followed already.
        return [deed for deed in found if deed.intent.actor != self._outside.identity]

    def _hands(self) -> Hands | None:
        """What deeds are done with here; None where this worker may not act now."""
        reader, writer, lease = self._outside.reader, self._outside.writer, self._outside.lease
        if not self._outside.may_act or reader is None or writer is None or lease is None:
            return None
        return Hands(reader, writer, self._journal, guard=lambda: lease.held)
