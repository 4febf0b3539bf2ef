"""Our marks on workloads: the names of the annotations, and what they say.

A mark is shared memory between workers, operators and the admission policy; it is small, keyed by the canary it
speaks of (so it dies with it), and never carries a score. Reading is total: a broken mark reads as no mark, because
anybody who may patch the workload can write one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Effect, Verb

M = TypeVar("M")

CANARY_OF = "opsroom.dev/canary-of"
"""Label or annotation on the canary of a pair: the name of its stable Deployment."""

QUEUE = "opsroom.dev/queue"
"""``held`` while the queue holds the workload, ``kept`` while a person does; removed by the release."""

HELD = "held"
KEPT = "kept"

LANE = "opsroom.dev/lane"
"""The lane that the change asks for: ``hotfix`` (a right in RBAC), ``normal`` or ``batch``."""

REPLICAS = "opsroom.dev/replicas"
"""On the canary of a pair that is held at no pods: how many the release gives it back."""

REQUESTED_BY = "opsroom.dev/requested-by"
"""The authenticated user whose write was held, stamped by the admission policy."""

ROLLBACK = "opsroom.dev/rollback"
"""A new value beside a template change lets it pass our own hold (with the right ``create rollbacks.opsroom.dev``)."""

PROMOTING = "opsroom.dev/promoting"
"""On the canary of a pair while its promotion, a deed of several requests, is under way."""

VERDICT = "opsroom.dev/verdict"
"""The decider's flag and decision, JSON ``VerdictMark``."""

FLAG = "opsroom.dev/flag"
"""A person's wish to decide, JSON ``AskedMark``."""

GATE = "opsroom.dev/gate"
"""On a Flagger Canary: a decision that its gates answer by, JSON ``GateMark``."""

DEED = "opsroom.dev/deed"
"""On a workload while a deed of several requests is under way, JSON ``DeedMark``: its maker may die in between."""

GATES = "opsroom.dev/gates"
"""On the decider's Lease: its holder answers gates."""

ACTS = "opsroom.dev/acts"
"""On the decider's Lease: times of its last automatic deeds, JSON, so that the next one's limits go on from there."""

BY = "opsroom.dev/by"
"""Who wrote last and under which Lease transition: ``identity#transitions``."""


class VerdictMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the decider wants others to know; written when it changes, never for a new score."""

    hash: str
    outcome: str = ""
    flag: FlagReason | None = None
    since: float | None = None
    by: str = ""
    """Who asked, for the flag ``person``."""
    detail: str = ""
    row: str = ""
    decider: str = ""
    transitions: int = 0


class AskedMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person flagged this canary at this step."""

    hash: str
    by: str
    at: float
    step: int | None = None
    reason: str = ""


class GateMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision on one run of a Canary, written with the credentials of whoever decided."""

    id: str
    """Of the intent."""
    verb: Verb
    revision: str
    """What is under analysis (``domain.flagger.revision_of``)."""
    hash: str
    """Pod template hash of the target; what counts before the start, when no analysis has a name yet."""
    number: int = 0
    """Revision number of the target: the same version may be deployed again, and a decision on it is used up then."""
    step: int
    by: str
    at: float
    automatic: bool = False
    """Of the decider: it does not count while automatic deeds are frozen."""


class DeedMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deed that needs further requests, so that others can see who began what and take up what stands."""

    id: str
    """Of the intent."""
    verb: Verb
    effect: Effect
    by: str
    at: float
    hash: str = ""
    """Of the canary it is for."""
    stable: str = ""
    step: int | None = None
    automatic: bool = False


def read_gate(text: str | None) -> GateMark | None:
    """The mark ``GATE``; one that cannot be read is none."""
    return _decoded(text, GateMark)


def read_deed(text: str | None) -> DeedMark | None:
    """The mark ``DEED``; one that cannot be read is none."""
    return _decoded(text, DeedMark)


class Marks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything of ours that stands on one workload."""

    verdict: VerdictMark | None = None
    asked: AskedMark | None = None
    held: bool = False
    """By the queue or by a person."""
    kept: bool = False
    """By a person: the queue does not release it."""
    lane: str = ""
    requested_by: str = ""
    rollback: str = ""
    """Intent of the last roll back by template; it outlives its deed."""
    promoting: bool = False
    deed: DeedMark | None = None


def read_marks(annotations: Mapping[str, str]) -> Marks:
    """Our marks among ``annotations``; what cannot be read counts as absent."""
    return Marks(
        verdict=_decoded(annotations.get(VERDICT), VerdictMark),
        asked=_decoded(annotations.get(FLAG), AskedMark),
        held=annotations.get(QUEUE) in (HELD, KEPT),
        kept=annotations.get(QUEUE) == KEPT,
        lane=clean(annotations.get(LANE, "")),
        requested_by=clean(annotations.get(REQUESTED_BY, "")),
        rollback=clean(annotations.get(ROLLBACK, "")),
        promoting=PROMOTING in annotations,
        deed=_decoded(annotations.get(DEED), DeedMark),
    )


def standing_flag(marks: Marks, canary_hash: str, step: int | None) -> Flag | None:
    """The flag that ``marks`` raise for this canary at this step: a person's first, else the decider's.

    Marks outlive what they speak of; one for another canary, or a person's for a former step, raises nothing.
    """
    asked = marks.asked
    if asked is not None and asked.hash == canary_hash and (asked.step is None or asked.step == step):
        return Flag(reason=FlagReason.PERSON, since=asked.at, by=clean(asked.by), detail=clean(asked.reason))
    verdict = marks.verdict
    if verdict is None or verdict.flag is None or verdict.since is None or verdict.hash != canary_hash:
        return None
    return Flag(reason=verdict.flag, since=verdict.since, by=clean(verdict.by), detail=clean(verdict.detail))


def _decoded(text: str | None, type_: type[M]) -> M | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=type_)
    except (msgspec.MsgspecError, RecursionError):
        return None
