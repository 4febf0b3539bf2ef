"""The few fields we keep of Rollouts, Deployments, ReplicaSets, Pods and Events, as the API spells them.

Everything else in a body is skipped while decoding. ``gc=False`` because these records hold no cycles and there are
tens of thousands of them. Fields: argo-rollouts pkg/apis/rollouts/v1alpha1/types.go, K8S apps/v1 and core/v1 types.go.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from opsroom.domain.marks import (
    CANARY_OF,
    DEED,
    FLAG,
    LANE,
    PROMOTING,
    QUEUE,
    REPLICAS,
    REQUESTED_BY,
    ROLLBACK,
    VERDICT,
)
from opsroom.kube.objects import Owner
from opsroom.sources.template_kinds import Fingerprinted


class Annotations(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The annotations that mean something here; others (last-applied-configuration!) are never kept."""

    canary_of: str = msgspec.field(name=CANARY_OF, default="")
    queue: str = msgspec.field(name=QUEUE, default="")
    requested_by: str = msgspec.field(name=REQUESTED_BY, default="")
    lane: str = msgspec.field(name=LANE, default="")
    rollback: str = msgspec.field(name=ROLLBACK, default="")
    replicas: str = msgspec.field(name=REPLICAS, default="")
    promoting: str | None = msgspec.field(name=PROMOTING, default=None)
    deed: str = msgspec.field(name=DEED, default="")
    verdict: str = msgspec.field(name=VERDICT, default="")
    flag: str = msgspec.field(name=FLAG, default="")
    author: str = msgspec.field(name="opsroom.dev/change-author", default="")
    origin: str = msgspec.field(name="opsroom.dev/change-origin", default="")
    commit: str = msgspec.field(name="opsroom.dev/change-commit", default="")
    url: str = msgspec.field(name="opsroom.dev/change-url", default="")
    revision: str = msgspec.field(name="deployment.kubernetes.io/revision", default="")
    argo_revision: str = msgspec.field(name="rollout.argoproj.io/revision", default="")
    history: str = msgspec.field(name="deployment.kubernetes.io/revision-history", default="")
    argo_history: str = msgspec.field(name="rollout.argoproj.io/revision-history", default="")
    workload_generation: str = msgspec.field(name="rollout.argoproj.io/workload-generation", default="")
    argocd: str = msgspec.field(name="argocd.argoproj.io/tracking-id", default="")
    helm: str = msgspec.field(name="meta.helm.sh/release-name", default="")


NO_ANNOTATIONS = Annotations()


class Meta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``metadata``."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: Annotations | None = None

    @property
    def notes(self) -> Annotations:
        """Annotations, never None."""
        return self.annotations or NO_ANNOTATIONS


class Hashes(msgspec.Struct, frozen=True, gc=False):
    """The labels that name a revision."""

    plain: str = msgspec.field(name="pod-template-hash", default="")
    argo: str = msgspec.field(name="rollouts-pod-template-hash", default="")


class PartMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``metadata`` of what a workload owns: there are many of them, so even less is kept."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    labels: Hashes | None = None
    annotations: Annotations | None = None
    owner_references: tuple[Owner, ...] | None = None

    @property
    def notes(self) -> Annotations:
        """Annotations, never None."""
        return self.annotations or NO_ANNOTATIONS

    @property
    def owner(self) -> str:
        """Uid of the controlling owner; empty without one."""
        for owner in self.owner_references or ():
            if owner.controller:
                return owner.uid
        return ""

    @property
    def hash(self) -> str:
        """Pod template hash, by whichever controller."""
        return "" if self.labels is None else self.labels.argo or self.labels.plain


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One of ``status.conditions``."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: datetime | None = None
    last_transition_time: datetime | None = None


class ReplicaSetSpec(msgspec.Struct, frozen=True, gc=False):
    """``spec`` of a ReplicaSet."""

    replicas: int = 1
    template: Fingerprinted = msgspec.field(default_factory=Fingerprinted)


class ReplicaSetStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status`` of a ReplicaSet; zeros are absent."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0


class ReplicaSet(msgspec.Struct, frozen=True, gc=False):
    """apps/v1 ReplicaSet."""

    metadata: PartMeta = PartMeta()
    spec: ReplicaSetSpec = msgspec.field(default_factory=ReplicaSetSpec)
    status: ReplicaSetStatus = ReplicaSetStatus()


class DeploymentSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``spec`` of a Deployment."""

    replicas: int = 1
    paused: bool = False
    template: Fingerprinted = msgspec.field(default_factory=Fingerprinted)


class DeploymentStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status`` of a Deployment; zeros are absent."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type."""
        return next((one for one in self.conditions or () if one.type == type_), None)


class Deployment(msgspec.Struct, frozen=True, gc=False):
    """apps/v1 Deployment."""

    metadata: Meta = Meta()
    spec: DeploymentSpec = msgspec.field(default_factory=DeploymentSpec)
    status: DeploymentStatus = DeploymentStatus()


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """Why a container does not run."""

    reason: str = ""


class Terminated(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How a container ended."""

    reason: str = ""
    exit_code: int = 0


class ContainerState(msgspec.Struct, frozen=True, gc=False):
    """``state`` or ``lastState`` of a container."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


NO_STATE = ContainerState()


class ContainerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One of ``containerStatuses``."""

    ready: bool = False
    restart_count: int = 0
    state: ContainerState = NO_STATE
    last_state: ContainerState = NO_STATE


class PodStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status`` of a Pod."""

    phase: str = ""
    container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(msgspec.Struct, frozen=True, gc=False):
    """core/v1 Pod."""

    metadata: PartMeta = PartMeta()
    status: PodStatus = PodStatus()


class ObjectRef(msgspec.Struct, frozen=True, gc=False):
    """``involvedObject``."""

    uid: str = ""
    kind: str = ""


class EventSeries(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``series`` of an Event."""

    last_observed_time: datetime | None = None


class KubeEvent(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """core/v1 Event."""

    metadata: PartMeta = PartMeta()
    involved_object: ObjectRef = ObjectRef()
    reason: str = ""
    message: str = ""
    type: str = ""
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None


def epoch(moment: datetime | None) -> float | None:
    """Epoch seconds."""
    return None if moment is None else moment.timestamp()
