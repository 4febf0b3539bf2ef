"""One rollout as the queue sees it, and what the queue remembers between two ticks."""

from __future__ import annotations

import msgspec

from opsroom.domain.queue import Lane
from opsroom.domain.rollout import Rollout, Uid


class Entrant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rollout that runs, or is held and waits."""

    rollout: Rollout
    since: float | None = None
    """When its change was written, as far as the cluster tells (epoch seconds)."""
    lane: Lane | None = None
    """The lane that was asked for; ``rollback`` only where our own mark of a roll back stands on the change."""
    may_hotfix: bool = False
    """The requester has the right ``create hotfixes.opsroom.dev``."""
    quarantined: bool = False
    asked: float | None = None
    """Since when it has waited for a person to decide (epoch seconds)."""
    kept: bool = False
    """A person holds it."""
    gated: bool = False
    """It waits at a gate of ours before its start: it is held by our "not now" alone, and goes on by our yes."""
    late: bool = False
    """Nothing holds it at admission: it may have to be held when it has begun."""
    requester: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is remembered of one rollout in the queue. Times are epoch seconds."""

    since: float
    version: str
    superseded: str = ""
    running: bool = False
    admitted: float | None = None
    """When its release was begun, while it still looks held."""
    holding: float | None = None
    """When a late hold was begun, while it still looks running."""


class QueueMemory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that the queue remembers; learned again from the cluster but for ages and lengths."""

    begun: float | None = None
    places: dict[Uid, Place] = {}
    slots: float | None = None
    """The adaptive limit; None before the first look."""
    raised: float = 0.0
    halved: float | None = None
    lengths: dict[str, tuple[float, ...]] = {}
    """Seconds that the last rollouts of a service took, newest last."""
    services: dict[Uid, str] = {}
    """Service of each that ran at the last look."""
    forecasts: dict[Uid, tuple[float, float]] = {}
    forecast_at: float = 0.0


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What the queue wants done now; the picture itself is in the entries."""

    release: tuple[Uid, ...] = ()
    """Held ones that may go now; each is named once, and again when its release did not come about."""
    hold: tuple[Uid, ...] = ()
    """Running ones that have just begun without a slot (only such as nothing holds at admission)."""


def service_of(rollout: Rollout) -> str:
    """The service that a rollout belongs to: one of it runs at a time."""
    name = rollout.labels.get("app.kubernetes.io/name") or rollout.name
    return f"{rollout.namespace}/{name}"
