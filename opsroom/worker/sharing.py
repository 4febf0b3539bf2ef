"""What all workers share in the cluster: the freeze and acknowledgements are read, the decider's flags are written.

Flags are reconciled: what should stand on a workload is compared with what stands there, so a write that failed is
tried again and a new decider goes on from the flags of the one before. Nothing is written without the Lease.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from opsroom.clock import awake_or_not
from opsroom.delivery.shared import Acknowledgement, read_acknowledged, read_approved, read_freeze, write_verdict
from opsroom.domain.approval import Approval, stands
from opsroom.domain.board import Freeze
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.marks import Marks, VerdictMark
from opsroom.domain.rollout import Rollout, Uid
from opsroom.errors import NotPermitted, OpsroomError
from opsroom.worker.outside import KEEPS, Outside

LOOK_SECONDS = 3.0
FORBIDDEN_SECONDS = 60.0
RETRY_SECONDS = 10.0
"""After a write that failed; a mark is for others to read, nothing waits for it."""

AT_ONCE = 4

log = logging.getLogger(__name__)


class Sharing:
    """The shared facts as they were last read, and the marks that are being written."""

    def __init__(
        self,
        outside: Outside,
        now: Callable[[], float],
        clock: Callable[[], float] = awake_or_not,
        approvals: Callable[[], bool] = lambda: False,
    ) -> None:
        """``approvals``: whether the policy asks for two people anywhere; else nobody reads what they left."""
        self.freeze: Freeze | None = None
        self.acknowledged: dict[str, Acknowledgement] = {}
        self.approved: dict[str, Approval] = {}
        self.error = ""
        """Why the last look failed; empty after a good one."""
        self._outside = outside
        self._now = now
        self._clock = clock
        self._approvals = approvals
        self._looked: float | None = None
        self._writing: dict[Uid, asyncio.Task[None]] = {}
        self._not_before: dict[Uid, float] = {}

    @property
    def freeze_known(self) -> bool:
        """Whether ``freeze`` can be relied on: nothing automatic is begun without it."""
        return self._looked is not None and self._clock() - self._looked <= KEEPS

    @property
    def unseen(self) -> str:
        """Why the freeze is not known; empty while it is, and before the first answer."""
        if self.freeze_known or (self._looked is None and not self.error):
            return ""
        return self.error or "it was read too long ago"

    async def run(self, changed: Callable[[], None]) -> None:
        """Read until cancelled. A look that fails leaves what was read before: a freeze must not end by an outage."""
        await self._outside.ready.wait()
        while True:
            wait = LOOK_SECONDS
            reader = self._outside.reader
            if reader is not None:
                before = (self.freeze, self.acknowledged, self.approved)
                try:
                    self.look_came(await read_freeze(reader))
                    self.acknowledged = await read_acknowledged(reader)
                    self.approved = await read_approved(reader) if self._approvals() else {}
                    self.error = ""
                except OpsroomError as error:
                    self.error = str(error)
                    if isinstance(error, NotPermitted) and self._looked is None:
                        wait = FORBIDDEN_SECONDS
                if before != (self.freeze, self.acknowledged, self.approved):
                    changed()
            await asyncio.sleep(wait)

    def look_came(self, freeze: Freeze | None) -> None:
        """A look at the freeze was answered just now."""
        self.freeze = freeze
        self._looked = self._clock()

    def seen_by(self, uid: Uid, canary_hash: str, flag: Flag | None) -> Flag | None:
        """``flag`` with the acknowledgement that belongs to it."""
        mark = self.acknowledged.get(uid)
        if flag is None or mark is None or mark.hash != canary_hash:
            return flag
        return msgspec.structs.replace(flag, acknowledged_by=mark.by, acknowledged_at=mark.at)

    def approval(self, rollout: Rollout) -> Approval | None:
        """What the first of two people has left, while it is for the present canary at its present step."""
        found, canary = self.approved.get(rollout.uid), rollout.canary
        return found if canary is not None and stands(found, canary.hash, rollout.step, self._now()) else None

    def write_flags(self, rollouts: Iterable[tuple[Rollout, Flag | None, Marks]]) -> None:
        """Begin to make the marks on the workloads say what is decided."""
        lease = self._outside.lease
        if self._outside.writer is None or lease is None or not lease.held:
            return
        now = self._now()
        self._not_before = {uid: at for uid, at in self._not_before.items() if 0.0 < at - now <= RETRY_SECONDS}
        for rollout, flag, marks in rollouts:
            if len(self._writing) >= AT_ONCE:
                return
            uid, mark = rollout.uid, self._due(rollout, flag, marks)
            if mark is None or uid in self._writing or uid in self._not_before:
                continue
            self._not_before[uid] = now + RETRY_SECONDS
            task = asyncio.ensure_future(self._write(rollout, mark, marks.verdict))
            self._writing[uid] = task
            task.add_done_callback(partial(self._written, uid))

    async def close(self) -> None:
        """Let go of what is being written."""
        for task in list(self._writing.values()):
            task.cancel()
        await asyncio.gather(*self._writing.values(), return_exceptions=True)

    def _written(self, uid: Uid, _: asyncio.Task[None]) -> None:
        self._writing.pop(uid, None)

    def _due(self, rollout: Rollout, flag: Flag | None, marks: Marks) -> VerdictMark | None:
        canary, standing, lease = rollout.canary, marks.verdict, self._outside.lease
        if canary is None or not canary.hash or lease is None:
            return None
        if flag is not None and flag.reason is FlagReason.PERSON:
            return None
        if flag is None:
            stands = standing is not None and standing.flag is not None and standing.hash == canary.hash
            return self._signed(VerdictMark(hash=canary.hash, outcome="watch")) if stands else None
        wanted = VerdictMark(hash=canary.hash, outcome="flag", flag=flag.reason, since=flag.since, detail=flag.detail)
        if standing is not None and (standing.hash, standing.flag, standing.since, standing.detail) == (
            wanted.hash,
            wanted.flag,
            wanted.since,
            wanted.detail,
        ):
            return None
        return self._signed(wanted)

    def _signed(self, mark: VerdictMark) -> VerdictMark:
        lease = self._outside.lease
        transitions = lease.transitions if lease is not None else 0
        return msgspec.structs.replace(mark, decider=self._outside.identity, transitions=transitions)

    async def _write(self, rollout: Rollout, mark: VerdictMark, standing: VerdictMark | None) -> None:
        writer = self._outside.writer
        if writer is None:
            return
        try:
            await write_verdict(writer, rollout, mark, standing)
        except OpsroomError as error:
            log.info("mark on %s: %s", rollout.key, error)
