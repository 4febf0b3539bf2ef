"""The picture that the feed carries and every screen draws: one row a rollout, and the room around them.

It is made by the worker alone. Screens never compute it, so a screen, a script and a recording cannot disagree.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from opsroom.domain.approval import Approval
from opsroom.domain.decision import Decision, Flag
from opsroom.domain.deed import Deed, DeedState
from opsroom.domain.freshness import SourceState
from opsroom.domain.offer import Offer
from opsroom.domain.queue import Queue, QueueEntry
from opsroom.domain.rollout import Phase, Rollout
from opsroom.domain.series import Metric
from opsroom.domain.verdict import ROLL_BACK_ABOVE, Verdict, VerdictState


class Mode(StrEnum):
    """What the worker may do."""

    OBSERVE = "observe"
    ADVISE = "advise"
    AUTO = "auto"


class Severity(IntEnum):
    """Order on the board: the higher, the nearer to the top."""

    DONE = 0
    QUEUED = 1
    UNKNOWN = 2
    MOVING = 3
    WATCH = 4
    FLAGGED = 5
    CRITICAL = 6


class Happening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of news about a rollout: a Kubernetes Event, a decision or a deed."""

    at: float
    kind: str
    """``event``, ``decision`` or ``deed``."""
    text: str
    """Cleaned foreign words (Event message), or a code for ours."""
    warning: bool = False
    by: str = ""


class Right(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the access review said about one verb for the person at this feed."""

    allowed: bool | None = None
    """None while nobody has asked."""
    missing: str = ""
    """The right that is missing, in RBAC's words (``patch rollouts/status``)."""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All there is to know about one rollout."""

    rollout: Rollout
    verdict: Verdict | None = None
    flag: Flag | None = None
    decision: Decision | None = None
    promote: Offer | None = None
    roll_back: Offer | None = None
    may_promote: Right = Right()
    may_roll_back: Right = Right()
    metrics: tuple[Metric, ...] = ()
    scores: tuple[float | None, ...] = ()
    """Latest scores, newest last, one a step."""
    queue: QueueEntry | None = None
    deed: Deed | None = None
    """The last deed on this rollout."""
    happenings: tuple[Happening, ...] = ()
    """Newest first."""
    finished: float | None = None
    """Epoch seconds at which the last change ended."""
    result: str = ""
    """``promoted`` or ``rolled_back`` for that change; empty while none ended under our eyes."""
    two_people: bool = False
    """A roll forward needs two different people."""
    approval: Approval | None = None
    """What the first of them has left, while it is for this canary at this step."""

    @property
    def waits(self) -> bool:
        """Whether it stands in the queue: held, or waiting while no request reaches its canary."""
        queued = self.queue is not None and not self.queue.running
        return self.rollout.phase is Phase.HELD or (queued and (self.rollout.idle or not self.rollout.under_way))

    @property
    def severity(self) -> Severity:
        """Where the row stands on the board."""
        if self.flag is not None:
            harmful = self.verdict is not None and (self.verdict.score or 0.0) > ROLL_BACK_ABOVE
            failed = self.deed is not None and self.deed.state in (DeedState.FAILED, DeedState.UNKNOWN)
            return Severity.CRITICAL if harmful or failed else Severity.FLAGGED
        if self.waits:
            return Severity.QUEUED
        if self.rollout.phase is Phase.UNKNOWN:
            return Severity.UNKNOWN
        if not self.rollout.under_way:
            return Severity.WATCH if self.rollout.phase in (Phase.DEGRADED, Phase.ABORTED) else Severity.DONE
        if self.verdict is None or self.verdict.state is VerdictState.UNKNOWN:
            return Severity.UNKNOWN
        return Severity.WATCH if (self.verdict.score or 0.0) >= 0.5 else Severity.MOVING


class Decider(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who holds the Lease."""

    identity: str = ""
    """Empty: nobody decides here."""
    since: float | None = None
    transitions: int = 0
    me: bool = False
    gates: bool = False
    """It answers the gates of Flagger Canaries."""


class Freeze(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Automatic deeds are stopped for everybody."""

    by: str
    since: float
    reason: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What this worker has done and seen since it began."""

    promoted: int = 0
    rolled_back: int = 0
    flagged: int = 0
    ticks: int = 0
    worst_tick: float = 0.0
    """Seconds."""
    hour: tuple[int, int] | None = None
    """Promoted and rolled back within the last hour; None where nobody says (a recording of an older version)."""


class Room(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything around the rows."""

    at: float
    """Epoch seconds at which the worker made this picture."""
    context: str = ""
    """Name of the kube context."""
    namespaces: tuple[str, ...] = ()
    """Empty: all of them."""
    identity: str = ""
    mode: Mode = Mode.OBSERVE
    read_only: bool = False
    sources: tuple[SourceState, ...] = ()
    decider: Decider = Decider()
    freeze: Freeze | None = None
    queue: Queue = Queue()
    policy_note: str = ""
    """Why the last good policy is still in force; empty when the newest one is."""
    counts: Counts = Counts()
    deeds: tuple[Deed, ...] = ()
    """Last deeds, newest first."""
    interval: float = 2.0
    """Seconds between two pictures; the age of the feed is measured against it."""
