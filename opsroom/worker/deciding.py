"""Asking ``control`` what should be done, and passing its answers on.

Everything known of each rollout becomes a case; the decisions come back as deeds to begin, lines for the journal and
marks for other workers. What is right is decided in ``control`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opsroom.clock import awake_or_not
from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.domain.decision import Decision, Outcome
from opsroom.domain.marks import Marks, standing_flag
from opsroom.domain.rollout import Rollout, Uid
from opsroom.domain.verdict import Verdict
from opsroom.sources.cluster import Cluster
from opsroom.worker import deferring
from opsroom.worker.course import Course
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.queueing import Queueing
from opsroom.worker.rails import SharedRails
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import JOURNAL, Situation

DEEDS = (Outcome.PROMOTE, Outcome.PROMOTE_FULLY, Outcome.ROLL_BACK)

UNSEEN = "Nothing is done automatically while the freeze cannot be read"
UNREAD = "Nothing is done automatically while queue, quarantine and policy are not known"
BROKEN = "Nothing is done automatically before the cluster's own policy is a good one"

Act = Callable[[Decision, Rollout, Verdict | None], None]
"""Begins the deed that was decided."""

Decided = Callable[[Decision, Rollout], None]
"""Told of each decision that is news."""


class Deciding:
    """One worker's decisions."""

    def __init__(
        self,
        outside: Outside,
        sharing: Sharing,
        act: Act,
        decided: Decided,
        clock: Callable[[], float] = awake_or_not,
    ) -> None:
        self._outside = outside
        self._clock = clock
        self._unseen_since: float | None = None
        self._sharing = sharing
        self._act = act
        self._decided = decided
        self._rails = SharedRails(outside)

    def tick(
        self,
        situation: Situation,
        cluster: Cluster,
        verdicts: Mapping[Uid, Verdict | None],
        policy: PolicyInForce,
        now: float,
        queue: Queueing,
    ) -> None:
        """Decide on every rollout once; ``queue`` as it was at the last tick."""
        unseen = self._unseen(situation, policy, queue)
        may_act = self._outside.may_act and not unseen
        self._rails.take_over(situation)
        queue.take_over(situation)
        memory = deferring.forgotten(situation.memory) if may_act else situation.memory
        cases = [
            self._case(situation, cluster.marks(uid), course, verdicts[uid], uid in queue.gated, may_act=may_act)
            for uid, course in situation.courses.items()
        ]
        decisions, memory = decide(
            cases,
            policy.policy,
            memory,
            now,
            freeze=self._sharing.freeze,
            may_act=may_act,
            steps_held=queue.steps_held,
            blind=bool(situation.metrics_error),
            journal=JOURNAL not in situation.troubles,
        )
        lacking = self._lacking(unseen)
        if unseen or (not may_act and self._outside.somebody_will_act):
            decisions, memory = deferring.left(decisions, memory, lacking)
        situation.memory = memory
        self._rails.tell(situation)
        for decision in decisions:
            self._take(situation, decision, verdicts[decision.uid])
        self._sharing.write_flags(
            (course.rollout, course.flag, cluster.marks(uid))
            for uid, course in situation.courses.items()
            if course.rollout.under_way
        )

    def _unseen(self, situation: Situation, policy: PolicyInForce, queue: Queueing) -> bool:
        """Whether this worker would act, did it know all that may stand in the way of deeds; said where it cannot."""
        may_act, unseen = self._outside.may_act, False
        for name, words, known, error in (
            ("freeze", UNSEEN, self._sharing.freeze_known, self._sharing.unseen),
            ("shared", UNREAD, queue.standing.known, queue.standing.error),
            ("policy", BROKEN, policy.sure, policy.note),
        ):
            unseen = unseen or (may_act and not known)
            if may_act and not known and error:
                situation.troubles[name] = f"{words}: {error}"
            else:
                situation.troubles.pop(name, None)
        return unseen

    def _lacking(self, unseen: bool) -> float:
        """Seconds for which it has not known what it must know."""
        now = self._clock()
        if not unseen or self._unseen_since is None:
            self._unseen_since = now
        return now - self._unseen_since

    def _case(
        self,
        situation: Situation,
        marks: Marks,
        course: Course,
        verdict: Verdict | None,
        queued: bool,
        *,
        may_act: bool,
    ) -> Case:
        rollout, flag = course.rollout, None
        if rollout.canary is not None:
            flag = standing_flag(marks, rollout.canary.hash, rollout.step)
            own = situation.memory.flags.get(rollout.uid)
            seen = self._sharing.seen_by(rollout.uid, rollout.canary.hash, flag or own)
            flag = seen if flag is not None or (seen is not None and seen.acknowledged_by) else None
            if deferring.deferred(flag) and may_act:
                flag = None
        return Case(rollout=rollout, verdict=verdict, flag=flag, deed=course.move, queued=queued)

    def _take(self, situation: Situation, decision: Decision, verdict: Verdict | None) -> None:
        course = situation.courses[decision.uid]
        before, flag = course.flag, situation.memory.flags.get(decision.uid)
        if course.decide(decision, flag):
            if course.rollout.under_way:
                situation.tally.decisions[decision.outcome.value] += 1
            if decision.outcome is not Outcome.WATCH:
                self._decided(decision, course.rollout)
        if flag is not None and before is None:
            situation.tally.flagged += 1
        if decision.outcome in DEEDS:
            self._act(decision, course.rollout, verdict)
