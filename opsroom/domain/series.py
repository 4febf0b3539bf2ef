"""A metric's course over time, small enough to travel in the feed.

The arrays that the judge reads live in ``sources`` and ``analysis``; this is what is left of them for a sparkline
and a chart: evenly spaced values, gaps kept as gaps.
"""

from __future__ import annotations

import msgspec


class Series(msgspec.Struct, frozen=True, omit_defaults=True):
    """Evenly spaced values that end at ``end``."""

    end: float
    """Epoch seconds of the last value."""
    step: float
    """Seconds between two values."""
    values: tuple[float | None, ...] = ()

    @property
    def last(self) -> float | None:
        """The newest value; None when the newest step is a gap or there is none."""
        return self.values[-1] if self.values else None


class Metric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One metric of one rollout, both arms at the same times."""

    name: str
    """``latency_p99`` (ms), ``error_rate`` (0..1), ``cpu_usage`` (cores a pod), ``requests`` (per second), …"""
    canary: Series
    baseline: Series
