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


INNOCENT = 0.43
"""Part of the smallest effect that matters which nobody is accused of: nodes and neighbours differ by as much."""
INNOCENT_ERRORS = 0.05
"""The same for error rates, where arms differ by chance only."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What of one metric matters: the smallest relative change that must be caught (.1 = 10 %), and which way."""

    matters: float
    direction: Direction = Direction.UP

    @property
    def innocent(self) -> float:
        """The change that is not held against a canary; between it and ``matters`` either answer is right."""
        return INNOCENT * self.matters


LATENCY = Margin(0.10)
MARGINS: dict[str, Margin] = {
    "latency_p99": LATENCY,
    "latency_p95": LATENCY,
    "latency_p50": LATENCY,
    "cpu_usage": Margin(0.19),
    "memory_bytes": Margin(0.23),
}
"""Relative change of the canary against its baseline, per metric."""

CUSTOM = Margin(0.12)


@dataclass(frozen=True, slots=True)
class Budget:
    """False rollbacks per 1000 healthy rollouts, the effects that matter, and how long a canary is watched."""

    false_rollbacks: float = 10.0
    """Per 1000 healthy rollouts, over the whole watch, looked at every step."""
    margins: Mapping[str, Margin] = field(default_factory=lambda: dict(MARGINS))
    error_rise: float = 0.002
    """Smallest absolute rise of the error rate that matters (0.002 = 0.2 points)."""
    watch_seconds: float = 1080.0
    """No promotion before this much was seen …"""
    watch_steps: tuple[int, int] = (18, 39)
    """… but at least and at most so many steps with data."""

    @property
    def innocent_rise(self) -> float:
        """The absolute rise of the error rate that is not held against a canary."""
        return INNOCENT_ERRORS * self.error_rise

    def margin(self, metric: str) -> Margin:
        """The margin of ``metric``; a cautious one for names that nobody configured."""
        return self.margins.get(metric, CUSTOM)
