"""What ``p`` and ``x`` would do to a Flagger Canary. Flagger has no such verbs: gates of ours have to be there.

Split from ``offer`` because the grounds are Flagger's own: which gates are ours, whether anybody answers them, and
that nothing stops a Canary that is being promoted.
"""

from __future__ import annotations

from opsroom.domain.deed import Effect, Refusal, Verb
from opsroom.domain.flagger import Gate
from opsroom.domain.rollout import Phase, Rollout, StepKind


def promotion(rollout: Rollout, verb: Verb) -> Effect | Refusal:
    """The effect of a promotion of a Canary that is under way, or why there is none."""
    pause = rollout.pause
    if being_promoted(rollout):
        return Refusal.NOTHING_TO_PROMOTE
    if pause is not None and pause.user:
        return Effect.UNPAUSE
    full = verb is Verb.PROMOTE_FULLY
    if set(rollout.gates) <= {Gate.ROLLBACK.value}:
        return Refusal.NO_GATE
    if not full and (pause is None or not pause.step):
        # A gate of somebody else's may be what it waits for; ours would not move it.
        return Refusal.NO_GATE if pause is not None else Refusal.NOTHING_TO_PROMOTE
    if not rollout.gates_served:
        return Refusal.GATE_DEAD
    return Effect.OPEN_ALL_GATES if full else Effect.OPEN_GATE


def way_back(rollout: Rollout) -> Effect | Refusal:
    """The effect of a roll back of a Canary that is under way, or why there is none."""
    if being_promoted(rollout):
        return Refusal.TOO_LATE
    if waits_to_start(rollout):
        return Refusal.NOT_STARTED
    if Gate.ROLLBACK.value in rollout.gates and rollout.gates_served:
        return Effect.ASK_ROLL_BACK
    return Effect.FAIL_CHECKS


def being_promoted(rollout: Rollout) -> bool:
    """Its template is on the way to the primary; Flagger asks nobody any more."""
    return rollout.step is None or rollout.step >= len(rollout.steps)


def waits_to_start(rollout: Rollout) -> bool:
    """The gate before the start is closed: no pod of the new version runs."""
    first = rollout.steps[0] if rollout.steps else None
    at_gate = first is not None and first.kind is StepKind.PAUSE and rollout.step == 0
    return at_gate and rollout.phase in (Phase.PAUSED, Phase.HELD)
