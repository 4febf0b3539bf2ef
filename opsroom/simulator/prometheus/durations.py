"""Times and durations as the HTTP API takes them.

Source: prometheus/web/api/v1/api.go parseTime and parseDuration: a float of seconds, RFC 3339, or for durations
the Prometheus way (`1h30m`), units from large to small.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
# Go's time.Duration overflows there; the API refuses what is larger.
_LARGEST_SECONDS = 2**63 / 1e9


def time_ms(text: str) -> int:
    """A time in whole ms; raises ValueError with Prometheus' words."""
    seconds = _number(text)
    if seconds is not None and math.isfinite(seconds):
        return math.floor(seconds * 1000 + 0.5)
    if _RFC3339.fullmatch(text):
        try:
            return round(datetime.fromisoformat(text.upper()).timestamp() * 1000)
        except ValueError:
            pass
    raise ValueError(f'cannot parse "{text}" to a valid timestamp')


def duration_ms(text: str) -> int:
    """A duration in whole ms; raises ValueError with Prometheus' words."""
    seconds = _number(text)
    if seconds is not None:
        if not abs(seconds) < _LARGEST_SECONDS:
            raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows int64')
        return int(seconds * 1000)
    if text == "0":
        return 0
    found = _DURATION.fullmatch(text)
    if text and found:
        return sum(int(part) * size for part, size in zip(found.groups(), _UNITS.values(), strict=True) if part)
    raise ValueError(f'cannot parse "{text}" to a valid duration')


def _number(text: str) -> float | None:
    # Python also takes "1_000" and blanks around, Go takes neither.
    if text != text.strip() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
