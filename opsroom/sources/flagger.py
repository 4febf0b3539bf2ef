"""A Flagger Canary with its target and its primary as a domain rollout. Pure.

The canary is the target's ReplicaSet, stable is that of ``TARGET-primary``. Phases are Flagger's own, read with its
traps: the weight is zeroed while it waits for the promotion, a Failed Canary is written anew at each tick, and one
whose target was put back stays Failed until the next change (lastAppliedSpec equals lastPromotedSpec by then).
Source: fluxcd/flagger pkg/controller/scheduler.go, pkg/canary/status.go.
"""

from __future__ import annotations

from opsroom.domain.clean import clean
from opsroom.domain.flagger import (
    PROMOTING,
    RESTING,
    RUNNING,
    CanaryPhase,
    Plan,
    Run,
    interval_of,
    own_gates,
    phase_of,
    revision_of,
    weights,
)
from opsroom.domain.masking import said
from opsroom.domain.rollout import Engine, Pause, Phase, Rollout, Shape, Uid
from opsroom.sources.flagger_kinds import FlaggerCanary
from opsroom.sources.kinds import Deployment, ReplicaSet, epoch
from opsroom.sources.provenance import change, held, labels, owner
from opsroom.sources.revisions import Parts, born, with_trouble
from opsroom.sources.rolling import newest

PRIMARY = "-primary"
KEPT = 100
"""``canaryWeight`` of a Failed Canary whose promotion failed: the canary keeps all traffic (flagger#1931)."""


def flagger_rollout(
    canary: FlaggerCanary, target: Deployment | None, mine: Parts, primary: Deployment | None, theirs: Parts
) -> Rollout:
    """``canary`` with its ``target`` and what that owns, and its ``primary`` and what that owns."""
    meta = canary.metadata
    current = None if target is None else newest(target, mine)
    former = None if primary is None else newest(primary, theirs)
    run = run_of(canary, "" if current is None else current.metadata.hash)
    state = Phase.HELD if _held_back(run, target, primary) else _phase(canary, run)
    moving = run.phase in RUNNING | PROMOTING or state in (Phase.ABORTED, Phase.DEGRADED, Phase.HELD)
    steps = run.plan.steps()
    trouble = mine.trouble(current) if moving else ""
    return Rollout(
        uid=Uid(meta.uid),
        engine=Engine.FLAGGER,
        shape=Shape.BLUE_GREEN if run.plan.iterations else Shape.CANARY,
        namespace=clean(meta.namespace),
        name=clean(meta.name),
        phase=state,
        message=with_trouble(_message(canary), trouble),
        labels=labels(meta if target is None else target.metadata) | labels(meta),
        stable=None if former is None else theirs.revision(former),
        canary=mine.revision_of(current, None if target is None else target.spec.template) if moving else None,
        steps=steps,
        step=(0 if state is Phase.HELD else run.step) if moving else None,
        weight=run.traffic if moving else 0,
        pause=_pause(canary, run) if moving else None,
        started=_started(mine, current) if moving else None,
        # A Failed Canary is written at each tick: its version must not make it look changed.
        resource_version=meta.resource_version if run.phase in RUNNING | PROMOTING else "",
        owner=owner(meta) or ("" if target is None else owner(target.metadata)),
        change=change(meta.notes if target is None else target.metadata.notes),
        held=held(meta.notes),
        stable_name=clean(canary.spec.target_ref.name),
        gates=tuple(sorted(gate.value for gate in run.plan.own)),
    )


def run_of(canary: FlaggerCanary, hash_: str) -> Run:
    """Where ``canary`` stands; ``hash_`` is the pod template hash of its target."""
    status, condition = canary.status, canary.status.promoted
    return Run(
        plan=_plan(canary),
        phase=phase_of(status.phase),
        weight=status.canary_weight,
        iterations=status.iterations,
        revision=revision_of(status.last_applied_spec, status.tracked_configs),
        hash=hash_,
        since=None if condition is None else epoch(condition.last_update_time),
        suspended=canary.spec.suspend,
        held=held(canary.metadata.notes),
    )


def _plan(canary: FlaggerCanary) -> Plan:
    checks = canary.spec.checks
    hooks = checks.webhooks or ()
    blue_green = checks.iterations > 0 or canary.spec.provider == "kubernetes"
    ladder = weights(checks.step_weight, checks.step_weights or (), checks.max_weight)
    return Plan(
        own=own_gates((hook.type, hook.url) for hook in hooks),
        asked=frozenset(clean(hook.type, 80) for hook in hooks),
        weights=() if blue_green else ladder,
        iterations=min(1000, checks.iterations or 10) if blue_green else 0,
        interval=interval_of(checks.interval),
    )


def _held_back(run: Run, target: Deployment | None, primary: Deployment | None) -> bool:
    """Suspended by the queue or a person before Flagger has looked at the target's new version."""
    if not (run.held and run.suspended) or run.phase not in RESTING | {CanaryPhase.FAILED}:
        return False
    new, old = (() if one is None else one.spec.template.images for one in (target, primary))
    return bool(new and old) and new != old


def _phase(canary: FlaggerCanary, run: Run) -> Phase:
    status, found = canary.status, run.phase
    if found in RESTING:
        return Phase.HEALTHY
    if found is CanaryPhase.FAILED:
        if status.canary_weight >= KEPT:
            return Phase.DEGRADED
        return Phase.HEALTHY if status.last_applied_spec == status.last_promoted_spec else Phase.ABORTED
    if found in (CanaryPhase.NONE, CanaryPhase.INITIALIZING) or found in PROMOTING:
        return Phase.PROGRESSING
    if found is CanaryPhase.WAITING:
        return Phase.HELD if run.held else Phase.PAUSED
    if found is CanaryPhase.WAITING_PROMOTION:
        return Phase.PAUSED
    if found is CanaryPhase.PROGRESSING:
        return Phase.PROGRESSING if _pause(canary, run) is None else Phase.PAUSED
    return Phase.UNKNOWN


def _pause(canary: FlaggerCanary, run: Run) -> Pause | None:
    """Suspended by somebody, or at a gate. At the first weight nothing is judged yet, so nobody is waited for."""
    waiting = run.phase in (CanaryPhase.WAITING, CanaryPhase.WAITING_PROMOTION)
    begun = run.weight > 0 or run.plan.iterations > 0
    gated = bool(run.waits_for) and (waiting or begun)
    if run.phase not in RUNNING or not (waiting or gated or run.suspended):
        return None
    return Pause(step=gated, user=canary.spec.suspend, since=run.since if waiting else None)


def _message(canary: FlaggerCanary) -> str:
    condition = canary.status.promoted
    return "" if condition is None else said(condition.message)


def _started(parts: Parts, current: ReplicaSet | None) -> float | None:
    """When its oldest pod was made: its ReplicaSet may be older, from before the gate or from an earlier run."""
    if current is None:
        return None
    return parts.oldest_pod(current) or born(current)


def services(canary: FlaggerCanary) -> tuple[str, str]:
    """Names of the stable and the canary Service."""
    name = canary.spec.service.name or canary.spec.target_ref.name
    return f"{name}{PRIMARY}", f"{name}-canary"
