"""What ``p`` and ``x`` would do to a rollout as it stands, or why they would do nothing.

The board's keys, the command line and the worker ask the same function, so that all of them refuse the same things
for the same reason. It looks at the rollout only: rights, freshness and flags are the caller's conditions.
Sources: Argo Rollouts' cmd/promote, cmd/abort and cmd/undo, made safe (a promote without a pause would skip a step).
"""

from __future__ import annotations

import msgspec

from opsroom.domain import flagger_offer
from opsroom.domain.deed import Effect, Precondition, Refusal, Verb
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, StepKind

PUTS_BACK = ("argocd", "flux")
"""Owners that would put their own version back after an undo. Helm writes only when somebody runs it."""


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An effect, or the refusal that stands in its place (exactly one of the two)."""

    verb: Verb
    effect: Effect | None = None
    refusal: Refusal | None = None
    weight: int | None = None
    """Percent of traffic the canary has afterwards, where that is known."""
    step: int | None = None
    """0-based step that follows."""
    revision: str = ""
    """Version (or hash) that traffic goes to."""


def offer(rollout: Rollout, verb: Verb) -> Offer:
    """What ``verb`` would do to ``rollout`` now."""
    if verb is Verb.ROLL_BACK:
        return _roll_back(rollout)
    if verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY):
        return _promote(rollout, verb)
    if verb is Verb.FLAG and not rollout.under_way:
        # A flag speaks of one canary; on nothing it would stand nowhere.
        return Offer(verb=verb, refusal=Refusal.NOT_UNDER_WAY)
    return Offer(verb=verb, effect=Effect.MARK)


def _promote(rollout: Rollout, verb: Verb) -> Offer:
    def no(refusal: Refusal) -> Offer:
        return Offer(verb=verb, refusal=refusal)

    if rollout.canary is None or not rollout.under_way:
        return no(Refusal.NOT_UNDER_WAY)
    if rollout.phase is Phase.OBSERVING:
        return no(Refusal.NOT_OBSERVED)
    if rollout.phase is Phase.DEGRADED and rollout.pause is None:
        return no(Refusal.NOTHING_TO_PROMOTE)
    revision = rollout.canary.version or rollout.canary.hash
    if rollout.engine is Engine.DEPLOYMENT:
        effect = Effect.TAKE_TEMPLATE if rollout.shape is Shape.PAIR else Effect.UNPAUSE
        if rollout.shape is Shape.ROLLING and not (rollout.pause and rollout.pause.user):
            return no(Refusal.NOTHING_TO_PROMOTE)
        return Offer(verb=verb, effect=effect, weight=100, revision=revision)
    if rollout.engine is Engine.FLAGGER:
        return _flagger(rollout, verb, revision)
    if verb is Verb.PROMOTE_FULLY:
        return Offer(verb=verb, effect=Effect.FULL, weight=100, revision=revision)
    pause = rollout.pause
    if pause is None:
        return no(Refusal.NOTHING_TO_PROMOTE)
    if not (pause.step or pause.inconclusive):
        return Offer(verb=verb, effect=Effect.UNPAUSE, weight=rollout.weight, step=rollout.step, revision=revision)
    if rollout.shape is Shape.BLUE_GREEN:
        return Offer(verb=verb, effect=Effect.SWITCH, weight=100, revision=revision)
    effect = Effect.ACCEPT_INCONCLUSIVE if pause.inconclusive else Effect.NEXT_STEP
    step = None if rollout.step is None else rollout.step + 1
    return Offer(verb=verb, effect=effect, weight=weight_after(rollout, step), step=step, revision=revision)


def _flagger(rollout: Rollout, verb: Verb, revision: str) -> Offer:
    wish = flagger_offer.promotion(rollout, verb)
    if isinstance(wish, Refusal):
        return Offer(verb=verb, refusal=wish)
    if wish is Effect.UNPAUSE:
        return Offer(verb=verb, effect=wish, weight=rollout.weight, step=rollout.step, revision=revision)
    if wish is Effect.OPEN_ALL_GATES:
        return Offer(verb=verb, effect=wish, weight=100, revision=revision)
    step = None if rollout.step is None else rollout.step + 1
    return Offer(verb=verb, effect=wish, weight=weight_after(rollout, step), step=step, revision=revision)


def _roll_back(rollout: Rollout) -> Offer:
    def no(refusal: Refusal) -> Offer:
        return Offer(verb=Verb.ROLL_BACK, refusal=refusal)

    if rollout.phase is Phase.OBSERVING and rollout.engine is not Engine.ARGO:
        return no(Refusal.NOT_OBSERVED)
    if rollout.under_way and rollout.stable is not None:
        revision = rollout.stable.version or rollout.stable.hash
        way = flagger_offer.way_back(rollout) if rollout.engine is Engine.FLAGGER else _way_back(rollout)
        if isinstance(way, Refusal):
            return no(way)
        return Offer(verb=Verb.ROLL_BACK, effect=way, weight=0, revision=revision)
    if rollout.phase is Phase.HEALTHY:
        if rollout.owner in PUTS_BACK:
            return no(Refusal.OWNED)
        return Offer(verb=Verb.ROLL_BACK, effect=Effect.UNDO)
    return no(Refusal.NOT_UNDER_WAY)


def _way_back(rollout: Rollout) -> Effect:
    if rollout.engine is Engine.DEPLOYMENT:
        return Effect.SCALE_DOWN if rollout.shape is Shape.PAIR else Effect.REVERT
    return Effect.ABORT


def weight_after(rollout: Rollout, step: int | None) -> int | None:
    """Percent of traffic once the rollout has come to rest after ``step``: the next weight set from there on.

    The weight that stands when no further ``setWeight`` comes before the next pause; 100 past the last step.
    """
    if step is None:
        return None
    weight = rollout.weight
    for index in range(step, len(rollout.steps)):
        at = rollout.steps[index]
        if at.kind is StepKind.WEIGHT and at.weight is not None:
            weight = at.weight
        elif at.kind is StepKind.PAUSE:
            return weight
    return 100


def expected(rollout: Rollout, verb: Verb) -> Effect | None:
    """The effect that a deed asked for now must still have when it is sent; None where that cannot be told from here.

    What delivery finds by its fresh look may rightly differ for an inconclusive analysis (of the step, or in the
    background) and for the roll back of a pair (its promotion may be half done).
    """
    if verb not in (Verb.PROMOTE, Verb.PROMOTE_FULLY, Verb.ROLL_BACK):
        return None
    if verb is Verb.ROLL_BACK and rollout.shape is Shape.PAIR:
        return None
    wish = offer(rollout, verb)
    return None if wish.effect is Effect.ACCEPT_INCONCLUSIVE else wish.effect


def seen(rollout: Rollout, verb: Verb) -> Precondition:
    """What a deed asked for now rests on; delivery compares it with its own fresh look."""
    return Precondition(
        canary_hash=rollout.canary.hash if rollout.canary is not None else "",
        stable_hash=rollout.stable.hash if rollout.stable is not None else "",
        step=rollout.step,
        effect=expected(rollout, verb),
    )
