"""The queue over time, for tests: what the cluster shows goes in, what is admitted comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from opsroom.control.entrant import Admission, Entrant, QueueMemory
from opsroom.control.queue import admit
from opsroom.domain.queue import Queue, QueueEntry, QueueState
from opsroom.domain.queue_policy import QueuePolicy
from opsroom.domain.rollout import Phase, Revision, Rollout
from tests.control.conftest import NOW, rollout


def one(uid: str, *, held: bool = True, version: str = "new", **changes: Any) -> Rollout:
    """A rollout of the service ``uid``, held or running."""
    phase = Phase.HELD if held else Phase.PROGRESSING
    fields = {"name": uid, "phase": phase, "held": held, "canary": Revision(hash=version), "pause": None, "step": 0}
    return rollout(uid, **(fields | changes))


@dataclass
class Door:
    """The queue over time; ``there`` is what the cluster shows."""

    policy: QueuePolicy = field(default_factory=QueuePolicy)
    now: float = NOW
    memory: QueueMemory = field(default_factory=QueueMemory)
    state: QueueState = QueueState.RUNNING
    late: bool = False
    may_release: bool = True
    there: dict[str, Entrant] = field(default_factory=dict)
    queue: Queue = field(default_factory=Queue)

    def put(self, *rollouts: Rollout, **changes: Any) -> None:
        """Show these rollouts."""
        for found in rollouts:
            self.there[found.uid] = Entrant(rollout=found, late=self.late, **changes)

    def look(self, seconds: float = 0.0, rolled_back: int = 0) -> Admission:
        """One tick after ``seconds``."""
        self.now += seconds
        self.queue, admission, self.memory = admit(
            list(self.there.values()),
            self.policy,
            self.memory,
            self.now,
            state=self.state,
            rolled_back=rolled_back,
            may_release=self.may_release,
        )
        return admission

    def go(self, admission: Admission) -> None:
        """What was released runs, what was held late is held."""
        for uid in admission.release:
            seen = self.there[uid].rollout
            self.put(msgspec.structs.replace(seen, phase=Phase.PROGRESSING, held=False))
        for uid in admission.hold:
            self.put(msgspec.structs.replace(self.there[uid].rollout, held=True))

    def end(self, uid: str) -> None:
        """That rollout is over."""
        seen = self.there[uid].rollout
        self.put(msgspec.structs.replace(seen, phase=Phase.HEALTHY, canary=None, held=False))

    def entry(self, uid: str) -> QueueEntry:
        """What is shown of it."""
        return next(entry for entry in self.queue.entries if entry.uid == uid)
