"""A stable and a canary Deployment side by side as one domain rollout. Pure.

The canary names its stable partner by the annotation (or label) ``opsroom.dev/canary-of``; without it, two
Deployments of one namespace with the same recommended labels and ``track`` stable and canary are a pair (K8S docs,
Workload management, "Canary deployments"). The rollout is the canary's object: rolling back only touches that one.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.domain.clean import clean
from opsroom.domain.marks import CANARY_OF
from opsroom.domain.masking import said
from opsroom.domain.rollout import Engine, Pause, Phase, Rollout, Shape, Uid
from opsroom.sources.kinds import Deployment, ReplicaSet, epoch
from opsroom.sources.provenance import change, held, labels, owner
from opsroom.sources.revisions import Parts, with_trouble
from opsroom.sources.rolling import newest, phase

NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"


def partners(deployments: Iterable[Deployment]) -> dict[str, str]:
    """Uid of the canary → uid of its stable, within one namespace.

    A canary whose partner does not exist, or which names itself, is no canary; two stables that claim to be the same
    partner by labels are left alone.
    """
    by_name = {one.metadata.name: one for one in deployments}
    pairs: dict[str, str] = {}
    for one in by_name.values():
        named = canary_of(one)
        stable = by_name.get(named)
        if stable is not None and stable is not one and not canary_of(stable):
            pairs[one.metadata.uid] = stable.metadata.uid
    by_labels: dict[tuple[str, str], dict[str, list[Deployment]]] = {}
    for one in by_name.values():
        key = _family(one)
        if key and not canary_of(one):
            by_labels.setdefault(key, {}).setdefault(track(one), []).append(one)
    for family in by_labels.values():
        stables, canaries = family.get("stable", []), family.get("canary", [])
        if len(stables) == len(canaries) == 1 and stables[0].metadata.uid not in pairs.values():
            pairs[canaries[0].metadata.uid] = stables[0].metadata.uid
    return pairs


def canary_of(deployment: Deployment) -> str:
    """The stable Deployment that ``deployment`` names."""
    return deployment.metadata.notes.canary_of or (deployment.metadata.labels or {}).get(CANARY_OF, "")


def track(deployment: Deployment) -> str:
    """``track`` of the Deployment or its pods."""
    return (deployment.metadata.labels or {}).get("track", "") or deployment.spec.template.track


def _family(deployment: Deployment) -> tuple[str, str] | None:
    found = deployment.metadata.labels or {}
    name = found.get(NAME, "")
    return (name, found.get(INSTANCE, "")) if name and track(deployment) in ("stable", "canary") else None


def pair_rollout(canary: Deployment, parts: Parts, stable: Deployment, stable_parts: Parts) -> Rollout:
    """The pair as one rollout; nothing is under way while the canary has no pods or runs what stable runs."""
    meta = canary.metadata
    new, base = newest(canary, parts), newest(stable, stable_parts) or _largest(stable_parts)
    moving = _moving(canary, stable)
    state, message = _phase(canary, stable, moving)
    revision = parts.revision_of(new, canary.spec.template)
    is_held = held(meta.notes)
    if is_held and (canary.spec.paused or meta.notes.replicas) and canary.status.replicas == 0:
        state, moving = Phase.HELD, True
    return Rollout(
        uid=Uid(meta.uid),
        engine=Engine.DEPLOYMENT,
        shape=Shape.PAIR,
        namespace=clean(meta.namespace),
        name=clean(meta.name),
        phase=state,
        message=with_trouble(said(message), parts.trouble(new) if moving else ""),
        labels=labels(meta),
        stable=None if base is None else stable_parts.revision(base),
        canary=revision if moving else None,
        weight=share(canary, stable) if moving else 0,
        pause=_pause(canary, state),
        started=parts.started(new) if moving else None,
        resource_version=meta.resource_version,
        owner=owner(meta) or owner(stable.metadata),
        change=change(meta.notes),
        held=is_held,
        stable_name=clean(stable.metadata.name),
    )


def _moving(canary: Deployment, stable: Deployment) -> bool:
    # Half-way through a promotion both run the new template; the rest of that deed is delivery's business, and until
    # it is done this is still a change under way.
    return canary.spec.replicas > 0 and (
        canary.spec.template.digest != stable.spec.template.digest or canary.metadata.notes.promoting is not None
    )


def _phase(canary: Deployment, stable: Deployment, moving: bool) -> tuple[Phase, str]:
    state, message = phase(canary, moving=False)
    if not moving:
        return (Phase.HEALTHY, "") if state is Phase.HEALTHY or canary.spec.replicas == 0 else (state, message)
    if state in (Phase.OBSERVING, Phase.DEGRADED):
        return state, message
    if stable.metadata.generation > stable.status.observed_generation:
        return Phase.OBSERVING, ""
    ready = canary.status.updated_replicas >= canary.spec.replicas <= canary.status.available_replicas
    return (Phase.PAUSED if ready else Phase.PROGRESSING), message


def _pause(canary: Deployment, state: Phase) -> Pause | None:
    """A whole canary stands until somebody decides: the pair's one and only pause step."""
    if state is not Phase.PAUSED:
        return None
    condition = canary.status.condition("Available")
    return Pause(step=True, since=epoch(condition.last_transition_time if condition is not None else None))


def share(canary: Deployment, stable: Deployment) -> int:
    """Percent of the ready pods behind the common Service that are the canary's."""
    ready = canary.status.ready_replicas + stable.status.ready_replicas
    return canary.status.ready_replicas * 100 // ready if ready else 0


def _largest(parts: Parts) -> ReplicaSet | None:
    return max(parts.replica_sets, key=lambda one: one.status.replicas, default=None)
