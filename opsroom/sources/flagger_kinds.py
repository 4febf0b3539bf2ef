"""The few fields we keep of a Flagger Canary, as its CRD spells them.

Source: fluxcd/flagger pkg/apis/flagger/v1beta1 (canary.go, status.go). Defaults stand in its code, not in the CRD:
``analysis.interval`` is 60 s and never under 10 s, ``canaryAnalysis`` is the old name of ``analysis``.
"""

from __future__ import annotations

import msgspec

from opsroom.sources.kinds import Condition, Meta


class TargetRef(msgspec.Struct, frozen=True, gc=False):
    """``targetRef``."""

    kind: str = ""
    name: str = ""


class Webhook(msgspec.Struct, frozen=True, gc=False):
    """One of ``webhooks``; its metadata may hold a secret and is never kept."""

    type: str = ""
    url: str = ""


class Analysis(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``analysis``."""

    interval: str = ""
    max_weight: int = 0
    step_weight: int = 0
    step_weights: tuple[int, ...] | None = None
    iterations: int = 0
    webhooks: tuple[Webhook, ...] | None = None


class CanaryService(msgspec.Struct, frozen=True, gc=False):
    """``service``."""

    name: str = ""


class CanarySpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``spec``."""

    target_ref: TargetRef = TargetRef()
    provider: str = ""
    service: CanaryService = CanaryService()
    analysis: Analysis | None = None
    canary_analysis: Analysis | None = None
    suspend: bool = False

    @property
    def checks(self) -> Analysis:
        """The analysis, under whichever name; an empty one where there is none."""
        return self.analysis or self.canary_analysis or NO_ANALYSIS


NO_ANALYSIS = Analysis()


class CanaryStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``status``."""

    phase: str = ""
    canary_weight: int = 0
    iterations: int = 0
    last_applied_spec: str = ""
    last_promoted_spec: str = ""
    tracked_configs: dict[str, str] | None = None
    conditions: tuple[Condition, ...] | None = None

    @property
    def promoted(self) -> Condition | None:
        """Its one condition: the reason is the phase, ``lastUpdateTime`` when that began."""
        return next((one for one in self.conditions or () if one.type == "Promoted"), None)


class FlaggerCanary(msgspec.Struct, frozen=True, gc=False):
    """flagger.app/v1beta1 Canary."""

    metadata: Meta = Meta()
    spec: CanarySpec = CanarySpec()
    status: CanaryStatus = CanaryStatus()

    @property
    def target(self) -> str:
        """Name of the Deployment it drives; empty for targets of other kinds."""
        reference = self.spec.target_ref
        return reference.name if reference.kind == "Deployment" else ""
