"""How far a deed on a Canary has come, by what Flagger shows.

A mark that is stored moves nothing by itself: Flagger asks at its next tick, so each deed may take an interval or
two before it counts as unseen. A promotion is done when the step was left, a roll back when the phase is Failed.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.engines.flagger_state import run_of, threshold
from opsroom.delivery.plan import Progress, Request, Sight
from opsroom.domain import flagger
from opsroom.domain.deed import Deed, DeedState, Effect
from opsroom.domain.flagger import CanaryPhase, Run
from opsroom.domain.marks import DEED, GATE, ROLLBACK, read_deed, read_gate

TICKS = 3.0
GRACE = 30.0
"""Seconds beyond ``TICKS`` intervals that Flagger may take to show a reaction: ticks come late under load."""

_DONE = Progress(state=DeedState.DONE)


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """The further requests that an outcome may ask for."""

    fail: Request
    resume: Request
    check_again: Request


def outcome(sight: Sight, deed: Deed, requests: Requests) -> Progress | None:
    """Progress of ``deed``; None while nothing of it can be seen."""
    if raw.text(sight.target, "metadata", "uid") != deed.intent.target.uid:
        return _failed("recreated")
    if deed.effect is Effect.UNDO:
        return _undo(sight, deed)
    run = run_of(sight)
    if deed.effect is Effect.UNPAUSE:
        return None if run.suspended else _DONE
    if deed.intent.precondition.canary_hash not in ("", run.hash):
        return _superseded(sight, deed, requests)
    if deed.effect is Effect.SKIP_ANALYSIS:
        return _skipped(sight, run, requests)
    if deed.effect in (Effect.ASK_ROLL_BACK, Effect.FAIL_CHECKS):
        return _rolled_back(sight, deed, run, requests)
    return _promoted(sight, deed, run)


def _promoted(sight: Sight, deed: Deed, run: Run) -> Progress | None:
    if run.phase is CanaryPhase.FAILED:
        return _failed("rolled_back")
    if run.phase in flagger.RESTING | flagger.PROMOTING:
        return _DONE
    before = deed.intent.precondition.step
    moved = before is not None and run.step > before
    if deed.effect is Effect.OPEN_GATE and moved:
        return _DONE
    if moved:
        return Progress(state=DeedState.SEEN)
    return _waiting(run) if _stands(sight, deed) else None


def _rolled_back(sight: Sight, deed: Deed, run: Run, requests: Requests) -> Progress | None:
    if run.phase is CanaryPhase.FAILED:
        return _DONE
    if run.phase in flagger.PROMOTING | flagger.RESTING:
        return _failed("promoted")
    if deed.effect is Effect.ASK_ROLL_BACK:
        return _waiting(run) if _stands(sight, deed) else None
    if raw.number(sight.target, "status", "failedChecks") < threshold(sight.target):
        if not _marked(sight, deed):
            return None
        # Not written yet, or Flagger wrote a counter that it had computed before ours.
        return Progress(state=DeedState.ACCEPTED, then=requests.fail, patience=_patience(run), stands="overwritten")
    return _waiting(run, requests.resume if run.suspended else None)


def _superseded(sight: Sight, deed: Deed, requests: Requests) -> Progress:
    """A newer version is there: a ``skipAnalysis`` that was meant for the one before must not let it out unchecked."""
    if deed.effect is Effect.SKIP_ANALYSIS and _marked(sight, deed) and raw.flag(sight.target, "spec", "skipAnalysis"):
        return Progress(state=DeedState.SEEN, then=requests.check_again, stands="skipping")
    return _failed("superseded")


def _skipped(sight: Sight, run: Run, requests: Requests) -> Progress | None:
    """While ``skipAnalysis`` stands, every later version would go out unchecked: it is taken back at the end."""
    standing = raw.flag(sight.target, "spec", "skipAnalysis")
    if run.phase is CanaryPhase.SUCCEEDED:
        return Progress(state=DeedState.SEEN, then=requests.check_again, stands="skipping") if standing else _DONE
    if run.phase is CanaryPhase.FAILED:
        return (
            Progress(state=DeedState.SEEN, then=requests.check_again, stands="skipping")
            if standing
            else _failed("rolled_back")
        )
    return _waiting(run) if standing else None


def _undo(sight: Sight, deed: Deed) -> Progress | None:
    """Put back when Flagger has begun with it; what becomes of that canary is another story."""
    stored = sight.partner is not None and raw.annotation(sight.partner, ROLLBACK) == deed.intent.id
    run = run_of(sight)
    if stored and run.phase in flagger.RUNNING | flagger.PROMOTING:
        return _DONE
    return _waiting(run) if stored else None


def _stands(sight: Sight, deed: Deed) -> bool:
    mark = read_gate(raw.annotation(sight.target, GATE))
    return mark is not None and mark.id == deed.intent.id


def _marked(sight: Sight, deed: Deed) -> bool:
    """Whether the object names this very deed as under way."""
    mark = read_deed(raw.annotation(sight.target, DEED))
    return mark is not None and mark.id == deed.intent.id


def _waiting(run: Run, then: Request | None = None) -> Progress:
    return Progress(state=DeedState.ACCEPTED, patience=_patience(run), then=then, stands="suspended")


def _patience(run: Run) -> float:
    return TICKS * run.plan.interval + GRACE


def _failed(detail: str) -> Progress:
    return Progress(state=DeedState.FAILED, detail=detail)
