"""Marks, roles and short words of states: what a row looks like at a glance.

Severity is an ASCII mark, a word and a place; colour is the fourth signal, never the first (tui-anchors 4.6).
"""

from __future__ import annotations

from opsroom.domain.board import Severity
from opsroom.domain.decision import FlagReason
from opsroom.domain.deed import DeedState
from opsroom.domain.freshness import Freshness
from opsroom.domain.queue import Lane
from opsroom.domain.rollout import Phase
from opsroom.view.line import Role

MARK = {
    Severity.CRITICAL: "!!",
    Severity.FLAGGED: "!",
    Severity.WATCH: "~",
    Severity.MOVING: "o",
    Severity.UNKNOWN: "?",
    Severity.QUEUED: ".",
    Severity.DONE: "ok",
}

ROLE = {
    Severity.CRITICAL: Role.CRITICAL,
    Severity.FLAGGED: Role.FLAGGED,
    Severity.WATCH: Role.WATCH,
    Severity.MOVING: Role.TEXT,
    Severity.UNKNOWN: Role.UNKNOWN,
    Severity.QUEUED: Role.DIM,
    Severity.DONE: Role.OK,
}

WORD = {
    Severity.CRITICAL: "critical",
    Severity.FLAGGED: "flagged",
    Severity.WATCH: "watch",
    Severity.MOVING: "moving",
    Severity.UNKNOWN: "unknown",
    Severity.QUEUED: "queued",
    Severity.DONE: "done",
}

PHASE = {
    Phase.OBSERVING: "observing",
    Phase.HELD: "held",
    Phase.PROGRESSING: "moving",
    Phase.PAUSED: "paused",
    Phase.HEALTHY: "healthy",
    Phase.ABORTED: "aborted",
    Phase.DEGRADED: "degraded",
    Phase.UNKNOWN: "unknown",
}

REASON = {
    FlagReason.INCONCLUSIVE: "undecided",
    FlagReason.NO_DATA: "no data",
    FlagReason.CONFLICT: "conflict",
    FlagReason.BASELINE_SICK: "sick baseline",
    FlagReason.ACTION_FAILED: "deed failed",
    FlagReason.POLICY: "policy asks",
    FlagReason.PERSON: "by hand",
    FlagReason.SHARED: "others too",
    FlagReason.FREEZE: "due, frozen",
    FlagReason.RAILS: "limit used up",
    FlagReason.DEGRADED: "degraded",
}
"""At most 13 cells: it stands in the state column of the narrowest board."""

DEED = {
    DeedState.ARMED: "armed",
    DeedState.CANCELLED: "stopped",
    DeedState.REFUSED: "refused",
    DeedState.JOURNALLED: "journalled",
    DeedState.SENT: "sent",
    DeedState.ACCEPTED: "accepted",
    DeedState.SEEN: "taking effect",
    DeedState.DONE: "done",
    DeedState.FAILED: "failed",
    DeedState.UNKNOWN: "not known",
}

DEED_ROLE = {
    DeedState.FAILED: Role.CRITICAL,
    DeedState.UNKNOWN: Role.FLAGGED,
    DeedState.REFUSED: Role.FLAGGED,
    DeedState.DONE: Role.OK,
}

FRESH_ROLE = {
    Freshness.FRESH: Role.DIM,
    Freshness.DOUBTFUL: Role.WATCH,
    Freshness.STALE: Role.FLAGGED,
    Freshness.NEVER: Role.UNKNOWN,
}

LANE = {Lane.ROLLBACK: "rollback", Lane.HOTFIX: "hotfix", Lane.NORMAL: "normal", Lane.BATCH: "batch"}
RESULT = {"promoted": "promoted", "rolled_back": "rolled back"}
