"""The deploy queue as it is shown: who waits, in which lane, for what, and until when."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opsroom.domain.rollout import Uid


class Lane(StrEnum):
    """Order of admission; a higher lane goes first."""

    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    NORMAL = "normal"
    BATCH = "batch"


class QueueState(StrEnum):
    """What the queue as a whole does."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    FROZEN = "frozen"
    OFF = "off"


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rollout in the queue: running in a slot, or waiting for one."""

    uid: Uid
    lane: Lane
    since: float
    """Epoch seconds at which it was first seen waiting (or running)."""
    running: bool = False
    position: int = 0
    """0 for the next one; meaningless while running."""
    waits_for: str = ""
    """Name of the limit that is used up."""
    held_by: Uid | None = None
    eta_p50: float | None = None
    eta_p90: float | None = None
    """Epoch seconds."""


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The queue at one moment."""

    state: QueueState = QueueState.RUNNING
    limit: int = 0
    """Slots over all; 0 means no limit."""
    entries: tuple[QueueEntry, ...] = ()
