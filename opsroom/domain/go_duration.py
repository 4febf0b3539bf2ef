"""Durations as Go writes them (``1h30m``, ``1.5s``): the controllers that drive rollouts are written in it.

Source: Go, time.ParseDuration; a sign, which no plan has, is not read.
"""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def go_seconds(text: str) -> float | None:
    """Seconds of ``text``; None for what is no duration."""
    parts = _PART.findall(text)
    if not parts or "".join(value + unit for value, unit in parts) != text:
        return None
    return float(sum(float(value) * _SECONDS[unit] for value, unit in parts))
