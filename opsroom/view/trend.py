"""Whether a figure has just changed: ``+`` or ``-`` right after it, and nothing for its usual noise.

Read from the courses that a row carries, not from the frames a screen has happened to draw, so that board, wall and
recording mark the same figures. A mark stands for one step of the metrics.
"""

from __future__ import annotations

from collections.abc import Sequence

UP, DOWN = "+", "-"

RISE = {"score": 0.05, "error_rate": 0.005}
"""Least difference that is marked, in the figure's own unit."""

RATIO = 1.25
"""Least ratio of all other figures (latency, CPU, memory)."""


def sign(name: str, values: Sequence[float | None]) -> str:
    """``+``, ``-`` or nothing: how the newest of ``values`` stands to the one before."""
    if len(values) < 2:
        return ""
    before, now = values[-2], values[-1]
    if before is None or now is None:
        return ""
    least = RISE.get(name)
    if least is not None:
        risen = round(now - before, 9)
        return UP if risen >= least else DOWN if -risen >= least else ""
    if before <= 0:
        return ""
    return UP if now >= before * RATIO else DOWN if now * RATIO <= before else ""
