"""An Argo Rollout, its ReplicaSets and pods as a domain rollout. Pure.

The phase follows GetRolloutPhase (utils/rollout/rolloututil.go), the weight info.ActualWeight
(pkg/kubectl-argo-rollouts/info/rollout_info.go). Argo has no Aborted phase: ours comes from ``status.abort`` or the
condition that an abort leaves.
"""

from __future__ import annotations

from opsroom.domain.clean import clean
from opsroom.domain.masking import said
from opsroom.domain.rollout import Analysis, Engine, Pause, Phase, Rollout, Shape, Step, StepKind, Uid
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.argo_phase import aborted, phase, unobserved
from opsroom.sources.kinds import Deployment, ReplicaSet, epoch
from opsroom.sources.provenance import change, held, labels, owner
from opsroom.sources.revisions import Parts, with_trouble


def argo_rollout(rollout: ArgoRollout, parts: Parts, workload: Deployment | None = None) -> Rollout:
    """``rollout`` with what it owns; ``workload`` is the Deployment its ``workloadRef`` names."""
    status, spec, meta = rollout.status, rollout.spec, rollout.metadata
    current = parts.with_hash(status.current_pod_hash)
    moving = bool(status.stable_rs) and status.current_pod_hash != status.stable_rs
    stable = parts.with_hash(status.stable_rs) if status.stable_rs else current
    steps = spec.strategy.canary.plan if spec.strategy.canary is not None else ()
    step = status.current_step_index if steps else None
    template = spec.template if workload is None else workload.spec.template
    canary = parts.revision_of(current, template, status.current_pod_hash) if moving else None
    state, message = phase(rollout)
    is_held = held(meta.notes)
    if is_held and spec.paused and canary is not None and canary.replicas == 0:
        state = Phase.HELD
    trouble = parts.trouble(current) if state is not Phase.HEALTHY else ""
    return Rollout(
        uid=Uid(meta.uid),
        engine=Engine.ARGO,
        shape=Shape.BLUE_GREEN if spec.strategy.blue_green is not None else Shape.CANARY,
        namespace=clean(meta.namespace),
        name=clean(meta.name),
        phase=state,
        message=with_trouble(said(message), trouble),
        labels=labels(meta),
        stable=None if stable is None else parts.revision(stable),
        canary=canary,
        steps=steps,
        step=step,
        weight=weight(rollout, current, steps) if moving else 0,
        pause=_pause(rollout, steps, step),
        promote_full=status.promote_full,
        started=parts.started(current) if moving else None,
        resource_version=meta.resource_version,
        owner=owner(meta),
        change=change(meta.notes),
        held=is_held,
        analyses=_analyses(rollout) if moving else (),
    )


def _analyses(rollout: ArgoRollout) -> tuple[Analysis, ...]:
    canary, blue_green = rollout.status.canary, rollout.status.blue_green
    runs = (
        ("step", canary.current_step_analysis_run_status),
        ("background", canary.current_background_analysis_run_status),
        ("before", blue_green.pre_promotion_analysis_run_status),
        ("after", blue_green.post_promotion_analysis_run_status),
    )
    return tuple(
        Analysis(name=clean(run.name, 120), status=clean(run.status, 40), message=said(run.message, 200), stage=stage)
        for stage, run in runs
        if run is not None and run.status
    )


def set_weight(rollout: ArgoRollout, steps: tuple[Step, ...]) -> int:
    """The weight the plan asks for at the present step, in percent."""
    if aborted(rollout):
        return 0
    index = rollout.status.current_step_index
    if not steps or index is None or index >= len(steps):
        return 100
    weights = [step.weight for step in steps[: index + 1] if step.kind is StepKind.WEIGHT and step.weight is not None]
    return weights[-1] if weights else 0


def weight(rollout: ArgoRollout, current: ReplicaSet | None, steps: tuple[Step, ...]) -> int:
    """The weight the canary really has, in percent."""
    status, strategy = rollout.status, rollout.spec.strategy
    if strategy.blue_green is not None:
        return 100 if status.blue_green.active_selector == status.current_pod_hash else 0
    if strategy.canary is not None and strategy.canary.traffic_routing is not None:
        weights = status.canary.weights
        if weights is not None and weights.canary is not None:
            return weights.canary.weight
        return set_weight(rollout, steps)
    if not aborted(rollout) and (not steps or (status.current_step_index or 0) >= len(steps)):
        return 100
    if current is None or not status.available_replicas:
        return 0
    return min(100, current.status.available_replicas * 100 // status.available_replicas)


def _pause(rollout: ArgoRollout, steps: tuple[Step, ...], step: int | None) -> Pause | None:
    if unobserved(rollout):
        return None
    conditions = rollout.status.pause_conditions or ()
    if not conditions and not rollout.spec.paused:
        return None
    at_step = any(one.reason in ("CanaryPauseStep", "BlueGreenPause") for one in conditions)
    starts = [start for start in (epoch(one.start_time) for one in conditions) if start is not None]
    since = min(starts, default=None)
    length = steps[step].seconds if at_step and step is not None and 0 <= step < len(steps) else None
    return Pause(
        step=at_step,
        inconclusive=any(one.reason.startswith("Inconclusive") for one in conditions),
        user=rollout.spec.paused,
        since=since,
        until=None if since is None or length is None else since + length,
    )
