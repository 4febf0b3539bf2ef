"""Deeds that somebody elsewhere began and never ended: seen by the mark they left, settled by what the cluster shows.

A journal tells only its own machine, and only what its writer came to write. A worker that was killed, or a person
whose ``opsroom act`` died on a laptop, leaves a mark on the workload, or an open line in a journal here; whoever
decides takes up what only has to be ended, and shows the rest as "outcome unknown", which asks a person. It must not
go on with anything that moves traffic towards the canary.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from opsroom.control.grounds import moves
from opsroom.delivery.hands import ENDLESS, Hands, at_state
from opsroom.delivery.settle import CUT_OFF, from_mark, only_ends, settle, shown
from opsroom.domain.deed import Deed, DeedState, Effect
from opsroom.domain.marks import DeedMark
from opsroom.domain.rollout import Engine, Rollout, Uid
from opsroom.errors import OpsroomError
from opsroom.sources.cluster import Cluster
from opsroom.worker.automatic import Automatic
from opsroom.worker.situation import Situation

QUIET = 90.0
"""Seconds after which a deed whose maker lives has come further than its mark."""

QUIET_FLAGGER = 300.0
"""The same where everything waits for Flagger's ticks."""

AGAIN = 120.0
"""Seconds between two tries to end what somebody left."""

log = logging.getLogger(__name__)


class Leftovers:
    """What one decider knows of such deeds."""

    def __init__(self, automatic: Automatic, told: Callable[[Deed], None]) -> None:
        self._automatic = automatic
        self._told = told
        self._tried: dict[Uid, float] = {}
        self._said: dict[Uid, str] = {}

    async def look(self, situation: Situation, cluster: Cluster, hands: Hands | None, now: float) -> None:
        """Take up, or show, what was left; ``now`` in epoch seconds. ``hands`` None: only show what marks tell."""
        found = self._marked(situation, cluster, now)
        if hands is not None:
            found = {**self._journalled(situation, now), **found}
        self._tried = {uid: at for uid, at in self._tried.items() if uid in found and abs(now - at) < AGAIN}
        self._said = {uid: said for uid, said in self._said.items() if uid in found}
        for uid, deed in found.items():
            course = situation.courses.get(uid)
            # It may be gone, or at work again, since the first of them was asked about.
            if course is None or uid in self._tried or self._automatic.at_work(uid):
                continue
            self._tried[uid] = now
            under_way = course.rollout.under_way
            if hands is None:
                self._say(deed, under_way)
                continue
            try:
                await self._take_up(deed, hands, under_way)
            except OpsroomError as error:
                log.info("left over on %s: %s", course.rollout.key, error)

    async def _take_up(self, deed: Deed, hands: Hands, under_way: bool) -> None:
        if await only_ends(deed, hands):
            log.info("%s on %s by %s is ended from here", deed.effect, deed.intent.target.name, deed.intent.actor)
            self._automatic.follow(deed.intent.target.uid, settle(deed, hands), deed.intent)
            return
        progress = await shown(deed, hands)
        if progress is None or progress.then is not None:
            self._say(deed, under_way)
        elif progress.state.settled and under_way:
            self._told(at_state(deed, progress.state, hands, progress.detail))

    def _say(self, deed: Deed, under_way: bool) -> None:
        """Once: nobody knows what became of it."""
        uid, intent = deed.intent.target.uid, deed.intent
        if under_way and self._said.get(uid) != intent.id:
            self._said[uid] = intent.id
            self._told(msgspec.structs.replace(deed, state=DeedState.UNKNOWN, detail=CUT_OFF))

    def _marked(self, situation: Situation, cluster: Cluster, now: float) -> dict[Uid, Deed]:
        """By uid what the marks on the workloads tell of."""
        found = {}
        for uid, course in situation.courses.items():
            mark = cluster.marks(uid).deed
            if mark is None or now - mark.at < _quiet(course.rollout):
                continue
            known = situation.deeds.of(uid)
            ended = known is not None and known.intent.id == mark.id and known.state.settled
            if mark.effect is Effect.SKIP_ANALYSIS or (not ended and _speaks_of(mark, course.rollout, now)):
                found[uid] = from_mark(course.rollout, mark)
        return found

    def _journalled(self, situation: Situation, now: float) -> dict[Uid, Deed]:
        """By uid what journals on this machine leave open for longer than their writer would, if it lived."""
        found = {}
        for uid, course in situation.courses.items():
            deed, canary = situation.deeds.of(uid), course.rollout.canary
            if deed is None or deed.state.settled or deed.state is DeedState.UNKNOWN or canary is None:
                continue
            here = course.rollout.under_way and deed.intent.precondition.canary_hash in ("", canary.hash)
            if here and moves(deed) and _quiet(course.rollout) <= now - deed.at < ENDLESS:
                found[uid] = deed
        return found


def _quiet(rollout: Rollout) -> float:
    return QUIET_FLAGGER if rollout.engine is Engine.FLAGGER else QUIET


def _speaks_of(mark: DeedMark, rollout: Rollout, now: float) -> bool:
    """Whether ``mark`` is about the change that is under way now, and not of a day when nobody was here."""
    canary = rollout.canary
    same = canary is not None and rollout.under_way and mark.hash in ("", canary.hash)
    again = rollout.started is not None and mark.at < rollout.started
    return same and not again and now - mark.at < ENDLESS
