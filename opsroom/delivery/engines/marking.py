"""Hold, release and a person's flag: the same patches on every workload that can be told to stand still.

A hold is ``spec.paused`` (``spec.suspend`` of a Canary) plus our mark; the release takes both away in one patch,
because a mark that stays behind would make the queue believe that it still holds the workload. Source: facts on
holding at admission, verified on a real API server (a re-apply of the same manifest does not hold a released workload
again).
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines import body
from opsroom.delivery.plan import Need, Plan, Progress, Refused, Request, changed
from opsroom.domain import marks
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Verb

MARKING = frozenset((Verb.HOLD, Verb.RELEASE, Verb.FLAG))


def plan(target: Raw, intent: Intent, path: str, need: Need, *, field: str = "paused") -> Plan | Refused:
    """One merge patch of the main resource at ``path``; ``field`` of its spec is what stops it."""
    if intent.verb is Verb.HOLD:
        if raw.flag(target, "spec", field):
            return changed("paused")
        notes: dict[str, str | None] = {marks.QUEUE: "held", marks.REQUESTED_BY: intent.actor}
        patch = body.merge(target, intent, spec={field: True}, annotations=notes)
    elif intent.verb is Verb.RELEASE:
        if not raw.annotation(target, marks.QUEUE):
            return changed("not_held")
        patch = body.merge(target, intent, spec={field: False}, annotations={marks.QUEUE: None})
    else:
        patch = body.merge(target, intent, annotations={marks.FLAG: _asked(intent)})
    return Plan(effect=Effect.MARK, request=Request(path=path, body=patch, need=need))


def unhold(target: Raw, intent: Intent, path: str, need: Need) -> Request | None:
    """The release of what our own hold caught although it is part of ``intent``; None where nothing was caught.

    The admission policy lets a roll back (and the promotion of a pair) pass by its mark and a right; whoever lacks
    that right but may patch the workload releases it in a second request instead of leaving it paused.
    """
    caught = raw.annotation(target, marks.QUEUE) and raw.annotation(target, marks.ROLLBACK) == intent.id
    if not caught:
        return None
    patch = body.merge(target, intent, spec={"paused": False}, annotations={marks.QUEUE: None})
    return Request(path=path, body=patch, need=need)


def outcome(target: Raw, deed: Deed, *, field: str = "paused") -> Progress | None:
    """A mark is done when it is stored: no controller has to react for it to count."""
    paused, held = raw.flag(target, "spec", field), bool(raw.annotation(target, marks.QUEUE))
    match deed.intent.verb:
        case Verb.HOLD:
            done = paused and held
        case Verb.RELEASE:
            done = not paused and not held
        case _:
            done = raw.annotation(target, marks.FLAG) == _asked(deed.intent)
    return Progress(state=DeedState.DONE) if done else None


def _asked(intent: Intent) -> str:
    seen = intent.precondition
    mark = marks.AskedMark(hash=seen.canary_hash, step=seen.step, by=intent.actor, at=intent.at, reason=intent.reason)
    return msgspec.json.encode(mark).decode()
