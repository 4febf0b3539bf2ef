"""What one tick of Flagger looks at and can say: its Canary and target as they were when the tick began.

Source: fluxcd/flagger pkg/controller/scheduler.go. It must not know the order of a tick (``flagger_tick``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opsroom.simulator.controllers import flagger_status as status
from opsroom.simulator.controllers.changes import Note, Status, key_of
from opsroom.simulator.controllers.flagger_hooks import analysis
from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of, status_of
from opsroom.simulator.controllers.template_hash import template_hash

COMPONENT = "flagger"
ALL = 100

Get = Callable[[str, str, str], Obj | None]
"""The object of a resource, namespace and name, as the store has it now."""

Mesh = dict[tuple[str, str], int]
"""The percent that the router really sends to the canary, by its namespace and name: status does not always tell."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One Canary at one moment."""

    canary: Obj
    target: Obj
    get: Get
    mesh: Mesh
    now: float

    @property
    def name(self) -> str:
        return name_of(self.canary)

    @property
    def namespace(self) -> str:
        return namespace_of(self.canary)

    @property
    def phase(self) -> str:
        return str(status_of(self.canary).get("phase") or "")

    @property
    def analysis(self) -> Obj:
        return analysis(self.canary)

    @property
    def skipping(self) -> bool:
        return bool(self.canary["spec"].get("skipAnalysis"))

    @property
    def fresh(self) -> Obj:
        """The Canary as it is stored now; the tick's own copy where it is gone."""
        return self.get("canaries", self.namespace, self.name) or self.canary

    @property
    def weight(self) -> int:
        """Percent of traffic that the mesh sends to the canary."""
        return self.mesh.get((self.namespace, self.name), 0)

    @property
    def highest(self) -> int:
        steps = self.analysis.get("stepWeights") or []
        return min(ALL, int(steps[-1])) if steps else int(self.analysis.get("maxWeight") or ALL)

    @property
    def failures_allowed(self) -> int:
        return max(1, int(self.analysis.get("threshold") or 0))

    @property
    def applied(self) -> str:
        return template_hash(self.target["spec"]["template"])

    @property
    def full(self) -> str:
        return f"{self.name}.{self.namespace}"

    @property
    def workload(self) -> str:
        return f"{name_of(self.target)}.{self.namespace}"

    def threshold(self, name: str) -> int:
        return int(self.analysis.get(name) or ALL)

    def next_step(self) -> int:
        step, steps = int(self.analysis.get("stepWeight") or 0), self.analysis.get("stepWeights") or []
        if step > 0 or not steps:
            return step
        left = ALL - self.weight
        if left == 0:
            return 1
        higher = [int(weight) for weight in steps if int(weight) > self.weight]
        return min(left, higher[0] - self.weight) if higher else left

    def route(self, weight: int) -> None:
        self.mesh[self.namespace, self.name] = weight

    def into(self, phase: str) -> Status:
        return self.write(status.in_phase(self.fresh, phase, int(self.analysis.get("iterations") or 0), self.now))

    def write(self, value: Obj) -> Status:
        return Status(key_of("canaries", self.canary), value)

    def note(self, message: str) -> Note:
        return Note(self.canary, COMPONENT, "Normal", "Synced", message)

    def warn(self, message: str) -> Note:
        return Note(self.canary, COMPONENT, "Warning", "Synced", message)
