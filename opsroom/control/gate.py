"""The answer to a question of Flagger's: may this Canary go on, or must it go back? Pure.

A yes needs a decision on exactly this run: a mark of a person or of the decider, keyed by what is under analysis (by
the target's template before the start), young enough, and for one step only unless it was for all. Everything else,
doubt included, is "not now": for a roll back gate that means "keep going", which is Flagger's own default. Only two
questions need no decision: the first traffic (there is nothing to judge before it), and the start of a version in a
room where the decider acts by itself and the queue has admitted it. Asking consumes nothing: the same question has the
same answer.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.deed import Verb
from opsroom.domain.flagger import CanaryPhase, Gate, Run
from opsroom.domain.marks import GateMark

EXPIRES = 900.0
EXPIRES_TICKS = 5.0
"""Seconds, or intervals where that is longer, after which a decision that was not used counts no more: Flagger's
gates wait for ever (flagger#1450), and what was right yesterday is not an answer today."""

SKEW = 60.0
"""Seconds by which the clock of whoever decided may be behind Flagger's."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question, and what is known at this moment."""

    gate: Gate
    run: Run
    mark: GateMark | None
    now: float
    """Epoch seconds."""
    starts: bool = False
    """A decider that acts by itself is there, and nothing is frozen: versions may start."""
    queue: str = ""
    """What the queue keeps it back for, as a code; empty where it may start, or where no queue is."""
    frozen: bool = False
    """Automatic deeds are frozen, or nobody knows: what the decider decided before waits as well."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Yes, or not now, and why as a code."""

    yes: bool
    why: str
    detail: str = ""


def answer(asked: Asked) -> Answer:
    """The answer; never raises."""
    run, gate = asked.run, asked.gate
    if gate not in run.plan.own:
        # Another hook points here: whatever it asks, it was not set up for this answer.
        return _no("not_this_gate")
    standing = _standing(asked)
    decided = standing.verb if standing is not None else None
    if gate is Gate.ROLLBACK:
        return _yes("roll_back") if decided is Verb.ROLL_BACK else _no("no_roll_back")
    if decided is Verb.ROLL_BACK:
        return _no("roll_back")
    if run.held:
        return _no("held", asked.queue)
    by_person = standing is not None and not standing.automatic
    if gate is Gate.ROLLOUT and asked.queue and not by_person:
        return _no("queued", asked.queue)
    this_step = standing is not None and decided is Verb.PROMOTE and standing.step == run.step
    if this_step or decided is Verb.PROMOTE_FULLY:
        return _yes("decided")
    if _nothing_to_judge(asked):
        return _yes("first_weight")
    if gate is Gate.ROLLOUT and asked.starts and run.hash:
        return _yes("starts")
    return _no("undecided")


def _standing(asked: Asked) -> GateMark | None:
    """The mark, if it speaks of this run."""
    mark, run, now = asked.mark, asked.run, asked.now
    if mark is None or (mark.automatic and asked.frozen):
        return None
    if now - mark.at > max(EXPIRES, EXPIRES_TICKS * run.plan.interval):
        return None
    if mark.number and run.number and mark.number != run.number:
        return None
    if asked.gate is Gate.ROLLOUT:
        return mark if run.hash and mark.hash == run.hash else None
    if not run.revision or mark.revision != run.revision:
        return None
    if run.hash and mark.hash and mark.hash != run.hash:
        return None
    # The same version may run again: a decision on its former run is none on this one.
    begun = run.since if run.phase is CanaryPhase.PROGRESSING else None
    return None if begun is not None and mark.at < begun - SKEW else mark


def _nothing_to_judge(asked: Asked) -> bool:
    run = asked.run
    first = run.phase is CanaryPhase.PROGRESSING and run.weight == 0 and not run.plan.iterations
    return asked.gate is Gate.TRAFFIC and first


def _yes(why: str) -> Answer:
    return Answer(yes=True, why=why)


def _no(why: str, detail: str = "") -> Answer:
    return Answer(yes=False, why=why, detail=detail)
