"""What pods of a rollout said last: the canary's beside those of its stable revision."""

from __future__ import annotations

import msgspec


class LogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of one container."""

    at: str
    """As the node wrote it (RFC 3339); sorts as text."""
    pod: str
    text: str
    """Cleaned."""


class Side(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One revision."""

    version: str
    pods: tuple[str, ...] = ()
    """Those that were asked."""
    more: int = 0
    """Pods that were left out."""
    lines: tuple[LogLine, ...] = ()
    """Oldest first."""
    error: str = ""
    """Why (some of) it could not be read."""


class PodLogs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Both sides; None where there is no such revision."""

    canary: Side | None = None
    stable: Side | None = None
