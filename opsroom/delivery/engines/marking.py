"""Hold, release and a person's flag: the same patches on every workload that can be told to stand still.

A hold is ``spec.paused`` (``spec.suspend`` of a Canary, no pods of a pair's canary) plus our mark; the release takes
both away in one patch, because a mark that stays behind would make the queue believe that it still holds the workload.
Source: facts on holding at admission, verified on a real API server (a re-apply of the same manifest does not hold a
released workload again).
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines import body
from opsroom.delivery.plan import Need, Plan, Progress, Refused, Request, changed
from opsroom.domain import marks
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb

MARKING = frozenset((Verb.HOLD, Verb.RELEASE, Verb.FLAG))


def other_version(intent: Intent, present: str) -> bool:
    """Whether ``intent`` was meant for another version than ``present``, the hash of the canary as it is now.

    The queue means exactly what it saw, also where that had no hash yet; a person who named none means whatever waits.
    """
    seen = intent.precondition.canary_hash
    return seen != present if intent.automatic else seen not in ("", present)


def plan(
    target: Raw, intent: Intent, path: str, need: Need, *, field: str = "paused", emptied: bool = False
) -> Plan | Refused:
    """One merge patch of the main resource at ``path``; ``field`` of its spec is what stops it.

    ``emptied``: it is held at no pods instead. A paused Deployment still scales, so the canary of a pair would go on
    serving, or bring back pods of the version before.
    """
    if intent.verb is Verb.HOLD:
        if raw.flag(target, "spec", field) or raw.annotation(target, marks.QUEUE):
            return changed("paused")
        pods = raw.number(target, "spec", "replicas")
        if emptied and not pods:
            return Refused(refusal=Refusal.NOT_UNDER_WAY)
        notes: dict[str, str | None] = {marks.QUEUE: marks.HELD if intent.automatic else marks.KEPT}
        if not intent.automatic:
            notes[marks.REQUESTED_BY] = intent.actor
        if emptied:
            notes[marks.REPLICAS] = str(pods)
        spec: Raw = {"replicas": 0} if emptied else {field: True}
        patch = body.merge(target, intent, spec=spec, annotations=notes)
    elif intent.verb is Verb.RELEASE:
        if not raw.annotation(target, marks.QUEUE):
            return changed("not_held")
        patch = body.merge(
            target, intent, spec=_given_back(target, field), annotations={marks.QUEUE: None, marks.REPLICAS: None}
        )
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


def _given_back(target: Raw, field: str) -> Raw:
    """The spec of a release: going on and, where it was held at no pods, its pods."""
    pods = raw.annotation(target, marks.REPLICAS)
    if not pods.isdecimal():
        return {field: False}
    # Paused as well only where the hold at admission met a canary that was held at no pods.
    paused: Raw = {field: False} if raw.flag(target, "spec", field) else {}
    return {**paused, "replicas": max(int(pods), raw.number(target, "spec", "replicas"))}


def outcome(target: Raw, deed: Deed, *, field: str = "paused") -> Progress | None:
    """A mark is done when it is stored: no controller has to react for it to count."""
    paused, held = raw.flag(target, "spec", field), bool(raw.annotation(target, marks.QUEUE))
    match deed.intent.verb:
        case Verb.HOLD:
            done = held and (paused or bool(raw.annotation(target, marks.REPLICAS)))
        case Verb.RELEASE:
            # One patch takes both away; whoever has been told that it was stored, and finds only the pause, sees the
            # next one: a pipeline pauses an update half-way within a moment of its beginning.
            done = not held and (not paused or deed.state is DeedState.ACCEPTED)
        case _:
            done = raw.annotation(target, marks.FLAG) == _asked(deed.intent)
    return Progress(state=DeedState.DONE) if done else None


def _asked(intent: Intent) -> str:
    seen = intent.precondition
    mark = marks.AskedMark(hash=seen.canary_hash, step=seen.step, by=intent.actor, at=intent.at, reason=intent.reason)
    return msgspec.json.encode(mark).decode()
