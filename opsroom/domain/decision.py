"""What should happen to a rollout, and why it is left to a person when it is.

``control`` makes these records; the feed carries them; ``view`` has the sentences. The reasons are a closed list, so
that nobody is ever shown "flagged" without a cause.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opsroom.domain.rollout import Uid


class Outcome(StrEnum):
    """The answers ``control`` can give."""

    WATCH = "watch"
    PROMOTE = "promote"
    PROMOTE_FULLY = "promote_fully"
    ROLL_BACK = "roll_back"
    FLAG = "flag"


class FlagReason(StrEnum):
    """Why a person is needed."""

    INCONCLUSIVE = "inconclusive"
    """Patience is over and the score is still between the thresholds."""
    NO_DATA = "no_data"
    CONFLICT = "conflict"
    """Metrics contradict each other."""
    BASELINE_SICK = "baseline_sick"
    ACTION_FAILED = "action_failed"
    POLICY = "policy"
    """The policy asks for a person."""
    PERSON = "person"
    """A person asked (``f``, ``opsroom flag``)."""
    SHARED = "shared"
    """Several rollouts show the same symptom at once."""
    FREEZE = "freeze"
    """A deed is due, and automatic deeds are frozen."""
    RAILS = "rails"
    """A deed is due, and the limit of automatic deeds is used up."""
    DEGRADED = "degraded"
    """The rollout failed on its own: deadline passed, pods cannot start."""


TOO_SLOW = "too_slow"
"""``Decision.detail`` of a canary that is watched though its patience will be over before the judge can decide."""


class Flag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rollout that waits for a person."""

    reason: FlagReason
    since: float
    """Epoch seconds."""
    by: str = ""
    """Who asked, for ``PERSON``."""
    detail: str = ""
    acknowledged_by: str = ""
    acknowledged_at: float | None = None

    @property
    def calls(self) -> bool:
        """Whether somebody has to be called: not where a person asked, or has taken it."""
        return self.reason is not FlagReason.PERSON and not self.acknowledged_by


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``control`` decided for one rollout at one moment."""

    uid: Uid
    outcome: Outcome
    at: float
    score: float | None = None
    flag: FlagReason | None = None
    row: str = ""
    """Name of the policy row that was used."""
    detail: str = ""
