"""Deeds that somebody elsewhere began and never ended: seen by the mark they left, settled by what the cluster shows.

A journal tells only its own machine. A worker that was killed on another one, or a person whose ``opsroom act`` died on
a laptop, leaves a mark on the workload; whoever decides here takes up what only has to be ended, and shows the rest as
"outcome unknown", which asks a person. It must not go on with anything that moves traffic towards the canary.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from opsroom.delivery.hands import ENDLESS, Hands
from opsroom.delivery.settle import from_mark, only_ends, settle
from opsroom.domain.deed import Deed, Effect
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
        """Take up, or show, what was left; ``now`` in epoch seconds. ``hands`` None: only show it."""
        found = dict(self._found(situation, cluster, now))
        self._tried = {uid: at for uid, at in self._tried.items() if uid in found and abs(now - at) < AGAIN}
        self._said = {uid: said for uid, said in self._said.items() if uid in found}
        for uid, mark in found.items():
            if uid in self._tried or self._automatic.at_work(uid):
                continue
            self._tried[uid] = now
            known = situation.deeds.of(uid)
            shown = known is not None and known.intent.id == mark.id
            await self._take_up(situation.courses[uid].rollout, mark, hands, shown)

    async def _take_up(self, rollout: Rollout, mark: DeedMark, hands: Hands | None, shown: bool) -> None:
        deed = from_mark(rollout, mark)
        try:
            ends = hands is not None and await only_ends(deed, hands)
        except OpsroomError as error:
            log.info("left over on %s: %s", rollout.key, error)
            return
        if ends and hands is not None:
            log.info("%s on %s by %s is ended from here", mark.effect, rollout.key, deed.intent.actor)
            self._automatic.follow(rollout.uid, settle(deed, hands), deed.intent)
        elif rollout.under_way and not shown and self._said.get(rollout.uid) != mark.id:
            self._said[rollout.uid] = mark.id
            self._told(deed)

    def _found(self, situation: Situation, cluster: Cluster, now: float) -> list[tuple[Uid, DeedMark]]:
        found = []
        for uid, course in situation.courses.items():
            mark = cluster.marks(uid).deed
            quiet = QUIET_FLAGGER if course.rollout.engine is Engine.FLAGGER else QUIET
            if mark is None or now - mark.at < quiet:
                continue
            known = situation.deeds.of(uid)
            ended = known is not None and known.intent.id == mark.id and known.state.settled
            if mark.effect is Effect.SKIP_ANALYSIS or (not ended and _speaks_of(mark, course.rollout, now)):
                found.append((uid, mark))
        return found


def _speaks_of(mark: DeedMark, rollout: Rollout, now: float) -> bool:
    """Whether ``mark`` is about the change that is under way now, and not of a day when nobody was here."""
    canary = rollout.canary
    same = canary is not None and rollout.under_way and mark.hash in ("", canary.hash)
    again = rollout.started is not None and mark.at < rollout.started
    return same and not again and now - mark.at < ENDLESS
