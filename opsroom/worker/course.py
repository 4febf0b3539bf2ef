"""The course of one rollout as this worker has watched it: its change under way, and how the last one ended.

Nobody tells a watcher "promoted": it is seen. The canary's revision became the stable one, or the canary is gone and
the stable revision stayed. It must not know who did it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import msgspec

from opsroom.control.grounds import moves
from opsroom.domain.board import Happening
from opsroom.domain.decision import Decision, Flag, Outcome
from opsroom.domain.deed import Deed, DeedState, Verb
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape
from opsroom.domain.series import Metric
from opsroom.domain.verdict import Verdict

PROMOTED = "promoted"
ROLLED_BACK = "rolled_back"

SCORES_KEPT = 60
HAPPENINGS_KEPT = 20


def result_of(before: Rollout, after: Rollout, former: Revision | None) -> str:
    """How the change under way in ``before`` ended by the time of ``after``; empty while it did not.

    ``former`` is what was stable when the change began.
    """
    old, stable = before.canary, after.stable
    if old is None or same_canary(before, after):
        return ""
    if stable is not None and _is(stable, old, before, former) and after.phase is not Phase.OBSERVING:
        return PROMOTED
    if after.phase is Phase.ABORTED:
        return ROLLED_BACK
    if after.under_way:
        new = after.canary
        return ROLLED_BACK if former is not None and new is not None and former.hash == new.hash != "" else ""
    return ROLLED_BACK if after.phase is Phase.HEALTHY and stable is not None else ""


def same_canary(before: Rollout, after: Rollout) -> bool:
    """Whether ``after`` is still under way with the canary of ``before`` (which may have had no hash yet)."""
    old, new = before.canary, after.canary
    return after.under_way and old is not None and new is not None and old.hash in ("", new.hash)


def _is(stable: Revision, canary: Revision, before: Rollout, former: Revision | None) -> bool:
    if stable.hash and stable.hash == canary.hash:
        return True
    # The stable Deployment (Flagger's primary) takes the canary's template, but its labels give it another hash.
    moves_over = before.shape is Shape.PAIR or before.engine is Engine.FLAGGER
    moved = former is None or former.hash != stable.hash
    return moves_over and moved and bool(canary.images) and stable.images == canary.images


def _of(deed: Deed | None, canary: Revision) -> Deed | None:
    return deed if deed is not None and deed.intent.precondition.canary_hash == canary.hash else None


@dataclass(slots=True)
class Course:
    """One rollout: what was last seen of it, and what was thought and done."""

    rollout: Rollout
    running: Rollout | None = None
    """The change under way when it was last seen under way; None when its end was seen."""
    former: Revision | None = None
    """What was stable when the present change began."""
    judged_hash: str = ""
    """Canary that verdict, scores and metrics are about."""
    change: int = 0
    """Counts the changes: what was asked for one is no answer for the next, not even of the same revision."""
    again: float | None = None
    """When the revision of the former change came once more (a retry); None for another one."""
    idle: float | None = None
    """When it was last seen held without traffic: what its pods showed until then acquits nobody."""
    verdict: Verdict | None = None
    scores: deque[float | None] = field(default_factory=lambda: deque(maxlen=SCORES_KEPT))
    metrics: tuple[Metric, ...] = ()
    flag: Flag | None = None
    decision: Decision | None = None
    deed: Deed | None = None
    move: Deed | None = None
    """The last deed that moves traffic: a mark, a hold or a release beside it does not undo how it ended."""
    news: deque[Happening] = field(default_factory=lambda: deque(maxlen=HAPPENINGS_KEPT))
    """Our own: decisions and deeds, oldest first."""
    finished: float | None = None
    result: str = ""
    _way_back: str | None = None
    _ended_on: Revision | None = None
    """What was stable when the last change ended."""

    def __post_init__(self) -> None:
        if self.deed is not None and moves(self.deed):
            self.move = self.deed

    def see(self, rollout: Rollout, now: float) -> str:
        """Take note of ``rollout`` as it is now; the result of a change that ended by this look, else empty."""
        result = result_of(self.running, rollout, self.former) if self.running is not None else ""
        if result and self.running is not None and self._half_promoted(self.running, rollout):
            result = PROMOTED
        self.rollout = rollout
        revision = rollout.canary.hash if rollout.canary is not None and rollout.under_way else None
        if result:
            self.running, self.flag = None, None
            self.finished, self.result, self._ended_on = now, result, rollout.stable
            # An undo is itself a change under way, towards the revision that was stable: not a canary to count again.
            self._way_back = revision if result == ROLLED_BACK else None
        if revision is None:
            self._way_back = None
            if self.result == PROMOTED and self._undone(rollout):
                self.finished, self.result = now, ROLLED_BACK
        elif revision != self._way_back:
            if self.running is None or not same_canary(self.running, rollout):
                self._begin(rollout, revision, now)
            self.running = rollout
        if revision is not None and revision != self.judged_hash:
            self._forget_judgement(revision)
        if rollout.idle:
            self.idle, self.verdict = now, None
        return result

    @property
    def to_measure(self) -> Rollout:
        """The rollout with a start before which nothing may be measured: its ReplicaSet may have served before."""
        begun = [time for time in (self.again, self.idle) if time is not None]
        if not begun:
            return self.rollout
        return msgspec.structs.replace(self.rollout, started=max(*begun, self.rollout.started or begun[0]))

    def judge(self, verdict: Verdict, metrics: tuple[Metric, ...]) -> None:
        """Take a verdict on the present canary, and the series behind it."""
        newer = self.verdict is None or verdict.at > self.verdict.at
        self.verdict, self.metrics = verdict, metrics
        if newer:
            self.scores.append(None if verdict.score is None else round(verdict.score, 3))
        elif self.scores:
            self.scores[-1] = None if verdict.score is None else round(verdict.score, 3)

    def decide(self, decision: Decision, flag: Flag | None) -> bool:
        """Take a decision; True when it differs from the one before in what is to be done."""
        before = self.decision
        news = before is None or (before.outcome, before.flag) != (decision.outcome, decision.flag)
        # A decision of the same kind is not made anew at each look: rows would change without a change.
        if news or before is None or before.detail != decision.detail or before.row != decision.row:
            self.decision = decision
        self.flag = flag
        if news and decision.outcome is not Outcome.WATCH:
            text = decision.outcome.value + (f":{decision.flag.value}" if decision.flag is not None else "")
            self.news.append(Happening(at=decision.at, kind="decision", text=text))
        return news

    def act(self, deed: Deed) -> None:
        """Take the newest state of a deed."""
        self.deed = deed
        if moves(deed):
            self.move = deed
        text = f"{deed.intent.verb.value}:{deed.state.value}" + (f":{deed.refusal.value}" if deed.refusal else "")
        by = "the worker" if deed.intent.automatic else deed.intent.actor
        self.news.append(Happening(at=deed.at, kind="deed", text=text, by=by))

    def _undone(self, after: Rollout) -> bool:
        """Whether what was promoted is gone again without another change: the undo of a pair puts a template back."""
        ended, former, stable = self._ended_on, self.former, after.stable
        if ended is None or former is None or stable is None or stable.hash == ended.hash:
            return False
        return stable.images == former.images != ended.images

    def _half_promoted(self, before: Rollout, after: Rollout) -> bool:
        """A pair that this worker met in the middle of its promotion: its stable had the new template already."""
        deed, canary, stable = self.move, before.canary, after.stable
        return (
            before.shape is Shape.PAIR
            and deed is not None
            and canary is not None
            and stable is not None
            and deed.intent.verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY)
            and deed.intent.precondition.canary_hash == canary.hash
            and deed.state not in (DeedState.REFUSED, DeedState.CANCELLED, DeedState.FAILED)
            and stable.images == canary.images
        )

    def _begin(self, rollout: Rollout, revision: str, now: float) -> None:
        self.again = now if revision and revision == self.judged_hash else None
        self.idle = None
        self._forget_judgement(revision)
        self.finished, self.result, self.former = None, "", rollout.stable
        if rollout.canary is not None:
            self.deed, self.move = _of(self.deed, rollout.canary), _of(self.move, rollout.canary)

    def _forget_judgement(self, canary_hash: str) -> None:
        self.judged_hash = canary_hash
        self.change += 1
        self.verdict, self.metrics, self.decision, self.flag = None, (), None, None
        self.scores.clear()
