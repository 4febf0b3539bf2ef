"""The worker's tasks: what runs side by side, and in which order it ends.

Every task is restarted when it breaks off by a fault of ours: a worker that silently stopped watching would be worse
than one that died, so each fault is logged and counted, and the rest goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from opsroom.clock import awake_or_not
from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.control.memory import relearn
from opsroom.delivery.deliver import deliver
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry, Journal, read_recent
from opsroom.domain.board import Mode
from opsroom.domain.decision import Decision
from opsroom.domain.deed import Deed, Intent
from opsroom.domain.rollout import Rollout
from opsroom.domain.verdict import Verdict
from opsroom.errors import JournalError
from opsroom.feed.published import Published
from opsroom.worker.automatic import Automatic, intent_of
from opsroom.worker.clearing import Clearing
from opsroom.worker.deeds import Journals
from opsroom.worker.loop import Loop
from opsroom.worker.metrics_source import MetricsSource
from opsroom.worker.notices import Notices
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.quarantine import SharedQuarantine
from opsroom.worker.queueing import Queueing
from opsroom.worker.rights import Rights
from opsroom.worker.score import Judging, Metrics
from opsroom.worker.settling import Settling
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import JOURNAL
from opsroom.worker.standing import Standing

RESTART_SECONDS = 2.0
RELEARNT = 1000
"""Lines of the own journal that are shown again after a restart."""

WRITE_AGAIN = 5.0
"""Seconds after which a line that could not be written is tried again."""

JOURNAL_WAITING = 10_000
"""Decisions that wait for the disk; beyond it the oldest trouble is the disk, and it is shown."""

log = logging.getLogger(__name__)


class Work:
    """One worker without its feed."""

    def __init__(
        self, settings: Settings, mode: Mode, journal: Path | None, published: Published, *, gates: bool = False
    ) -> None:
        """``gates``: this worker answers gates. Raises ConfigError: the policy cannot be read."""
        if settings.read_only:
            # Whoever may not write can neither decide nor advise; the picture says so.
            mode = Mode.OBSERVE
        self.mode = mode
        """What this worker may do, whatever it was told: read-only decides."""
        self.outside = Outside(
            settings.kubeconfig,
            settings.context,
            settings.namespaces,
            mode=mode,
            read_only=settings.read_only,
            gates=gates,
        )
        self.standing = Standing(self.outside)
        self._source = MetricsSource(settings, self.outside)
        policy = PolicyInForce(Path(settings.policy) if settings.policy else None, lambda: self.standing.policy)
        path = journal or own_journal(settings)
        self.journal = Journal(path, self.outside.identity)
        self._others = Journals(path.parent, path)
        self.sharing = Sharing(
            self.outside, time.time, approvals=lambda: any(row.two_people for row in policy.policy.rows)
        )
        self.automatic = Automatic(self._carry, lambda deed: self.loop.told(deed), time.time)
        self.quarantine = SharedQuarantine(self.outside, self.standing, settings.namespaces)
        self.queueing = Queueing(self.outside, self.sharing, self.standing, self.quarantine, self.automatic.begin)
        self.notices = Notices(lambda: policy.policy.notices, self._calls)
        self.loop = Loop(
            self.outside,
            policy,
            published,
            Rights(awake_or_not),
            self.sharing,
            self.queueing,
            mode=mode,
            read_only=settings.read_only,
            namespaces=settings.namespaces,
            act=self._act,
            decided=self._decided,
            call=self.notices.look,
        )
        self.settling = Settling(
            self.outside,
            self.sharing,
            self.automatic,
            self.journal,
            lambda: self.loop.situation,
            lambda deed: self.loop.told(deed),
            mode,
        )
        self._policy = policy
        self._lines: asyncio.Queue[Entry] = asyncio.Queue(JOURNAL_WAITING)

    async def run(self, metrics: Metrics | None, judge: Judging | None) -> None:
        """Everything side by side until cancelled."""
        await self._relearn()
        wake = self.loop.wake.set
        async with asyncio.TaskGroup() as group:
            for name, task in (
                ("cluster", self.outside.run),
                ("loop", self.loop.run),
                ("others", lambda: self.loop.hear(self._others.news)),
                ("measure", lambda: self._measure(metrics, judge)),
                ("rights", self.loop.ask_rights),
                ("sharing", lambda: self.sharing.run(wake)),
                ("standing", lambda: self.standing.run(wake)),
                ("journal", self._write_lines),
                ("settle", self.settling.run),
                ("notices", self.notices.find),
            ):
                group.create_task(_again(name, task), name=name)

    async def close(self) -> None:
        """Let deeds come to their journal line, then give the Lease back."""
        await self.automatic.close()
        await self.sharing.close()
        await self.quarantine.close()
        await self.outside.close()

    async def _measure(self, metrics: Metrics | None, judge: Judging | None) -> None:
        if judge is None:
            from opsroom.worker.judging import PolicyJudge

            judge = PolicyJudge(lambda: self._policy.policy.judge)
        if metrics is None:
            await self._source.run(lambda source: self.loop.measure(source, judge))
            return
        try:
            await self.loop.measure(metrics, judge)
        finally:
            await metrics.aclose()

    def _calls(self) -> bool:
        """Where one decides, that one calls; an observer calls for whoever gave it addresses."""
        lease = self.outside.lease
        return self.mode is Mode.OBSERVE or (lease is not None and lease.held)

    def _carry(self, intent: Intent) -> AsyncIterator[Deed]:
        reader, writer, lease = self.outside.reader, self.outside.writer, self.outside.lease
        if reader is None or writer is None or lease is None:
            raise AssertionError("a deed was decided without a cluster")
        clear = Clearing(reader, lease, self.sharing)
        return deliver(intent, Hands(reader, writer, self.journal, guard=lambda: lease.held, clear=clear))

    def _act(self, decision: Decision, rollout: Rollout, verdict: Verdict | None) -> None:
        lease = self.outside.lease
        fencing = lease.transitions if lease is not None else 0
        self.automatic.begin(intent_of(decision, rollout, verdict, self.outside.identity, fencing))

    def _decided(self, decision: Decision, rollout: Rollout) -> None:
        if self.mode is Mode.OBSERVE:
            return
        try:
            self._lines.put_nowait(Entry(at=decision.at, writer="", decision=decision, rollout=rollout.key))
        except asyncio.QueueFull:
            log.error("the journal's disk does not keep up; a decision is not in it")

    async def _write_lines(self) -> None:
        while True:
            entry = await self._lines.get()
            # Nothing is passed over, and whoever waits for the journal learns that it works again.
            while not await self._written(entry):  # noqa: ASYNC110 - a disk sets no event
                await asyncio.sleep(WRITE_AGAIN)

    async def _written(self, entry: Entry) -> bool:
        troubles = self.loop.situation.troubles
        try:
            await asyncio.to_thread(self.journal.write, entry)
        except JournalError as error:
            troubles[JOURNAL] = str(error)
            return False
        troubles.pop(JOURNAL, None)
        return True

    async def _relearn(self) -> None:
        if self.mode is not Mode.AUTO:
            return
        try:
            # It may be long, and the feed is open already.
            deeds = await asyncio.to_thread(_deeds_in, self.journal.path)
        except JournalError as error:
            self.loop.situation.troubles[JOURNAL] = str(error)
            return
        self.loop.situation.memory = relearn(deeds, time.time(), self._policy.policy.rails.window)
        for deed in deeds[-RELEARNT:]:
            self.loop.situation.deeds.note(deed)


def own_journal(settings: Settings) -> Path:
    """One file for each cluster that this user's workers look at."""
    key = "|".join((settings.kubeconfig, settings.context))
    return paths.journal_folder() / f"worker-{hashlib.sha256(key.encode()).hexdigest()[:12]}.jsonl"


def _deeds_in(journal: Path) -> list[Deed]:
    return [entry.deed for entry in read_recent(journal) if entry.deed is not None]


async def _again(name: str, task: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await task()
            return
        except Exception:
            log.exception("task %s broke off and is started again", name)
        await asyncio.sleep(RESTART_SECONDS)
