"""The part of the policy about calling people: how often they are told of one and the same flag."""

from __future__ import annotations

import msgspec

REPEAT_RANGE = (60.0, 24 * 3600.0)
"""Seconds: more often than once a minute wakes nobody better, more rarely than once a day nobody at all."""


class NoticePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """When people are called outside the board, by whatever addresses the worker has."""

    repeat: float = 0.0
    """Seconds after which a flag that nobody has taken is told again; 0: it is told once."""


def notice_faults(policy: NoticePolicy) -> list[tuple[str, str]]:
    """Every value outside the hard bounds, as (key, the bound in words)."""
    if policy.repeat and not REPEAT_RANGE[0] <= policy.repeat <= REPEAT_RANGE[1]:
        return [("notices: repeat", "0 (once), or 60 s to 24 h")]
    return []
