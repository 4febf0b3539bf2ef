"""Two people for one roll forward: what the first of them has left for the second.

An approval speaks of one canary at one step and of one verb, as the first person saw it: after any change it is for
nothing. A roll back never needs one. Who approved is the name by which the API server knows that person.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.deed import Intent, Verb

APPROVAL_SECONDS = 3600.0
"""An older approval is for nothing: what the first person saw is an hour old by then."""

FORWARD = (Verb.PROMOTE, Verb.PROMOTE_FULLY)
"""Verbs that may need two people."""


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person agrees that a rollout goes on; another one has to agree as well."""

    by: str
    at: float
    """Epoch seconds."""
    hash: str
    """Of the canary it speaks of."""
    verb: Verb = Verb.PROMOTE
    step: int | None = None


def needed(intent: Intent) -> bool:
    """Whether ``intent`` is a person's roll forward that two people have to want."""
    return intent.two_people and not intent.automatic and intent.verb in FORWARD


def stands(approval: Approval | None, canary_hash: str, step: int | None, now: float) -> bool:
    """Whether ``approval`` is for this canary at this step, and young enough."""
    if approval is None or not approval.hash:
        return False
    return (approval.hash, approval.step) == (canary_hash, step) and abs(now - approval.at) <= APPROVAL_SECONDS


def covers(approval: Approval | None, intent: Intent, now: float) -> bool:
    """Whether ``approval`` is for what ``intent`` asks for, whoever gave it."""
    seen = intent.precondition
    return approval is not None and approval.verb is intent.verb and stands(approval, seen.canary_hash, seen.step, now)
