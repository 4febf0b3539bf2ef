"""What a policy asks of the judge, in its users' words: false rollbacks, and the effects that matter."""

from __future__ import annotations

import msgspec


class MetricPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One metric: the smallest relative change that must be caught, and which way is worse."""

    matters: float
    """0.1 is a tenth."""
    worse: str = "up"
    """``up`` or ``down``."""


class JudgePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The judge's budget. The longest time to decide is each row's ``max_seconds``."""

    false_rollbacks: float = 10.0
    """Per 1000 healthy rollouts, over the whole watch."""
    error_rise: float = 0.002
    """Smallest rise of the error rate that matters (0.002 = 0.2 points)."""
    watch_seconds: float = 1080.0
    """Nothing is promoted before it was watched so long, within 18 and 39 steps."""
    metrics: dict[str, MetricPolicy] = {}
    """By name; metrics of one's own (``[prometheus.queries]``) belong here."""


def judge_faults(judge: JudgePolicy) -> list[tuple[str, str]]:
    """Every value out of bounds, as (key, the bound in words)."""
    bad: list[tuple[str, str]] = []
    if not 1 <= judge.false_rollbacks <= 100:
        bad.append(("judge: false_rollbacks", "1 to 100 per 1000"))
    if not 0.0005 <= judge.error_rise <= 0.1:
        bad.append(("judge: error_rise", "0.0005 to 0.1"))
    if not 0 <= judge.watch_seconds <= 24 * 3600:
        bad.append(("judge: watch_seconds", "0 to 24 h"))
    for name, metric in judge.metrics.items():
        if not 0.01 <= metric.matters <= 5:
            bad.append((f"judge: metrics.{name}.matters", "0.01 to 5"))
        if metric.worse not in ("up", "down"):
            bad.append((f"judge: metrics.{name}.worse", "up or down"))
    return bad
