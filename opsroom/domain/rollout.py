"""A rollout: one workload on its way from a stable revision to a canary, whatever engine drives it.

Engines differ (an Argo Rollout, a Flagger Canary, a pair of Deployments, a paused rolling update); the record does
not. It holds what is shown and decided on. The raw object stays in ``sources``; ``delivery`` reads it afresh before
it writes, so nothing here is trusted for a write but ``uid``, ``canary.hash`` and ``step`` as preconditions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

import msgspec

Uid = NewType("Uid", str)
"""``metadata.uid`` of the object a deed would patch; survives renames of nothing, dies with the object."""


class Engine(StrEnum):
    """What drives a rollout."""

    ARGO = "argo"
    FLAGGER = "flagger"
    DEPLOYMENT = "deployment"


class Shape(StrEnum):
    """How the new revision meets traffic."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"
    PAIR = "pair"
    ROLLING = "rolling"


class Phase(StrEnum):
    """Where the rollout stands, in one word for all engines."""

    OBSERVING = "observing"
    """A spec change is stored, its controller has not seen it yet: no deed may be sent."""
    HELD = "held"
    """In the queue, not started: paused by the hold, no canary pod exists."""
    PROGRESSING = "progressing"
    PAUSED = "paused"
    HEALTHY = "healthy"
    """Fully promoted, nothing under way."""
    ABORTED = "aborted"
    """Traffic is back on stable, but the spec still names the canary."""
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class StepKind(StrEnum):
    """Kinds of steps, named as Argo Rollouts names them."""

    WEIGHT = "setWeight"
    PAUSE = "pause"
    ANALYSIS = "analysis"
    EXPERIMENT = "experiment"
    SCALE = "setCanaryScale"
    HEADER = "setHeaderRoute"
    MIRROR = "setMirrorRoute"
    PLUGIN = "plugin"


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the plan."""

    kind: StepKind
    weight: int | None = None
    """Percent, for ``setWeight``."""
    seconds: float | None = None
    """Length of a pause; None means until somebody promotes."""
    name: str = ""
    """Of the plugin, route or template."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A pod that restarts or does not start."""

    pod: str
    reason: str = ""
    """The kubelet's word for why its containers wait or last ended (``CrashLoopBackOff``, ``OOMKilled``)."""
    restarts: int = 0
    ready: bool = False


class Analysis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One of the engine's own analysis runs."""

    name: str
    status: str
    """Argo's word: ``Pending``, ``Running``, ``Successful``, ``Failed``, ``Inconclusive``, ``Error``."""
    message: str = ""
    stage: str = ""
    """``step``, ``background``, ``before`` or ``after`` the switch (blue-green)."""


class Revision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of the workload's pods."""

    hash: str
    """Pod template hash; a held or unobserved revision may have none yet (empty)."""
    replica_set: str = ""
    """Name of the ReplicaSet; its pods are called ``replica_set-xxxxx``: the join to metrics."""
    images: tuple[str, ...] = ()
    version: str = ""
    """The word people use: ``app.kubernetes.io/version``, else the image tag."""
    number: int | None = None
    replicas: int = 0
    ready: int = 0
    restarts: int = 0
    troubles: tuple[Trouble, ...] = ()
    """The worst of its pods, those with most restarts first; empty while all is well."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who changed what, as far as labels and annotations tell."""

    author: str = ""
    commit: str = ""
    origin: str = ""
    """``human``, ``ai`` or empty when nobody said."""
    url: str = ""


class Pause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a rollout stands still."""

    step: bool = False
    """At a pause step (Argo ``CanaryPauseStep``, ``BlueGreenPause``)."""
    inconclusive: bool = False
    """An analysis could not tell (Argo ``Inconclusive…``)."""
    user: bool = False
    """``spec.paused`` is true."""
    since: float | None = None
    """Epoch seconds."""
    until: float | None = None
    """Epoch seconds at which a timed pause ends by itself."""


class Rollout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One workload and its present change."""

    uid: Uid
    engine: Engine
    shape: Shape
    namespace: str
    name: str
    phase: Phase
    message: str = ""
    """The controller's own words, cleaned."""
    labels: dict[str, str] = {}
    stable: Revision | None = None
    canary: Revision | None = None
    """None when nothing is under way."""
    steps: tuple[Step, ...] = ()
    step: int | None = None
    """0-based; ``len(steps)`` when all are done; None where the engine has no steps."""
    weight: int = 0
    """Percent of traffic (or of pods) the canary really has."""
    pause: Pause | None = None
    promote_full: bool = False
    """A full promotion is in force: an abort has to clear it."""
    started: float | None = None
    """Epoch seconds at which the present canary began."""
    resource_version: str = ""
    owner: str = ""
    """GitOps owner ("argocd", "flux", "helm"), empty when none was found."""
    change: Change = Change()
    held: bool = False
    """The queue's mark stands on the object."""
    stable_name: str = ""
    """Name of the partner object: the stable Deployment of a pair, Flagger's target."""
    analyses: tuple[Analysis, ...] = ()
    """The engine's own analysis runs of the present change."""
    gates: tuple[str, ...] = ()
    """Flagger: types of the hooks that opsroom answers, sorted."""
    gates_served: bool = False
    """A worker is there to answer them; said by the worker, nobody sees it on the object."""

    @property
    def under_way(self) -> bool:
        """A canary takes, or is about to take, traffic and may be promoted or rolled back.

        A degraded rollout that was not aborted counts: its canary still takes traffic and must be stoppable.
        """
        return self.canary is not None and self.phase in _UNDER_WAY

    @property
    def idle(self) -> bool:
        """The queue has stopped it after its first pods and before its first request: nothing can be seen of it."""
        return self.under_way and self.held and self.weight == 0

    @property
    def key(self) -> str:
        """``namespace/name``, unique within a kind, for people and logs."""
        return f"{self.namespace}/{self.name}"


_UNDER_WAY = frozenset((Phase.PROGRESSING, Phase.PAUSED, Phase.OBSERVING, Phase.DEGRADED))
