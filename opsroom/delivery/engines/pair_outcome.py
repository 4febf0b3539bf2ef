"""How far a deed on a pair has come, and the next request of one that takes several.

Each stage is told apart by the state alone: the mark, stable's template and the canary's size.
"""

from __future__ import annotations

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines.deployment_state import complete, current, failed, hash_of, observed, replicas
from opsroom.delivery.engines.one_deployment import course
from opsroom.delivery.engines.pair_requests import give_template, put_mark, scale_down, unhold
from opsroom.delivery.engines.pair_state import mark_of, over, promoted_template, taken
from opsroom.delivery.plan import Progress, Sight
from opsroom.domain.deed import Deed, DeedState, Effect, Intent
from opsroom.domain.marks import ROLLBACK


def outcome(sight: Sight, deed: Deed) -> Progress | None:
    """Progress of ``deed`` on the canary and its stable; None while nothing of it can be seen."""
    of_both = {Effect.TAKE_TEMPLATE: _promoted, Effect.UNDO: _undone, Effect.REVERT: _restored}
    told = of_both.get(deed.effect) if deed.effect is not None else None
    if told is None:
        return _scaled_down(sight.target)
    if sight.partner is None:
        return Progress(state=DeedState.FAILED, detail="stable")
    return told(sight, sight.partner, deed.intent)


def _scaled_down(canary: Raw) -> Progress | None:
    if replicas(canary) > 0:
        return None
    if not observed(canary):
        return Progress(state=DeedState.ACCEPTED)
    gone = raw.number(canary, "status", "replicas") == 0
    return Progress(state=DeedState.DONE if gone else DeedState.SEEN)


def _promoted(sight: Sight, stable: Raw, intent: Intent) -> Progress | None:
    target, mark, took = sight.target, mark_of(sight.target).owner, taken(sight)
    if not mark and replicas(target) == 0:
        return Progress(state=DeedState.DONE) if took else Progress(state=DeedState.FAILED, detail="rolled_back")
    if mark != intent.id or not observed(target):
        # A template that its controller has not seen has no hash yet: it may be another one than was decided on.
        return None
    # A deed that ends here must lock nobody out by its mark: gone, or of no age where stable has the new template.
    left = put_mark(target, intent, over(intent) if took else None)
    seen = intent.precondition.canary_hash
    if seen and seen != hash_of(current(target, sight.replica_sets)):
        return Progress(state=DeedState.FAILED, detail="superseded", back=left)
    if not took:
        if _moved(sight, stable, intent):
            return Progress(state=DeedState.FAILED, detail="superseded", back=left)
        then = give_template(stable, intent, promoted_template(target, stable))
        return Progress(state=DeedState.ACCEPTED, then=then, stands="mark", back=left)
    caught = unhold(stable, intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held", back=left, lasting=True)
    if complete(stable):
        then = scale_down(target, intent)
        return Progress(state=DeedState.SEEN, then=then, stands="both_new", back=left, lasting=True)
    why = failed(stable)
    if why:
        return Progress(state=DeedState.FAILED, detail=why, back=left)
    return Progress(state=DeedState.SEEN if observed(stable) else DeedState.ACCEPTED)


def _moved(sight: Sight, stable: Raw, intent: Intent) -> bool:
    """Whether somebody else has given stable a template: before we could, or in place of ours (as GitOps does)."""
    if raw.annotation(stable, ROLLBACK) == intent.id:
        return True
    seen = intent.precondition.stable_hash
    return bool(seen) and seen != hash_of(current(stable, sight.replica_sets))


def _undone(sight: Sight, stable: Raw, intent: Intent) -> Progress | None:
    caught = unhold(stable, intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held")
    if not observed(stable):
        return Progress(state=DeedState.ACCEPTED)
    if hash_of(current(stable, sight.replica_sets)) == intent.precondition.stable_hash:
        return None
    return course(stable)


def _restored(sight: Sight, stable: Raw, intent: Intent) -> Progress | None:
    """A half promotion taken back: stable first, then the canary."""
    if raw.annotation(stable, ROLLBACK) != intent.id:
        return None
    caught = unhold(stable, intent)
    if caught is not None:
        return Progress(state=DeedState.ACCEPTED, then=caught, stands="stable_held")
    if replicas(sight.target) > 0:
        then = scale_down(sight.target, intent)
        return Progress(state=DeedState.ACCEPTED, then=then, stands="canary_left")
    return course(stable)
