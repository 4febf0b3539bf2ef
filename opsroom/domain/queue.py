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


class WaitReason(StrEnum):
    """Why something waits; ``view`` has a sentence for each."""

    SLOT = "slot"
    """``waits_for`` is used up; ``held_by`` is the one whose end is expected first."""
    WINDOW = "window"
    """Freeze window ``waits_for`` is open until ``until``."""
    STATE = "state"
    """The queue is paused, draining or frozen."""
    QUARANTINE = "quarantine"
    """This version was rolled back automatically; a person has to release it."""
    PERSON = "person"
    """A person holds it, and a person has to release it."""
    DECIDER = "decider"
    """Nothing stands in its way; whoever decides here has to release it."""


class QueueState(StrEnum):
    """What the queue as a whole does."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    FROZEN = "frozen"
    OFF = "off"


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One rollout in the queue: running in a slot, or waiting for one."""

    uid: Uid
    lane: Lane
    since: float
    """Epoch seconds at which it was first seen waiting (or running)."""
    running: bool = False
    position: int = 0
    """0 for the next one; meaningless while running."""
    why: WaitReason | None = None
    waits_for: str = ""
    """Name of the limit that is used up (``global``, ``service`` or one of the policy's), or of the window."""
    held_by: Uid | None = None
    until: float | None = None
    """Epoch seconds at which the window ends, or ``held_by`` is expected to."""
    superseded: str = ""
    """Version that this one replaced while it waited; the age was kept."""
    requester: str = ""
    late_pods: int = 0
    """Canary pods that had already started when a hold without admission policy came."""
    eta_p50: float | None = None
    """Epoch seconds at which it is expected to start; while running, to end if it takes as long as usual."""
    eta_p90: float | None = None
    """Epoch seconds before which it starts 9 in 10 times."""


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The queue at one moment."""

    state: QueueState = QueueState.RUNNING
    limit: int = 0
    """Slots over all, as the adaptive limit has them now; 0 means no limit."""
    full_limit: int = 0
    """Slots over all as the policy has them."""
    windows: tuple[str, ...] = ()
    """Names of the freeze windows that are open."""
    hold_missing: bool = False
    """Nothing is held at admission here: holds come late."""
    nobody: bool = False
    """No namespace takes part: nothing new is held, whatever the state."""
    waiting: int = 0
    running: int = 0
    entries: tuple[QueueEntry, ...] = ()
    """Empty in the room of a feed: each row carries its own."""
