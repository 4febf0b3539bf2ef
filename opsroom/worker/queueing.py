"""The queue in this worker: every rollout as an entrant, and admission's answers as releases and holds.

Whoever decides here releases and holds; every other worker shows the same queue and touches nothing. What may start
and why something waits is decided in ``control`` alone, how it is released in ``delivery``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

import msgspec

from opsroom.control.entrant import Entrant, QueueMemory
from opsroom.control.queue import admit
from opsroom.domain.deed import DeedState, Effect, Intent, Precondition, Verb, target_of
from opsroom.domain.flagger import Gate
from opsroom.domain.marks import Marks
from opsroom.domain.policy import Policy
from opsroom.domain.queue import Lane, Queue, QueueEntry, QueueState
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.sources.cluster import Cluster
from opsroom.worker.course import Course
from opsroom.worker.outside import Outside
from opsroom.worker.quarantine import SharedQuarantine
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation
from opsroom.worker.standing import Standing

ADMITTED = "admitted"
NO_SLOT = "no_slot"
"""Reasons of automatic releases and holds, as codes."""

RECENT = 120.0
"""Seconds for which a roll back by template explains what is under way."""

UNSEEN = "unseen"
"""Why a gate stays shut before the queue has seen what waits there."""

Begin = Callable[[Intent], None]


class Queueing:
    """One worker's queue. ``memory`` lives on between ticks."""

    def __init__(
        self, outside: Outside, sharing: Sharing, standing: Standing, quarantine: SharedQuarantine, begin: Begin
    ) -> None:
        self.memory = QueueMemory()
        self.entries: dict[Uid, QueueEntry] = {}
        """Of the last tick."""
        self.gated: frozenset[Uid] = frozenset()
        """Those that wait at a gate of ours before their start."""
        self._outside = outside
        self._sharing = sharing
        self._standing = standing
        self._quarantine = quarantine
        self._begin = begin
        self._rolled_back = 0
        self._rest: dict[Uid, tuple[Rollout, str]] = {}
        """The mark of a roll back that stood on each rollout when nothing of it was under way."""

    @property
    def standing(self) -> Standing:
        """What was read of the cluster's own facts."""
        return self._standing

    @property
    def steps_held(self) -> bool:
        """The queue is frozen: steps are not promoted either."""
        return self._standing.state is QueueState.FROZEN

    def keeps(self, uid: str, namespace: str, version: str) -> str:
        """What keeps this version of a Canary from starting, as a code; empty where it may, or no queue counts there.

        Flagger asks before the watch can show what it asks about: until the queue has seen it the answer is "not
        now", which makes it wait where it is seen.
        """
        standing = self._standing
        if not standing.answered:
            return UNSEEN
        if not self._takes_part(namespace) or standing.state is QueueState.OFF:
            return ""
        entry, place = self.entries.get(Uid(uid)), self.memory.places.get(Uid(uid))
        if entry is None or place is None or place.version != version:
            return UNSEEN
        if entry.running:
            return ""
        why = entry.why.value if entry.why is not None else UNSEEN
        return f"{why} {entry.waits_for}" if entry.waits_for else why

    def _takes_part(self, namespace: str) -> bool:
        return self._standing.switch and namespace in self._standing.enabled

    def take_over(self, situation: Situation) -> None:
        """Before a decision: what others put into quarantine counts for whoever decides now."""
        self._quarantine.take_over(situation)

    def tick(self, situation: Situation, cluster: Cluster, policy: Policy, now: float) -> Queue:
        """One look at everybody; begins what is to be released or held now. The entries are kept aside, by uid."""
        self._quarantine.tick(situation, now)
        may = self._outside.may_act and self._standing.known and self._sharing.freeze is None
        entrants = list(self._entrants(situation.courses, cluster, now))
        self.gated = frozenset(one.rollout.uid for one in entrants if one.gated)
        back, self._rolled_back = situation.tally.rolled_back - self._rolled_back, situation.tally.rolled_back
        queue, admission, self.memory = admit(
            entrants, policy.queue, self.memory, now, state=self._state(), rolled_back=back, may_release=may
        )
        self.entries = {entry.uid: entry for entry in queue.entries}
        if may:
            for verb, uids, reason in (
                (Verb.RELEASE, admission.release, ADMITTED),
                (Verb.HOLD, admission.hold, NO_SLOT),
            ):
                for uid in uids:
                    if uid in self.gated:
                        continue  # the gate answers by the entry
                    self._begin(self._intent(verb, situation.courses[uid].rollout, reason, now))
        late = self._standing.switch and not self._standing.installed
        return msgspec.structs.replace(queue, entries=(), hold_missing=late, nobody=self._standing.nobody)

    def _state(self) -> QueueState:
        return QueueState.FROZEN if self._sharing.freeze is not None else self._standing.state

    def _entrants(self, courses: dict[Uid, Course], cluster: Cluster, now: float) -> Iterable[Entrant]:
        for uid, course in courses.items():
            rollout = course.rollout
            if rollout.under_way or rollout.held or rollout.phase is Phase.HELD:
                yield self._entrant(course, cluster.marks(uid), now)
            elif self._standing.switch and (uid not in self._rest or self._rest[uid][0] is not rollout):
                self._rest[uid] = rollout, cluster.marks(uid).rollback
        for uid in self._rest.keys() - courses.keys():
            del self._rest[uid]

    def _entrant(self, course: Course, marks: Marks, now: float) -> Entrant:
        rollout, standing, uid = course.rollout, self._standing, course.rollout.uid
        lane = Lane.ROLLBACK if self._goes_back(course, marks, now) else _lane(marks)
        quarantined = standing.quarantine.get(uid)
        jumps = lane is Lane.HOTFIX and standing.installed and standing.may_jump(marks.requested_by, rollout.namespace)
        return Entrant(
            rollout=rollout,
            since=_since(rollout),
            lane=lane,
            may_hotfix=jumps,
            quarantined=quarantined is not None and quarantined.covers(_hash(rollout)),
            asked=course.flag.since if course.flag is not None and not rollout.held else None,
            kept=marks.kept,
            gated=self._takes_part(rollout.namespace) and waits_to_start(rollout),
            late=self._late(rollout),
            requester=marks.requested_by,
        )

    def _goes_back(self, course: Course, marks: Marks, now: float) -> bool:
        """Whether the change is a roll back by template: by a deed that we know of, or by a new mark of one.

        The mark outlives its deed; only one that is new since the rollout was at rest speaks of this change.
        """
        rest, deed = self._rest.get(course.rollout.uid), course.move
        if rest is not None and marks.rollback and marks.rollback != rest[1]:
            return True
        if deed is None or deed.effect not in (Effect.UNDO, Effect.REVERT) or now - deed.at > RECENT:
            return False
        return deed.state not in (DeedState.REFUSED, DeedState.CANCELLED, DeedState.FAILED)

    def _late(self, rollout: Rollout) -> bool:
        """Whether nothing holds it at admission although it takes part in the queue.

        The policy holds by ``spec.paused``, which Flagger's targets cannot bear and the canary of a pair evades.
        """
        if not self._takes_part(rollout.namespace):
            return False
        return not self._standing.installed or rollout.engine is Engine.FLAGGER or rollout.shape is Shape.PAIR

    def _intent(self, verb: Verb, rollout: Rollout, reason: str, now: float) -> Intent:
        lease = self._outside.lease
        return Intent(
            id=uuid.uuid4().hex,
            verb=verb,
            target=target_of(rollout),
            precondition=Precondition(canary_hash=_hash(rollout)),
            actor=self._outside.identity,
            at=now,
            automatic=True,
            reason=reason,
            fencing=lease.transitions if lease is not None else None,
        )


def waits_to_start(rollout: Rollout) -> bool:
    """Whether a Canary waits at a gate of ours before its first pod."""
    return (
        rollout.engine is Engine.FLAGGER
        and rollout.phase is Phase.PAUSED
        and rollout.step == 0
        and Gate.ROLLOUT.value in rollout.gates
        and bool(rollout.steps)
        and rollout.steps[0].name == Gate.ROLLOUT.value
    )


def _lane(marks: Marks) -> Lane | None:
    """The lane that the change asks for; a roll back cannot be asked for."""
    return Lane(marks.lane) if marks.lane in (Lane.HOTFIX, Lane.NORMAL, Lane.BATCH) else None


def _since(rollout: Rollout) -> float | None:
    """When its change was written, as far as the cluster tells: so old ages survive the worker."""
    pause = rollout.pause.since if rollout.pause is not None else None
    known = [time for time in (pause, rollout.started) if time is not None]
    return min(known, default=None)


def _hash(rollout: Rollout) -> str:
    return rollout.canary.hash if rollout.canary is not None else ""
