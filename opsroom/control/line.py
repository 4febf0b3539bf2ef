"""One tick of the queue at work: who runs, who waits for what, and the slots they share.

Split out so that admission and its picture speak of the same thing. It decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from opsroom.control.entrant import Entrant, Place
from opsroom.control.slots import Key, Slots
from opsroom.domain.queue import Lane, QueueState, WaitReason
from opsroom.domain.queue_policy import QueuePolicy
from opsroom.domain.rollout import Uid
from opsroom.domain.window import Window

Item = tuple[Entrant, Lane, list[Key]]
"""A rollout, its lane, and the limits that count for it."""


@dataclass(slots=True)
class Line:
    """One tick's working state."""

    policy: QueuePolicy
    now: float
    state: QueueState
    slots: Slots
    windows: list[tuple[Window, float]]
    places: dict[Uid, Place]
    may_release: bool = True
    release: list[Uid] = field(default_factory=list)
    hold: list[Uid] = field(default_factory=list)
    running: list[Item] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """What one rollout waits for."""

    why: WaitReason
    name: str = ""
    key: Key | None = None
    until: float | None = None
