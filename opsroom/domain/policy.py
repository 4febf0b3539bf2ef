"""The policy: thresholds, patience and rails, by label selector, inside hard bounds.

A policy may make the promise to users stricter, never void: whatever a file says, a promotion needs a score of at
most 0.3, fifty requests an arm and three steps, and nobody waits longer than a day before a person is asked.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.judge_policy import JudgePolicy, judge_faults
from opsroom.domain.notice_policy import NoticePolicy, notice_faults
from opsroom.domain.queue_policy import QueuePolicy, queue_faults
from opsroom.domain.rollout import Rollout
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE

PROMOTE_BELOW_MAX = 0.3
ROLL_BACK_RANGE = (0.5, 0.9)
REQUESTS_MIN = 50
STEPS_MIN = 3
PATIENCE_MAX = 24 * 3600.0
ROLL_BACKS_MAX = 10
"""Automatic roll backs in ``Rails.window`` seconds."""
WINDOW_MIN = 60.0
"""Seconds: rails over a shorter time would hold nothing."""
STEP_MAX = 600.0


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What counts for the rollouts that ``match`` selects. The first matching row is used."""

    name: str = "default"
    match: dict[str, str] = {}
    """Label values; ``namespace``, ``name``, ``engine``, ``origin`` and ``author`` match the rollout itself."""
    promote_below: float = PROMOTE_BELOW
    rollback_above: float = ROLL_BACK_ABOVE
    min_seconds: float = 60.0
    """A canary is not promoted before it has run this long on its step."""
    max_seconds: float = 3600.0
    """Patience: a score still between the thresholds after this long is flagged."""
    min_requests: int = REQUESTS_MIN
    """Of the canary, before a promotion."""
    min_steps: int = STEPS_MIN
    unknown_seconds: float = 600.0
    """Patience with UNKNOWN before it is flagged."""
    sick_errors: float = 0.2
    """Share of failing requests above which the baseline itself counts as sick (0..1)."""
    person: bool = False
    """A person decides: the worker flags instead of promoting."""
    two_people: bool = False
    """Two different people decide: the first ``p`` approves, the second one's acts. A roll back never needs two."""
    auto_rollback: bool = True
    auto_promote: bool = True


class Rails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits on automatic deeds over all rollouts."""

    window: float = 600.0
    rollbacks: int = ROLL_BACKS_MAX
    promotions: int = 200


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Rows in order, and the rails. The last row always matches."""

    rows: tuple[PolicyRow, ...] = (PolicyRow(),)
    rails: Rails = Rails()
    queue: QueuePolicy = QueuePolicy()
    judge: JudgePolicy = JudgePolicy()
    notices: NoticePolicy = NoticePolicy()
    step: float = 10.0
    """Seconds between two looks at the metrics."""
    window: int = 60
    """Steps the judge keeps."""
    idle_cpu: float = 0.3
    """Share of its CPU that a pod uses without requests: how the baseline's CPU is brought to the canary's load."""

    def row_for(self, rollout: Rollout) -> PolicyRow:
        """The first row whose ``match`` holds; the built-in row where none does."""
        for row in self.rows:
            if matches(rollout, row.match):
                return row
        return _BUILT_IN


_BUILT_IN = PolicyRow()


def matches(rollout: Rollout, match: dict[str, str]) -> bool:
    """Whether every label (or property of the rollout) has the wanted value; an empty ``match`` always holds."""
    for key, value in match.items():  # noqa: SIM110 - half the time of all() on the hot path
        if _value(rollout, key) != value:
            return False
    return True


def _value(rollout: Rollout, key: str) -> str:
    match key:
        case "namespace":
            return rollout.namespace
        case "name":
            return rollout.name
        case "engine":
            return rollout.engine.value
        case "origin":
            return rollout.change.origin
        case "author":
            return rollout.change.author
        case _:
            return rollout.labels.get(key, "")


def out_of_bounds(policy: Policy) -> list[tuple[str, str]]:
    """Every value outside the hard bounds, as (key, the bound in words); empty when all is well."""
    bad: list[tuple[str, str]] = []
    for row in policy.rows:
        for key, good, words in (
            ("name", row.name == clean(row.name), "one printable line"),
            ("promote_below", 0 <= row.promote_below <= PROMOTE_BELOW_MAX, f"0 to {PROMOTE_BELOW_MAX}"),
            (
                "rollback_above",
                ROLL_BACK_RANGE[0] <= row.rollback_above <= ROLL_BACK_RANGE[1],
                f"{ROLL_BACK_RANGE[0]} to {ROLL_BACK_RANGE[1]}",
            ),
            ("min_requests", row.min_requests >= REQUESTS_MIN, f"at least {REQUESTS_MIN}"),
            ("min_steps", row.min_steps >= STEPS_MIN, f"at least {STEPS_MIN}"),
            ("min_seconds", row.min_seconds >= 0, "not negative"),
            ("max_seconds", row.min_seconds <= row.max_seconds <= PATIENCE_MAX, "min_seconds to 24 h"),
            ("sick_errors", 0 < row.sick_errors <= 1, "more than 0, at most 1"),
            ("unknown_seconds", 0 < row.unknown_seconds <= PATIENCE_MAX, "more than 0, at most 24 h"),
        ):
            if not good:
                bad.append((f"row {row.name!r}: {key}", words))
    if not 0 <= policy.rails.rollbacks <= ROLL_BACKS_MAX:
        bad.append(("rails: rollbacks", f"0 to {ROLL_BACKS_MAX}"))
    if policy.rails.promotions < 0:
        bad.append(("rails: promotions", "not negative"))
    if not WINDOW_MIN <= policy.rails.window <= PATIENCE_MAX:
        bad.append(("rails: window", f"{WINDOW_MIN:.0f} s to 24 h"))
    if not 0 < policy.step <= STEP_MAX:
        bad.append(("step", f"more than 0, at most {STEP_MAX:.0f} s"))
    if not 0 <= policy.idle_cpu <= 1:
        bad.append(("idle_cpu", "0 to 1"))
    if not STEPS_MIN <= policy.window <= 1000:
        bad.append(("window", f"{STEPS_MIN} to 1000"))
    return bad + judge_faults(policy.judge) + queue_faults(policy.queue) + notice_faults(policy.notices)
