"""The adaptive limit: half of the slots on a roll back, one more for each quiet hour.

Several roll backs within minutes halve once: one bad dependency must not close the queue. It never goes below the
policy's floor, nor above its slots.
"""

from __future__ import annotations

import math

import msgspec

from opsroom.control.entrant import QueueMemory
from opsroom.domain.queue_policy import QueuePolicy


def adapted(memory: QueueMemory, policy: QueuePolicy, rolled_back: int, now: float) -> QueueMemory:
    """The memory with the limit of now; ``rolled_back``: roll backs since the last look."""
    full = float(policy.slots)
    slots = full if memory.slots is None or not policy.adaptive else min(full, memory.slots)
    raised = memory.raised if memory.slots is not None else now
    halved = memory.halved
    if policy.adaptive and rolled_back and (halved is None or now - halved >= policy.halve_pause):
        slots, halved, raised = max(float(min(policy.floor, policy.slots)), slots / 2), now, now
    elif rolled_back:
        raised = now
    elif slots < full and now - raised >= policy.recover_seconds:
        steps = math.floor((now - raised) / policy.recover_seconds)
        slots, raised = min(full, slots + steps), raised + steps * policy.recover_seconds
    return msgspec.structs.replace(memory, slots=slots, raised=raised, halved=halved)


def limit_now(memory: QueueMemory, policy: QueuePolicy) -> int:
    """Slots over all now; 0 where the policy has no limit."""
    if not policy.slots:
        return 0
    return max(1, math.floor(memory.slots if memory.slots is not None else policy.slots))
