"""How far a deed on a Rollout has come, by what its controller shows.

HTTP 200 proves only storage, so each effect has its own proof: a promotion moved the step, a full one made the
canary stable, an abort stands as ``RolloutAborted`` (or the spec went back to stable).
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines.argo_state import (
    abort_in_force,
    aborted,
    fully_promoted,
    observed,
    step_index,
    waits,
)
from opsroom.delivery.plan import Progress, Request
from opsroom.domain.deed import Deed, DeedState, Effect
from opsroom.domain.marks import ROLLBACK

_DONE = Progress(state=DeedState.DONE)


def outcome(target: Raw, deed: Deed, unpause: Request) -> Progress | None:
    """Progress of ``deed``; ``unpause`` is the second request of an effect that needs ``spec.paused`` false."""
    if raw.text(target, "metadata", "uid") != deed.intent.target.uid:
        return Progress(state=DeedState.FAILED, detail="recreated")
    if deed.effect is Effect.ABORT:
        return _abort(target, deed, unpause)
    if deed.effect is Effect.UNDO:
        return _undo(target, deed)
    if raw.text(target, "status", "currentPodHash") != deed.intent.precondition.canary_hash:
        return Progress(state=DeedState.FAILED, detail="superseded")
    if fully_promoted(target):
        return _DONE
    if aborted(target):
        return Progress(state=DeedState.FAILED, detail="aborted")
    if deed.effect is Effect.UNPAUSE:
        return _unpause(target)
    if deed.effect is Effect.FULL:
        return _full(target, unpause)
    return _step(target, deed, unpause)


def _step(target: Raw, deed: Deed, unpause: Request) -> Progress | None:
    before, now = deed.intent.precondition.step, step_index(target)
    if before is not None and now is not None and now > before:
        return _DONE
    if waits(target):
        return None
    if deed.effect is Effect.SWITCH:
        return _switch(target, deed, unpause)
    return _stored(target, unpause)


def _switch(target: Raw, deed: Deed, unpause: Request) -> Progress:
    if raw.text(target, "status", "blueGreen", "activeSelector") == deed.intent.precondition.canary_hash:
        return _DONE
    return _stored(target, unpause)


def _stored(target: Raw, unpause: Request) -> Progress:
    """The request is stored. A controller that is told to stand still would never react to it: un-pause."""
    if raw.flag(target, "spec", "paused"):
        return Progress(state=DeedState.ACCEPTED, then=unpause, stands="paused")
    seen = not raw.flag(target, "status", "controllerPause")
    return Progress(state=DeedState.SEEN if seen else DeedState.ACCEPTED)


def _unpause(target: Raw) -> Progress | None:
    if raw.flag(target, "spec", "paused"):
        return None
    return _DONE if observed(target) else Progress(state=DeedState.ACCEPTED)


def _full(target: Raw, unpause: Request) -> Progress | None:
    steps = len(raw.items(target, "spec", "strategy", "canary", "steps"))
    reacted = steps > 0 and step_index(target) == steps
    if not raw.flag(target, "status", "promoteFull") and not reacted:
        return None
    if raw.flag(target, "spec", "paused"):
        return Progress(state=DeedState.ACCEPTED, then=unpause, stands="paused")
    return Progress(state=DeedState.SEEN if reacted else DeedState.ACCEPTED)


def _abort(target: Raw, deed: Deed, unpause: Request) -> Progress | None:
    current = raw.text(target, "status", "currentPodHash")
    if fully_promoted(target):
        promoted = current == deed.intent.precondition.canary_hash
        return Progress(state=DeedState.FAILED, detail="promoted") if promoted else _DONE
    if current != deed.intent.precondition.canary_hash:
        return Progress(state=DeedState.FAILED, detail="superseded")
    if not aborted(target):
        return None
    if raw.flag(target, "spec", "paused"):
        # A user pause halts the scaling down of the canary: without this its pods would go on serving.
        return Progress(state=DeedState.ACCEPTED, then=unpause, stands="paused_canary")
    return _DONE if abort_in_force(target) else Progress(state=DeedState.ACCEPTED)


def _undo(target: Raw, deed: Deed) -> Progress | None:
    moved = raw.text(target, "status", "currentPodHash") != deed.intent.precondition.stable_hash
    if moved and observed(target):
        return _DONE
    return Progress(state=DeedState.ACCEPTED) if raw.annotation(target, ROLLBACK) == deed.intent.id else None
