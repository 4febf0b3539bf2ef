"""Numbers as people read them: ages, durations, percents, metric values, clock times.

Short forms stand in columns (``4m``), long forms in sentences (``4 min``). Times of day are UTC: two people on a call
must read the same number.
"""

from __future__ import annotations

from datetime import UTC, datetime

NONE = "-"


def age(seconds: float | None) -> str:
    """``7s``, ``4m``, ``2h``, ``3d``; ``-`` where there is none."""
    if seconds is None:
        return NONE
    whole = int(max(0.0, seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def fine_age(seconds: float | None) -> str:
    """Two units: ``4m 12s``, ``2h 05m``, ``3d 4h``."""
    if seconds is None:
        return NONE
    whole = int(max(0.0, seconds))
    if whole >= 86400:
        return f"{whole // 86400}d {whole % 86400 // 3600}h"
    if whole >= 3600:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 60}m {whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def duration(seconds: float) -> str:
    """For sentences: ``48 s``, ``6 min``, ``2 h``, ``2 h 10 min``."""
    whole = round(max(0.0, seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"


def percent(part: float | None) -> str:
    """A part of one as ``0.3%``, ``7.1%``, ``25%``."""
    if part is None:
        return NONE
    value = part * 100
    if abs(value) >= 9.95:
        return f"{value:.0f}%"
    if 0 < abs(value) < 0.05:
        return "<0.1%"
    return f"{value:.1f}%"


def score(value: float | None) -> str:
    """Two digits; ``-`` where nothing may be concluded."""
    return NONE if value is None else f"{value:.2f}"


def count(value: float) -> str:
    """``212``, ``12,400``."""
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


def milliseconds(value: float, like: float | None = None) -> str:
    """``380 ms`` or ``1.9 s``; ``like`` is the value beside it, so that a pair has one unit."""
    most = max(abs(value), abs(like or 0.0))
    if most < 995:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if most < 99_500 else f"{value / 1000:.0f} s"


def byte_size(value: float) -> str:
    """``412 MiB``, ``1.2 GiB``."""
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(value) >= size:
            return f"{value / size:.1f} {unit}" if abs(value) < 10 * size else f"{value / size:.0f} {unit}"
    return f"{value:.0f} B"


def clock(at: float) -> str:
    """``12:04:31`` (UTC)."""
    return _strftime(at, "%H:%M:%S")


def short_clock(at: float) -> str:
    """``12:04`` (UTC)."""
    return _strftime(at, "%H:%M")


def day(at: float) -> str:
    """``Mon 12:04:31 UTC``."""
    return _strftime(at, "%a %H:%M:%S UTC")


def stamp(at: float) -> str:
    """``2026-08-05 12:04:31`` (UTC)."""
    return _strftime(at, "%Y-%m-%d %H:%M:%S")


def _strftime(at: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime(form)
    except (OverflowError, ValueError, OSError):
        # Somebody's recording may say anything, and a screen that breaks off says nothing.
        return NONE
