"""The few fields we keep of an Argo Rollout, as its CRD spells them.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/types.go. ``observedGeneration`` is text there; counts that are zero
and flags that are false are absent.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from opsroom.domain.rollout import Step
from opsroom.sources.argo_steps import NOTHING, plan
from opsroom.sources.kinds import Condition, Meta
from opsroom.sources.template_kinds import PodTemplate


class Present(msgspec.Struct, frozen=True, gc=False):
    """An object of which only the presence counts."""


class Canary(msgspec.Struct, rename="camel", gc=False):
    """``strategy.canary``."""

    canary_service: str = ""
    stable_service: str = ""
    steps: msgspec.Raw = NOTHING
    """Emptied once ``plan`` is made of it."""
    traffic_routing: Present | None = None
    plan: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        self.plan = plan(bytes(self.steps))
        self.steps = NOTHING


class Strategy(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``strategy``."""

    canary: Canary | None = None
    blue_green: Present | None = None


NO_STRATEGY = Strategy()


class WorkloadRef(msgspec.Struct, frozen=True, gc=False):
    """``workloadRef``."""

    kind: str = ""
    name: str = ""


class RolloutSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``spec``."""

    replicas: int | None = None
    paused: bool = False
    restart_at: str | None = None
    template: PodTemplate = PodTemplate()
    workload_ref: WorkloadRef | None = None
    strategy: Strategy = NO_STRATEGY


class PauseCondition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One of ``pauseConditions``."""

    reason: str = ""
    start_time: datetime | None = None


class Weight(msgspec.Struct, frozen=True, gc=False):
    """One destination."""

    weight: int = 0


class Weights(msgspec.Struct, frozen=True, gc=False):
    """``status.canary.weights``; only with traffic routing."""

    canary: Weight | None = None


class RunStatus(msgspec.Struct, frozen=True, gc=False):
    """What the Rollout's status says of an AnalysisRun."""

    name: str = ""
    status: str = ""
    message: str = ""


class CanaryStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status.canary``."""

    weights: Weights | None = None
    current_step_analysis_run_status: RunStatus | None = None
    current_background_analysis_run_status: RunStatus | None = None


class BlueGreenStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status.blueGreen``; the selector is a hash."""

    active_selector: str = ""
    pre_promotion_analysis_run_status: RunStatus | None = None
    post_promotion_analysis_run_status: RunStatus | None = None


NO_CANARY = CanaryStatus()
NO_BLUE_GREEN = BlueGreenStatus()


class RolloutStatus(msgspec.Struct, rename="camel", gc=False):
    """``status``; of its conditions only those that decide the phase are kept."""

    phase: str = ""
    message: str = ""
    observed_generation: str = ""
    workload_observed_generation: str = ""
    current_pod_hash: str = ""
    stable_rs: str = msgspec.field(name="stableRS", default="")
    current_step_index: int | None = None
    pause_conditions: tuple[PauseCondition, ...] | None = None
    controller_pause: bool = False
    abort: bool = False
    promote_full: bool = False
    restarted_at: str | None = None
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None
    canary: CanaryStatus = NO_CANARY
    blue_green: BlueGreenStatus = NO_BLUE_GREEN

    def __post_init__(self) -> None:
        self.conditions = tuple(one for one in self.conditions or () if telling(one)) or None


def telling(condition: Condition) -> bool:
    """Whether ``condition`` can decide a phase (argo-rollouts utils/rollout/rolloututil.go)."""
    failed = condition.reason in ("RolloutAborted", "ProgressDeadlineExceeded")
    return failed or (condition.type == "InvalidSpec" and condition.status == "True")


class ArgoRollout(msgspec.Struct, frozen=True, gc=False):
    """argoproj.io/v1alpha1 Rollout."""

    metadata: Meta = Meta()
    spec: RolloutSpec = RolloutSpec()
    status: RolloutStatus = msgspec.field(default_factory=RolloutStatus)
