"""Freeze windows: times in which nothing new may start, given as one-off, weekly interval or cron, in a time zone.

A window holds, it never fails anything: what waits goes on by itself when the window ends. Cron has five fields
(minute hour day month weekday; ``*``, lists, ranges, ``/`` steps, 0 and 7 are Sunday) and marks the beginnings; day
and weekday both given means either, as cron has it. Local times follow the zone through its changes of the clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache

import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 31 * 24 * 60
"""Minutes of the longest repeated window."""

_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"^(\*|\d+(?:-\d+)?)(?:/(\d+))?$")


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One freeze window; exactly one of its three forms is filled in."""

    name: str
    match: dict[str, str] = {}
    """Which rollouts it holds, as in a policy row; empty: all."""
    zone: str = "UTC"
    """IANA name of the zone that the times below are in."""
    starts: datetime | None = None
    ends: datetime | None = None
    """One-off. A time without an offset is in ``zone``."""
    days: tuple[str, ...] = ()
    """Weekly: days on which it begins (``mon`` … ``sun``)."""
    begin: str = ""
    end: str = ""
    """``HH:MM``; an end not after the beginning is on the next day."""
    cron: str = ""
    minutes: int = 0
    """Cron: how long it lasts."""
    hotfix: bool = True
    """The hotfix lane passes."""


def open_until(window: Window, now: float) -> float | None:
    """Epoch seconds at which ``window`` ends if it is open at ``now`` (epoch seconds), else None.

    Raises:
        ValueError: the window makes no sense (``fault`` says why).
    """
    zone = _zone(window.zone)
    if window.starts is not None and window.ends is not None:
        start, end = (_at(moment, zone) for moment in (window.starts, window.ends))
        return end if start <= now < end else None
    if window.days:
        return _weekly(window, now, zone)
    return _by_cron(window.cron, window.minutes, window.zone, int(now // 60))


def fault(window: Window) -> str:
    """What is wrong with ``window``, in words; empty when nothing is."""
    forms = [window.starts is not None or window.ends is not None, bool(window.days), bool(window.cron)]
    if forms.count(True) != 1:
        return "give either starts and ends, or days, begin and end, or cron and minutes"
    try:
        zone = _zone(window.zone)
        if forms[0]:
            if window.starts is None or window.ends is None:
                return "give both starts and ends"
            return "" if _at(window.starts, zone) < _at(window.ends, zone) else "it must start before it ends"
        if forms[1]:
            if not set(window.days) <= set(DAYS):
                return f"days are {', '.join(DAYS)}"
            _clock(window.begin), _clock(window.end)
            return ""
        _parsed(window.cron)
    except (ValueError, OSError) as error:
        return str(error)
    return "" if 0 < window.minutes <= LONGEST else f"minutes must be 1 to {LONGEST}"


def _weekly(window: Window, now: float, zone: tzinfo) -> float | None:
    begin, end = _clock(window.begin), _clock(window.end)
    today = datetime.fromtimestamp(now, zone).date()
    for back in range(2):
        day = today - timedelta(days=back)
        if DAYS[day.weekday()] not in window.days:
            continue
        start = datetime.combine(day, begin, zone).timestamp()
        last = day if end > begin else day + timedelta(days=1)
        stop = datetime.combine(last, end, zone).timestamp()
        if start <= now < stop:
            return stop
    return None


@lru_cache(maxsize=256)
def _by_cron(cron: str, lasts: int, zone_name: str, minute_now: int) -> float | None:
    """When a window that begins by ``cron`` and ``lasts`` so many minutes ends, if it is open.

    Both ends are on whole minutes, so one answer holds for a minute: it is asked several times a second, and a cron
    that begins often has thousands of beginnings to look at.
    """
    now, zone = minute_now * 60.0, _zone(zone_name)
    minutes, hours, days, months, weekdays = _parsed(cron)
    either = days != _all(2) and weekdays != _all(4)
    today = datetime.fromtimestamp(now, zone).date()
    ends: list[float] = []
    for back in range(lasts // 1440 + 2):
        day = today - timedelta(days=back)
        by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month not in months or not (by_day or by_weekday if either else by_day and by_weekday):
            continue
        for hour in hours:
            for minute in minutes:
                start = datetime.combine(day, time(hour, minute), zone).timestamp()
                if start <= now < start + lasts * 60:
                    ends.append(start + lasts * 60)
    return max(ends, default=None)


@lru_cache(maxsize=256)
def _parsed(cron: str) -> tuple[frozenset[int], ...]:
    parts = cron.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"cron {cron!r} must have five fields")
    fields = [_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)]
    fields[4] = frozenset(day % 7 for day in fields[4])
    return tuple(fields)


def _field(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.match(part)
        if match is None:
            raise ValueError(f"{part!r} is no cron field")
        span, step = match[1], int(match[2] or 1)
        first, _, last = span.partition("-")
        start = low if span == "*" else int(first)
        stop = high if span == "*" or (match[2] and not last) else int(last or first)
        if not (low <= start <= stop <= high and step > 0):
            raise ValueError(f"{part!r} is outside {low} to {high}")
        found.update(range(start, stop + 1, step))
    return frozenset(found)


def _all(index: int) -> frozenset[int]:
    low, high = _FIELDS[index]
    return frozenset(range(low, high + 1)) if index != 4 else frozenset(range(7))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # two milliseconds that no screen has to wait for

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"the time zone {name!r} is not known here") from error


def _at(moment: datetime, zone: tzinfo) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()


def _clock(text: str) -> time:
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"{text!r} is no time of day (HH:MM)")
    return time(int(hour), int(minute))
