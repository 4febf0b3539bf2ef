"""What a verdict and a last deed amount to, as plain questions.

Split from ``decide`` so that each ground for a decision can be named and tested alone. It must not know thresholds
other than those of the policy row it is given.
"""

from __future__ import annotations

from opsroom.domain.deed import Deed, DeedState, Effect, Refusal, Verb
from opsroom.domain.freshness import verdict_patience
from opsroom.domain.offer import Offer, offer
from opsroom.domain.policy import PolicyRow
from opsroom.domain.rollout import Engine, Rollout, Shape
from opsroom.domain.verdict import UnknownReason, Verdict, VerdictState

PASSING = frozenset(
    (
        Refusal.CHANGED,
        Refusal.CONFLICT,
        Refusal.UNREACHABLE,
        Refusal.NOT_OBSERVED,
        Refusal.BUSY,
        Refusal.GONE,
        Refusal.NOT_UNDER_WAY,
        Refusal.NOTHING_TO_PROMOTE,
        Refusal.FROZEN,
    )
)
"""Refusals that say "your picture is behind": looking again is right. The others need a person."""

LEFT_TO_NEXT = ":not_decider"
"""How the detail of a deed ends whose decider lost its Lease half-way: the next one finishes it, nobody is asked."""

BASELINE_GUARD = "baseline_sick"

_SAFE_PROMOTIONS = frozenset((Effect.NEXT_STEP, Effect.SWITCH, Effect.TAKE_TEMPLATE, Effect.OPEN_GATE))


def unknown(verdict: Verdict | None, now: float, step: float) -> str:
    """Why nothing may be concluded, as a code; empty when the verdict can be used. ``step`` in seconds."""
    if verdict is None:
        return UnknownReason.NO_DATA.value
    if verdict.state is VerdictState.UNKNOWN or verdict.score is None:
        return (verdict.unknown or UnknownReason.NO_DATA).value
    # A verdict of the future is as old as the clock was set back.
    if abs(now - verdict.at) > verdict_patience(step):
        return UnknownReason.STALE.value
    return ""


def baseline_sick(verdict: Verdict, row: PolicyRow) -> bool:
    """Whether the stable pods fail on their own, so that the comparison says little about the change."""
    return any(
        evidence.guard == BASELINE_GUARD
        or (evidence.metric == "error_rate" and (evidence.baseline or 0.0) > row.sick_errors)
        for evidence in verdict.evidence
    )


def contradicts_itself(verdict: Verdict, row: PolicyRow) -> bool:
    """Whether one metric alone would roll back while another alone would promote."""
    harms = [evidence.harm for evidence in verdict.evidence if not evidence.guard]
    return len(harms) > 1 and max(harms) > row.rollback_above and min(harms) < row.promote_below


def requests(verdict: Verdict) -> float | None:
    """Requests of the canary behind ``verdict``; None when nobody counted."""
    counted = [evidence.requests for evidence in verdict.evidence if evidence.requests is not None]
    return max(counted, default=None)


def too_early(verdict: Verdict, row: PolicyRow, since: float, now: float) -> str:
    """What a promotion still lacks, as a code; empty when it lacks nothing. ``since``: when this step began."""
    # What was measured before this step says nothing about the traffic that the canary has on it.
    if now - since < row.min_seconds or verdict.at <= since:
        return "min_seconds"
    if verdict.steps < row.min_steps:
        return "min_steps"
    counted = requests(verdict)
    if counted is None or counted < row.min_requests:
        return "min_requests"
    return "shared" if verdict.shared else ""


def promotion(rollout: Rollout) -> Offer | None:
    """The promotion that automation may make now, or None.

    It never un-pauses what a person paused, never steps over an inconclusive analysis and never shortens a timed
    pause: each of them is somebody's explicit wish. What the queue holds is released by the queue alone.
    """
    pause = rollout.pause
    if rollout.held or pause is None or pause.inconclusive or pause.until is not None:
        return None
    rolling = rollout.engine is Engine.DEPLOYMENT and rollout.shape is Shape.ROLLING
    if pause.user and not rolling:
        return None
    wish = offer(rollout, Verb.PROMOTE)
    if wish.effect in _SAFE_PROMOTIONS or (rolling and wish.effect is Effect.UNPAUSE):
        return wish
    return None


def concerns(deed: Deed, canary_hash: str, step: int | None) -> bool:
    """Whether ``deed`` was meant for this canary and, unless it is a roll back, for this step."""
    seen = deed.intent.precondition
    if seen.canary_hash != canary_hash:
        return False
    return deed.intent.verb is Verb.ROLL_BACK or seen.step == step


def moves(deed: Deed) -> bool:
    """Whether the deed is one that moves traffic (and not only a mark, a hold or a release)."""
    return deed.intent.verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY, Verb.ROLL_BACK)


def trouble(deed: Deed, now: float, settle: float) -> str:
    """Why ``deed`` needs a person, as a code; empty when it does not. ``settle``: seconds UNKNOWN may last."""
    if deed.state is DeedState.FAILED:
        return "" if deed.intent.automatic and deed.detail.endswith(LEFT_TO_NEXT) else deed.detail or "failed"
    if deed.state is DeedState.UNKNOWN and now - deed.at > settle:
        return "unknown"
    if deed.state is DeedState.REFUSED and deed.intent.automatic and deed.refusal not in PASSING:
        return deed.refusal.value if deed.refusal is not None else "refused"
    return ""
