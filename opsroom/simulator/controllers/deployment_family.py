"""A Deployment with its ReplicaSets, told apart as its controller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.simulator.controllers.changes import Note
from opsroom.simulator.controllers.objects import Obj, desired_replicas, name_of
from opsroom.simulator.controllers.replica_counts import Fence, fence
from opsroom.simulator.controllers.template_hash import bare_template

COMPONENT = "deployment-controller"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


@dataclass(frozen=True, slots=True)
class Family:
    """A Deployment with the ReplicaSets it controls, the one of its present template told apart."""

    deployment: Obj
    new: Obj | None
    old: tuple[Obj, ...]  # oldest first

    @property
    def every(self) -> tuple[Obj, ...]:
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def wanted(self) -> int:
        return desired_replicas(self.deployment)

    @property
    def limits(self) -> Fence:
        strategy = self.deployment["spec"].get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return Fence(0, 0)
        rolling = strategy.get("rollingUpdate") or {}
        return fence(self.wanted, rolling.get("maxSurge"), rolling.get("maxUnavailable"))


def family_of(deployment: Obj, replica_sets: Sequence[Obj]) -> Family:
    """Sort the ReplicaSets; of several with the present template the oldest is the new one."""
    template = bare_template(deployment["spec"]["template"])
    by_age = sorted(replica_sets, key=lambda one: (one["metadata"]["creationTimestamp"], name_of(one)))
    new = next((one for one in by_age if bare_template(one["spec"]["template"]) == template), None)
    return Family(deployment, new, tuple(one for one in by_age if one is not new))


def scaled_note(family: Family, name: str, before: int, after: int) -> Note:
    """The Event of one scaling."""
    word = "up" if after > before else "down"
    text = f"Scaled {word} replica set {name} from {before} to {after}"
    return Note(family.deployment, COMPONENT, "Normal", "ScalingReplicaSet", text)
