"""What the queue admits: limits by label selector, lanes, ageing, freeze windows and the adaptive limit.

Every waiting rollout is admitted in the end: lanes are head starts in time, not walls, so a batch change that has
waited long enough goes before a fresh one of the normal lane.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.window import Window, fault

SERVICE = "service"
"""Name of the limit that always holds: one running rollout a service."""

GLOBAL = "global"


class Limit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """At most ``slots`` rollouts at once among those that ``match`` selects."""

    name: str
    slots: int
    match: dict[str, str] = {}
    """As in a policy row; empty: all."""
    by: str = ""
    """A label (or ``namespace``): each of its values has ``slots`` of its own."""


class LaneRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Puts rollouts into the batch lane by label; the hotfix lane is a right, never a label."""

    match: dict[str, str]
    lane: str = "batch"
    """``normal`` or ``batch``."""


class QueuePolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole of it."""

    slots: int = 0
    """Over all; 0 means no limit."""
    limits: tuple[Limit, ...] = ()
    lanes: tuple[LaneRule, ...] = ()
    windows: tuple[Window, ...] = ()
    hotfix_slots: int = 1
    """Slots of the hotfix lane, beside all others."""
    head_start: float = 7200.0
    """Seconds that the normal lane is ahead of the batch lane; ageing makes them up."""
    adaptive: bool = True
    """Halve ``slots`` on a roll back, give one back each ``recover_seconds`` without one."""
    floor: int = 1
    recover_seconds: float = 3600.0
    halve_pause: float = 300.0
    """Seconds in which several roll backs halve only once: they may have one cause."""
    person_seconds: float = 900.0
    """A rollout that has waited for a person so long stands still and gives its slot back (but its service's)."""
    typical_seconds: float = 600.0
    """Length of a rollout as long as none of that service was seen, for forecasts."""


def queue_faults(policy: QueuePolicy) -> list[tuple[str, str]]:
    """Every value that makes no sense, as (key, the bound in words)."""
    bad: list[tuple[str, str]] = []
    for key, good, words in (
        ("slots", policy.slots >= 0, "0 (no limit) or more"),
        ("hotfix_slots", policy.hotfix_slots >= 1, "at least 1"),
        ("head_start", policy.head_start >= 0, "not negative"),
        ("floor", policy.floor >= 1, "at least 1"),
        ("recover_seconds", policy.recover_seconds > 0, "more than 0"),
        ("halve_pause", policy.halve_pause >= 0, "not negative"),
        ("person_seconds", policy.person_seconds >= 0, "not negative"),
        ("typical_seconds", policy.typical_seconds > 0, "more than 0"),
    ):
        if not good:
            bad.append((f"queue: {key}", words))
    names = [limit.name for limit in policy.limits]
    shown = (*names, *(window.name for window in policy.windows))
    bad += [("queue", f"named on one printable line (not {name!r})") for name in shown if name != clean(name)]
    for limit in policy.limits:
        if limit.slots < 1:
            bad.append(("queue: limits", f"at least 1 slot in {limit.name!r}"))
        if limit.name in (SERVICE, GLOBAL) or names.count(limit.name) > 1:
            bad.append(("queue: limits", f"named each by its own name, not {limit.name!r}"))
    wrong = [rule.lane for rule in policy.lanes if rule.lane not in ("normal", "batch")]
    bad += [("queue: lanes", f"normal or batch (not {lane!r})") for lane in wrong]
    for window in policy.windows:
        why = fault(window)
        if why:
            bad.append(("queue: windows", f"right in {window.name!r}: {why}"))
    return bad
