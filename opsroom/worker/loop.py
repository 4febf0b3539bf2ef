"""The tick: look at the world, take the newest verdicts, decide, begin deeds, publish.

Measuring has its own pace and its own task (``measuring``); a tick takes what is newest. Everything is learned again
by the next worker but the counts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

import msgspec

from opsroom.domain.board import Counts, Happening, Mode, Right, Room, Row
from opsroom.domain.deed import Deed, Verb
from opsroom.domain.freshness import verdict_patience
from opsroom.domain.queue import Queue
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import Verdict
from opsroom.feed.published import Published
from opsroom.worker.course import PROMOTED, Course
from opsroom.worker.deciding import Act, Decided, Deciding
from opsroom.worker.measuring import Measuring
from opsroom.worker.outside import Outside
from opsroom.worker.picture import row_of, verdict_now
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.queueing import Queueing
from opsroom.worker.rights import Rights
from opsroom.worker.score import Judging, Metrics
from opsroom.worker.set_clock import SetClock
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import INTERVAL, Situation
from opsroom.worker.source_states import SourceStates

HEAR = 1.0
"""Seconds between two looks at what people on this machine have done."""

GATHER = 0.2
"""Seconds to gather changes that come together before they are shown."""

Call = Callable[[Iterable[Row], str, float], str]
"""Calls people for new flags among all rows of a context, at epoch seconds; says what went wrong, if anything did."""

log = logging.getLogger(__name__)


def _nobody(rows: Iterable[Row], context: str, now: float) -> str:
    return ""


class Loop:
    """One worker's ticks."""

    def __init__(
        self,
        outside: Outside,
        policy: PolicyInForce,
        published: Published,
        rights: Rights,
        sharing: Sharing,
        queueing: Queueing,
        *,
        mode: Mode,
        read_only: bool,
        namespaces: tuple[str, ...],
        act: Act,
        decided: Decided,
        call: Call = _nobody,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.situation = Situation()
        self.wake = asyncio.Event()
        self.measuring = Measuring(outside, policy, self.situation, self.tick, now)
        self._outside = outside
        self._policy = policy
        self._published = published
        self._rights = rights
        self._sharing = sharing
        self._queueing = queueing
        self._queue = Queue()
        self._mode = mode
        self._read_only = read_only
        self._namespaces = namespaces
        self._deciding = Deciding(outside, sharing, act, decided)
        self._call = call
        self._now = now
        self._sources = SourceStates(outside)
        self._clock = SetClock()

    async def run(self) -> None:
        """Tick until cancelled: on every change, and at least each ``INTERVAL`` seconds."""
        while True:
            self.tick()
            await self._changed()
            await asyncio.sleep(GATHER)

    async def measure(self, metrics: Metrics, judge: Judging) -> None:
        """Measure and judge at each step until cancelled."""
        self._sources.metrics = metrics
        await self.measuring.run(metrics, judge)

    async def ask_rights(self) -> None:
        """Keep the answers about rights true until cancelled."""
        while True:
            await self._outside.ready.wait()
            access = self._outside.access
            if access is None:
                return
            rollouts = [c.rollout for c in self.situation.courses.values() if c.rollout.under_way or c.flag or c.result]
            if await self._rights.refresh(rollouts, access.may):
                self.wake.set()
            await asyncio.sleep(INTERVAL)

    def told(self, deed: Deed) -> None:
        """Take the newest state of a deed of our own."""
        self._note(deed)
        if deed.intent.automatic and deed.state.settled:
            self.situation.tally.deeds[deed.intent.verb.value, deed.state.value] += 1
        self.wake.set()

    async def hear(self, news: Callable[[], Iterable[Deed]]) -> None:
        """Take what others on this machine have done here until cancelled; ``news`` reads files, so not in a tick.

        Their journals' folder is that of all clusters.
        """
        while True:
            cluster = self._outside.cluster
            found = list(await asyncio.to_thread(news)) if cluster is not None and cluster.listed else []
            here = {rollout.uid for rollout in cluster.rollouts()} if cluster is not None and found else set()
            for deed in found:
                if deed.intent.target.uid in here:
                    self._note(deed)
                    self.wake.set()
            await asyncio.sleep(HEAR)

    def _note(self, deed: Deed) -> None:
        self.situation.deeds.note(deed)
        course = self.situation.courses.get(deed.intent.target.uid)
        if course is not None and _follows(deed, course.deed):
            course.act(deed)

    def tick(self) -> None:
        """One look, one decision on everything, one picture."""
        now = self._now()
        self._policy.look()
        if self._clock.look(now):
            # A score of unknown age is none; the next one comes within a step.
            log.warning("the wall clock was set")
            for course in self.situation.courses.values():
                course.verdict = None
        self._see(now)
        verdicts = self._decide(now)
        self._publish(now, verdicts)

    async def _changed(self) -> None:
        cluster = self._outside.cluster
        waits = [asyncio.ensure_future(self.wake.wait())]
        if cluster is not None:
            waits.append(asyncio.ensure_future(cluster.changed.wait()))
        else:
            waits.append(asyncio.ensure_future(self._outside.ready.wait()))
        try:
            await asyncio.wait(waits, timeout=INTERVAL, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.wake.clear()
        if cluster is not None:
            cluster.changed.clear()

    def _see(self, now: float) -> None:
        cluster, situation = self._outside.cluster, self.situation
        if cluster is None:
            return
        present = set()
        for rollout in self._outside.rollouts():
            present.add(rollout.uid)
            course = situation.courses.get(rollout.uid)
            if course is None:
                course = situation.courses[rollout.uid] = Course(rollout, deed=situation.deeds.of(rollout.uid))
            if not cluster.listed:
                # Half a picture (Rollouts without their ReplicaSets) must not look like the end of a change.
                course.rollout = rollout
                continue
            result = course.see(rollout, now)
            if result:
                situation.tally.end(result == PROMOTED, now)
        for uid in situation.courses.keys() - present:
            del situation.courses[uid]

    def _decide(self, now: float) -> dict[Uid, Verdict | None]:
        situation = self.situation
        patience = verdict_patience(self._policy.policy.step)
        verdicts = {
            uid: verdict_now(course, situation.metrics_error, now, patience)
            for uid, course in situation.courses.items()
        }
        if self._outside.cluster is not None and self._outside.cluster.listed:
            policy, cluster = self._policy.policy, self._outside.cluster
            self._deciding.tick(situation, cluster, verdicts, self._policy, now, self._queueing)
            self._queue = self._queueing.tick(situation, cluster, policy, now)
        return verdicts

    def _publish(self, now: float, verdicts: dict[Uid, Verdict | None]) -> None:
        cluster = self._outside.cluster
        # Most policies ask it of nobody: then no row is looked up once more.
        two_people = any(each.two_people for each in self._policy.policy.rows)
        rows = []
        for uid, course in self.situation.courses.items():
            events: tuple[Happening, ...] = cluster.happenings(uid) if cluster is not None else ()
            rights: dict[Verb, Right] = {} if self._read_only else self._rights.of(course.rollout)
            row = row_of(course, verdicts[uid], events, rights, self._queueing.entries.get(uid))
            rows.append(self._needing_two(row) if two_people and course.rollout.under_way else row)
        if cluster is not None and cluster.listed:
            error = self._call(rows, self._outside.context, now)
            self._trouble("notices", error)
        self._published.publish(self._room(now), rows)

    def _needing_two(self, row: Row) -> Row:
        """``row`` with what the policy asks of people, and what the first of them has left."""
        if not self._policy.policy.row_for(row.rollout).two_people:
            return row
        return msgspec.structs.replace(row, two_people=True, approval=self._sharing.approval(row.rollout))

    def _trouble(self, name: str, error: str) -> None:
        if error:
            self.situation.troubles[name] = error
        else:
            self.situation.troubles.pop(name, None)

    def rows(self) -> list[Row]:
        """The rows as they were last published."""
        return self._published.rows()

    def _room(self, now: float) -> Room:
        situation, tally = self.situation, self.situation.tally
        return Room(
            at=now,
            context=self._outside.context,
            namespaces=self._namespaces,
            identity=self._outside.user,
            mode=self._mode,
            read_only=self._read_only,
            sources=self._sources.all(now, situation, self._policy.policy.step),
            decider=self._outside.decider(),
            freeze=self._sharing.freeze,
            queue=self._queue,
            policy_note=self._policy.note,
            counts=Counts(
                promoted=tally.promoted,
                rolled_back=tally.rolled_back,
                flagged=tally.flagged,
                ticks=tally.ticks,
                worst_tick=round(tally.worst_tick, 4),
                hour=tally.hour(now),
            ),
            deeds=situation.deeds.latest,
            interval=INTERVAL,
        )


def _follows(deed: Deed, known: Deed | None) -> bool:
    """Whether ``deed`` is news after ``known``: of the same intent always, for its states come in order."""
    return known is None or deed.intent.id == known.intent.id or deed.at >= known.at
