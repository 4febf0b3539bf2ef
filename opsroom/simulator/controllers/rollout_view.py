"""One Argo Rollout with everything a reconcile looks at, and the questions all its parts ask.

Nothing here decides; see `rollout` for the order of things. Fields: argo-rollouts
pkg/apis/rollouts/v1alpha1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.simulator.controllers.objects import (
    Obj,
    desired_replicas,
    labels_of,
    name_of,
    status_of,
)
from opsroom.simulator.controllers.replica_counts import Fence, fence
from opsroom.simulator.controllers.revisions import Revisions
from opsroom.simulator.controllers.template_hash import ROLLOUT_HASH_LABEL, bare_template, steps_hash, template_hash

COMPONENT = "rollouts-controller"
REVISION = "rollout.argoproj.io/revision"
_FORMER = "rollout.argoproj.io/revision-history"
DESIRED = "rollout.argoproj.io/desired-replicas"
REVISIONS = Revisions(
    ROLLOUT_HASH_LABEL,
    REVISION,
    _FORMER,
    DESIRED,
    frozenset({"kubectl.kubernetes.io/last-applied-configuration", REVISION, _FORMER, DESIRED}),
)
SCALE_DOWN_DEADLINE = "scale-down-deadline"
CANARY_PAUSE = "CanaryPauseStep"
BLUE_GREEN_PAUSE = "BlueGreenPause"
INCONCLUSIVE_PAUSE = "InconclusiveAnalysisRun"


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A Rollout, the ReplicaSets and AnalysisRuns it controls, the Services of its namespace by name."""

    rollout: Obj
    new: Obj | None  # of the present template
    stable: Obj | None  # named by status.stableRS
    others: tuple[Obj, ...]
    runs: tuple[Obj, ...]
    services: Mapping[str, Obj]
    now: float

    @property
    def status(self) -> Obj:
        return status_of(self.rollout)

    @property
    def canary(self) -> Obj:
        """`spec.strategy.canary`, empty for blue-green."""
        return self.rollout["spec"].get("strategy", {}).get("canary") or {}

    @property
    def blue_green(self) -> Obj | None:
        found: Obj | None = self.rollout["spec"].get("strategy", {}).get("blueGreen")
        return found

    @property
    def steps(self) -> list[Obj]:
        return self.canary.get("steps") or []

    @property
    def step_index(self) -> int | None:
        """`status.currentStepIndex` held inside the list; None without steps; absent counts as 0."""
        if not self.steps:
            return None
        return max(0, min(int(self.status.get("currentStepIndex") or 0), len(self.steps)))

    @property
    def step(self) -> Obj | None:
        """The current step, None when all are done."""
        index = self.step_index
        return None if index is None or index >= len(self.steps) else self.steps[index]

    @property
    def routed(self) -> bool:
        return bool(self.canary.get("trafficRouting"))

    @property
    def wanted(self) -> int:
        return desired_replicas(self.rollout)

    @property
    def limits(self) -> Fence:
        return fence(self.wanted, self.canary.get("maxSurge"), self.canary.get("maxUnavailable"))

    @property
    def pod_hash(self) -> str:
        """The hash of the present template."""
        if self.new is not None:
            return str(labels_of(self.new)[ROLLOUT_HASH_LABEL])
        return template_hash(self.rollout["spec"]["template"])

    @property
    def stable_hash(self) -> str:
        return str(self.status.get("stableRS") or "")

    @property
    def every(self) -> tuple[Obj, ...]:
        """All ReplicaSets, each once."""
        both = [one for one in (self.new, self.stable) if one is not None]
        if len(both) == 2 and name_of(both[0]) == name_of(both[1]):
            both.pop()
        return (*both, *self.others)

    @property
    def is_stable(self) -> bool:
        """Whether the present template is the fully promoted one."""
        return bool(self.stable_hash) and self.pod_hash == self.stable_hash

    @property
    def paused_by_user(self) -> bool:
        return bool(self.rollout["spec"].get("paused"))

    @property
    def pause_reasons(self) -> list[str]:
        return [str(one["reason"]) for one in self.status.get("pauseConditions") or ()]

    @property
    def resumed(self) -> bool:
        """A human took the pause conditions away and the controller has not caught up."""
        return bool(self.status.get("controllerPause")) and not self.status.get("pauseConditions")

    @property
    def template_or_steps_changed(self) -> bool:
        known, steps = self.status.get("currentPodHash"), self.status.get("currentStepHash")
        return bool(known and known != self.pod_hash) or bool(steps and steps != steps_hash(self.steps))


def view_of(
    rollout: Obj,
    replica_sets: Sequence[Obj],
    runs: Sequence[Obj],
    services: Mapping[str, Obj],
    now: float,
) -> RolloutView:
    """Tell the ReplicaSets apart: of the present template, stable, the rest (oldest first)."""
    template = bare_template(rollout["spec"]["template"])
    stable_hash = status_of(rollout).get("stableRS")
    by_age = sorted(replica_sets, key=lambda one: (one["metadata"]["creationTimestamp"], name_of(one)))
    new = next((one for one in by_age if bare_template(one["spec"]["template"]) == template), None)
    stable = next((one for one in by_age if labels_of(one).get(ROLLOUT_HASH_LABEL) == stable_hash), None)
    others = tuple(one for one in by_age if one is not new and one is not stable)
    return RolloutView(rollout, new, stable, others, tuple(runs), services, now)


def set_weight(view: RolloutView, *, aborted: bool) -> int:
    """The weight that the steps ask for now, in percent (sheet a.5: SetWeight)."""
    if aborted:
        return 0
    index = view.step_index
    if index is None or index >= len(view.steps) or view.is_stable or not view.stable_hash:
        return 100
    if view.status.get("promoteFull"):
        return 100
    done = [int(step["setWeight"]) for step in view.steps[: index + 1] if "setWeight" in step]
    return done[-1] if done else 0


def duration_seconds(value: Any) -> float:
    """A pause duration: a number of seconds, or Go text such as "90s", "5m", "1h30m"."""
    if isinstance(value, (int, float)):
        return float(value)
    if str(value).isdigit():
        return float(value)
    seconds, number = 0.0, ""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    for letter in str(value):
        if letter in units:
            seconds += float(number or 0) * units[letter]
            number = ""
        else:
            number += letter
    return seconds
