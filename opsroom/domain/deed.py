"""A deed: one change of the world, from the wish to what the cluster made of it.

HTTP 200 proves only storage, so a deed is done when the watch shows its outcome. A time-out after sending is its own
state, UNKNOWN: the deed may have happened, is never repeated blindly, and is settled by what the cluster shows.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opsroom.domain.rollout import Engine, Rollout, Shape, Uid


class Verb(StrEnum):
    """What can be asked for."""

    PROMOTE = "promote"
    PROMOTE_FULLY = "promote_fully"
    ROLL_BACK = "roll_back"
    HOLD = "hold"
    RELEASE = "release"
    FLAG = "flag"
    ACKNOWLEDGE = "acknowledge"
    APPROVE = "approve"
    """The first of two people who have to want a promotion; what such a promotion becomes for that person."""


class Effect(StrEnum):
    """What exactly a verb does here; one word must not hide two deeds."""

    NEXT_STEP = "next_step"
    """Argo: clear the pause condition, the controller goes to the next step."""
    UNPAUSE = "unpause"
    """``spec.paused`` false, nothing else."""
    ACCEPT_INCONCLUSIVE = "accept_inconclusive"
    """Argo: clear the pause and step over the inconclusive analysis."""
    SWITCH = "switch"
    """Blue-green: the active service moves to the preview revision."""
    FULL = "full"
    """Argo: ``promoteFull``."""
    TAKE_TEMPLATE = "take_template"
    """Pair: stable takes the canary's template, then the canary is scaled to 0."""
    ABORT = "abort"
    """Traffic returns to stable; the spec still names the canary."""
    UNDO = "undo"
    """The template of the former revision is put back as a new update."""
    SCALE_DOWN = "scale_down"
    """Pair: the canary is scaled to 0, stable was never touched."""
    REVERT = "revert"
    """Rolling: template back and un-paused in one patch."""
    OPEN_GATE = "open_gate"
    """Flagger: a mark that the gates of this step answer with yes."""
    OPEN_ALL_GATES = "open_all_gates"
    """Flagger: a mark that every gate of this run answers with yes."""
    SKIP_ANALYSIS = "skip_analysis"
    """Flagger: ``skipAnalysis`` until it has succeeded; promotes at once, past every check."""
    ASK_ROLL_BACK = "ask_roll_back"
    """Flagger: a mark that the roll back gate answers with yes."""
    FAIL_CHECKS = "fail_checks"
    """Flagger: ``status.failedChecks`` set to the threshold; not an official interface."""
    MARK = "mark"
    """Only a mark of ours on the object."""


class DeedState(StrEnum):
    """How far a deed has come."""

    ARMED = "armed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    JOURNALLED = "journalled"
    SENT = "sent"
    ACCEPTED = "accepted"
    """The API server stored it."""
    SEEN = "seen"
    """Its controller has reacted."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Nothing more will come of it."""
        return self in (DeedState.CANCELLED, DeedState.REFUSED, DeedState.DONE, DeedState.FAILED)


class Refusal(StrEnum):
    """Why a deed is not done; ``view`` has a sentence for each."""

    READ_ONLY = "read_only"
    NOT_FLAGGED = "not_flagged"
    NOT_UNDER_WAY = "not_under_way"
    NOTHING_TO_PROMOTE = "nothing_to_promote"
    """A step is in progress: a promotion now would skip it."""
    NOT_OBSERVED = "not_observed"
    STALE_FEED = "stale_feed"
    STALE_SCORE = "stale_score"
    PARTIAL_SCORE = "partial_score"
    """Not all that the score rests on is answered."""
    NO_RIGHT = "no_right"
    RIGHTS_UNKNOWN = "rights_unknown"
    CHANGED = "changed"
    """The rollout is not what it was when the key was pressed."""
    GONE = "gone"
    BUSY = "busy"
    """Another intent or deed is under way."""
    JUST_MOVED = "just_moved"
    """The row under the cursor changed a moment ago."""
    TOO_FAST = "too_fast"
    """Keys arrived faster than a person types."""
    LATE = "late"
    """The key was pressed well before the screen could take it."""
    UNFOCUSED = "unfocused"
    STALLED = "stalled"
    """The terminal stood still during the countdown."""
    OWNED = "owned"
    """A GitOps controller would put it back."""
    NO_FORMER = "no_former"
    """No former revision is left to go back to."""
    NOT_SUPPORTED = "not_supported"
    NO_GATE = "no_gate"
    """Flagger: no gate of ours stands in front of the next step."""
    GATE_DEAD = "gate_dead"
    """Flagger: the gates are ours, and no worker answers them."""
    TOO_LATE = "too_late"
    """Flagger: it is being promoted, which nothing stops."""
    NOT_STARTED = "not_started"
    """Flagger: it waits for its start; nothing runs that could be rolled back."""
    JOURNAL = "journal"
    """The journal cannot be written."""
    CONFLICT = "conflict"
    """Somebody else changed the object at the same moment (HTTP 409/422)."""
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    INVALID = "invalid"
    FROZEN = "frozen"
    SAME_PERSON = "same_person"
    """Two people are needed, and this one was the first."""
    UNNAMED = "unnamed"
    """Two people are needed, and the cluster does not say who this one is."""


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The object a deed is for."""

    uid: Uid
    engine: Engine
    shape: Shape
    namespace: str
    name: str


def target_of(rollout: Rollout) -> Target:
    """``rollout``'s object."""
    return Target(
        uid=rollout.uid,
        engine=rollout.engine,
        shape=rollout.shape,
        namespace=rollout.namespace,
        name=rollout.name,
    )


class Precondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was true on the screen (or for the worker) when the deed was asked for."""

    canary_hash: str = ""
    stable_hash: str = ""
    step: int | None = None
    effect: Effect | None = None
    """What the offer on the screen said; a deed that would now do something else is refused. None: not compared."""


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deed somebody wants; what ``opsroom act`` reads on standard input."""

    id: str
    verb: Verb
    target: Target
    precondition: Precondition
    actor: str
    """A person's user name, or the worker's identity."""
    at: float
    """Epoch seconds of the key press."""
    automatic: bool = False
    reason: str = ""
    score: float | None = None
    score_age: float | None = None
    row: str = ""
    """Policy row, for automatic deeds."""
    force: bool = False
    fencing: int | None = None
    """Lease transition count of the decider, for automatic deeds."""
    two_people: bool = False
    """The policy lets this rollout go on only when two different people want it."""
    approves: Verb | None = None
    """What is approved, for ``APPROVE``."""
    approved_by: str = ""
    """The first of the two people, for the deed of the second."""


class Deed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An intent on its way."""

    intent: Intent
    state: DeedState
    at: float
    effect: Effect | None = None
    refusal: Refusal | None = None
    detail: str = ""
    """The server's own words, cleaned; or the right that is missing."""
