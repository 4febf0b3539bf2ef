"""What the user wants of the judge, in the user's words: how many false rollbacks, what effect matters, how long.

Everything statistical is derived from these numbers. It must not know the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Which way is worse."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Margin:
    """What of one metric matters.

    ``innocent`` is the relative change that nobody would call a regression (.08 = 8 %); ``harmful`` the smallest one
    that must be caught. Between the two either answer is right.
    """

    innocent: float
    harmful: float
    direction: Direction = Direction.UP


MARGINS: dict[str, Margin] = {
    "latency_p99": Margin(0.043, 0.10),
    "latency_p95": Margin(0.043, 0.10),
    "latency_p50": Margin(0.043, 0.10),
    "cpu_usage": Margin(0.08, 0.20),
    "memory_bytes": Margin(0.1, 0.25),
}
"""Relative change of the canary against its baseline, per metric."""

CUSTOM = Margin(0.05, 0.15)


@dataclass(frozen=True, slots=True)
class Budget:
    """False rollbacks per 1000 healthy rollouts, the effects that matter, and how long a canary is watched."""

    false_rollbacks: float = 10.0
    """Per 1000 healthy rollouts, over the whole watch, looked at every step."""
    margins: Mapping[str, Margin] = field(default_factory=lambda: dict(MARGINS))
    error_points: float = 0.0001
    """Absolute rise of the error rate that is innocent (0.0002 = 0.02 points)."""
    watch_seconds: float = 1080.0
    """No promotion before this much was seen …"""
    watch_steps: tuple[int, int] = (18, 39)
    """… but at least and at most so many steps with data."""

    def margin(self, metric: str) -> Margin:
        """The margin of ``metric``; a cautious one for names that nobody configured."""
        return self.margins.get(metric, CUSTOM)
