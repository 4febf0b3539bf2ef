"""The quarantine, shared: what this decider rolled back is written down for all, and what others did is taken over.

A version that was rolled back automatically must not come back by the next sync of a GitOps controller, whoever
decides then. Nothing is written without the Lease.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from opsroom.control.memory import Memory
from opsroom.delivery.queue_facts import write_quarantine
from opsroom.delivery.shared import NAMESPACE, QUARANTINE
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.rollout import Uid
from opsroom.errors import OpsroomError
from opsroom.worker.outside import Outside
from opsroom.worker.situation import Situation
from opsroom.worker.standing import Standing

RETRY_SECONDS = 10.0

GONE_SECONDS = 300.0
"""For how long a rollout must have been away, from a picture that is complete, before its entry is dropped."""

UNREAD = (
    f"ConfigMap {NAMESPACE}/{QUARANTINE} has entries that cannot be read: {{entries}}. No version of these rollouts is "
    "promoted automatically. Correct or remove them"
)

log = logging.getLogger(__name__)


class SharedQuarantine:
    """One decider's side of it."""

    def __init__(self, outside: Outside, standing: Standing, namespaces: tuple[str, ...] = ()) -> None:
        """``namespaces``: those that this worker sees; empty for all."""
        self._outside = outside
        self._standing = standing
        self._namespaces = namespaces
        self._away: dict[str, float] = {}
        """Since when each uid in quarantine has been away."""
        self._taken_over: int | None = None
        """The Lease transition under which the shared entries were taken over."""
        self._writing: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def take_over(self, situation: Situation) -> bool:
        """Count what others put into quarantine, once for each time that we begin to decide; False while we do not.

        Before the first decision: or a version that somebody rolled back would be promoted by whoever comes next.
        """
        lease = self._outside.lease
        if lease is None or not lease.held or not self._standing.known:
            return False
        if self._taken_over != lease.transitions:
            self._taken_over = lease.transitions
            situation.memory = taken_over(situation.memory, self._standing.quarantine)
        return True

    def tick(self, situation: Situation, now: float) -> None:
        """Write down what changes."""
        self._tell_unread(situation)
        if not self.take_over(situation) or self._outside.writer is None:
            return
        situation.memory = reread(situation.memory, self._standing.quarantine)
        gone = self._gone(situation, now)
        if gone:
            kept = {uid: one for uid, one in situation.memory.quarantine.items() if uid not in gone}
            situation.memory = msgspec.structs.replace(situation.memory, quarantine=kept)
        changes = self._changes(situation) | {uid: None for uid in gone if uid in self._standing.quarantine}
        if changes and self._writing is None and not 0.0 < self._not_before - now <= RETRY_SECONDS:
            self._not_before = now + RETRY_SECONDS
            self._writing = asyncio.ensure_future(self._write(changes))
            self._writing.add_done_callback(self._written)

    def _tell_unread(self, situation: Situation) -> None:
        unread = sorted(uid for uid, one in self._standing.quarantine.items() if one.hash is None)
        if unread:
            situation.troubles["quarantine"] = UNREAD.format(entries=", ".join(unread[:3]))
        else:
            situation.troubles.pop("quarantine", None)

    async def close(self) -> None:
        """Let go of what is being written."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _changes(self, situation: Situation) -> dict[str, Quarantined | None]:
        own, shared = situation.memory.quarantine, self._standing.quarantine
        changes: dict[str, Quarantined | None] = {}
        for uid, one in own.items():
            course, known = situation.courses.get(uid), shared.get(uid)
            if course is not None and one.hash is not None and (known is None or known.hash != one.hash):
                changes[uid] = msgspec.structs.replace(one, rollout=course.rollout.key)
        # Only what this worker sees may be lifted: others may look at other namespaces.
        changes.update((uid, None) for uid in shared if Uid(uid) in situation.courses and Uid(uid) not in own)
        return changes

    def _gone(self, situation: Situation, now: float) -> set[str]:
        """Those in quarantine whose rollout was deleted, as far as this worker can tell for sure."""
        cluster = self._outside.cluster
        if cluster is None or not cluster.complete:
            self._away.clear()
            return set()
        shared = self._standing.quarantine
        known = {str(uid) for uid in situation.memory.quarantine if uid not in shared}
        known.update(uid for uid in shared if self._sees(uid))
        away = {uid for uid in known if Uid(uid) not in situation.courses}
        self._away = {uid: self._away.get(uid, now) for uid in away}
        return {uid for uid, since in self._away.items() if now - since >= GONE_SECONDS}

    def _sees(self, uid: str) -> bool:
        """Whether this worker would see the rollout of the shared entry for ``uid``."""
        namespace, _, name = self._standing.quarantine[uid].rollout.partition("/")
        return not self._namespaces or (bool(name) and namespace in self._namespaces)

    async def _write(self, changes: dict[str, Quarantined | None]) -> None:
        writer = self._outside.writer
        if writer is None:
            return
        try:
            await write_quarantine(writer, changes)
        except OpsroomError as error:
            log.info("quarantine: %s", error)
            return
        after: dict[str, Quarantined | None] = {**self._standing.quarantine, **changes}
        self._standing.quarantine = {uid: one for uid, one in after.items() if one is not None}

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None


def taken_over(memory: Memory, shared: dict[str, Quarantined]) -> Memory:
    """``memory`` with what another decider put into quarantine; of two entries for one rollout the younger counts.

    Ours is the older one where we decided before that other one did.
    """
    own = memory.quarantine
    younger = {Uid(u): one for u, one in shared.items() if Uid(u) not in own or one.at > own[Uid(u)].at}
    return msgspec.structs.replace(memory, quarantine={**own, **younger})


def reread(memory: Memory, shared: dict[str, Quarantined]) -> Memory:
    """``memory`` with entries that cannot be read as they stand now: a person corrects or removes them at any time.

    Of all others the decider itself knows best.
    """
    sure = {uid: one for uid, one in memory.quarantine.items() if one.hash is not None}
    unread = memory.quarantine.keys() - sure.keys()
    now = {Uid(u): one for u, one in shared.items() if u not in sure and (u in unread or one.hash is None)}
    return msgspec.structs.replace(memory, quarantine={**sure, **now}) if unread or now else memory
