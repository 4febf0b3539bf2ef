"""How old a picture is, and when it is too old to act on.

A frozen picture must never look alive: every source has an age, an age older than twice its interval is doubtful,
older than four times stale; stale locks ``p``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

DOUBTFUL_AFTER = 2.0
STALE_AFTER = 4.0
"""Multiples of the source's own interval."""

CLOSES_LATE = 15.0
"""Seconds: a step closes one scrape (of up to 10 s) and 5 s after its end: so old is a perfectly fresh verdict."""


class Freshness(StrEnum):
    """How far an age can be trusted."""

    FRESH = "fresh"
    DOUBTFUL = "doubtful"
    STALE = "stale"
    NEVER = "never"


class Cause(StrEnum):
    """What is wrong with a source that says nothing, where it is not the way there."""

    CONFIGURATION = "configuration"
    """What we were told about it: no such file, context or address."""
    CREDENTIALS = "credentials"
    """Who we are: nobody it knows."""


class SourceState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source of facts, as its reader left it."""

    name: str
    """``kube``, ``prometheus``, ``score``, ``feed`` …"""
    interval: float
    """Seconds within which news is expected."""
    at: float | None = None
    """Epoch seconds of the last good answer; None when there never was one.

    As its reader left it, by the reader's own clock: only a picture has epoch seconds.
    """
    error: str = ""
    """One sentence that names the thing and the fix; empty while the source answers."""
    detail: str = ""
    cause: Cause | None = None
    """Of ``error``, where it is known."""


def age(at: float | None, now: float) -> float | None:
    """Seconds since ``at``; never negative (clocks of two machines differ)."""
    return None if at is None else max(0.0, now - at)


def freshness(source: SourceState, now: float) -> Freshness:
    """Judge the age of ``source`` at ``now`` (epoch seconds)."""
    seconds = age(source.at, now)
    if seconds is None:
        return Freshness.NEVER
    if seconds > STALE_AFTER * source.interval:
        return Freshness.STALE
    return Freshness.DOUBTFUL if seconds > DOUBTFUL_AFTER * source.interval else Freshness.FRESH


def verdict_patience(step: float) -> float:
    """Seconds after which a verdict is too old to be used, for steps of ``step`` seconds."""
    return STALE_AFTER * step + CLOSES_LATE
