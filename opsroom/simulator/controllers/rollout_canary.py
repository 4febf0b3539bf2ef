"""The canary strategy of Argo Rollouts: sizes, traffic weights, services, and when a step is done.

Sources: argo-rollouts rollout/{canary,trafficrouting,service,replicaset}.go. Simplifications: the router always
does what it is told (weights are verified at once) and there is no dynamicStableScale and no ping-pong.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsroom.simulator.clock import moment, stamp
from opsroom.simulator.controllers.changes import Change, Merge, Note, Wake, key_of
from opsroom.simulator.controllers.objects import Obj, annotations_of, count, desired_replicas, name_of, total
from opsroom.simulator.controllers.replica_counts import (
    Sizes,
    basic_canary_split,
    basic_canary_step,
    routed_canary_count,
)
from opsroom.simulator.controllers.rollout_revisions import resize
from opsroom.simulator.controllers.rollout_view import COMPONENT, SCALE_DOWN_DEADLINE, RolloutView, set_weight
from opsroom.simulator.controllers.template_hash import ROLLOUT_HASH_LABEL

DEFAULT_DELAY = 30


@dataclass(frozen=True, slots=True)
class Target:
    """The sizes that the current step asks for."""

    canary: int
    stable: int


def target_of(view: RolloutView, *, aborted: bool) -> Target:
    """Wanted sizes of the new and the stable ReplicaSet; without a stable one the new one gets all."""
    if view.is_stable or view.stable is None:
        return Target(view.wanted, 0)
    weight = set_weight(view, aborted=aborted)
    if not view.routed:
        return Target(*basic_canary_split(view.wanted, weight, view.limits.surge))
    scaled = None if aborted else _canary_scale(view)
    return Target(routed_canary_count(view.wanted, weight) if scaled is None else scaled, view.wanted)


def _canary_scale(view: RolloutView) -> int | None:
    """What the last `setCanaryScale` up to the current step asks for; None: follow the weight."""
    index = view.step_index
    if index is None or index >= len(view.steps) or view.status.get("promoteFull"):
        return None
    done = [step["setCanaryScale"] for step in view.steps[: index + 1] if "setCanaryScale" in step]
    if not done or done[-1].get("matchTrafficWeight"):
        return None
    if done[-1].get("replicas") is not None:
        return int(done[-1]["replicas"])
    return routed_canary_count(view.wanted, int(done[-1].get("weight") or 0))


def at_target(view: RolloutView, target: Target) -> bool:
    """Whether sizes and available pods are what the step asks for."""
    if view.new is None or not _settled(view.new, target.canary):
        return False
    if view.stable is not None and not view.is_stable and not _settled(view.stable, target.stable):
        return False
    return view.routed or total(view.others, "availableReplicas") == 0


def _settled(replica_set: Obj, size: int) -> bool:
    return desired_replicas(replica_set) == size and count(replica_set, "availableReplicas") == size


def scale_canary(view: RolloutView, *, aborted: bool) -> list[Change]:
    """Size every ReplicaSet one step towards the target; [] when there is nothing to do."""
    target = target_of(view, aborted=aborted)
    changes: list[Change] = []
    if view.new is not None:
        if view.is_stable or view.stable is None:
            changes += _unmark(view.new) + resize(view, view.new, view.wanted)
        elif view.routed:
            changes += resize(view, view.stable, target.stable)
            changes += _scale_routed_canary(view, view.new, target.canary, aborted)
        else:
            changes += _scale_basic(view, view.new, view.stable, target)
    return changes + _scale_others(view)


def _unmark(replica_set: Obj) -> list[Change]:
    if SCALE_DOWN_DEADLINE not in annotations_of(replica_set):
        return []
    body = {"metadata": {"annotations": {SCALE_DOWN_DEADLINE: None}}}
    return [Merge(key_of("replicasets", replica_set), body)]


def _scale_basic(view: RolloutView, new: Obj, stable: Obj, target: Target) -> list[Change]:
    sizes = Sizes(
        canary=desired_replicas(new),
        stable=desired_replicas(stable),
        others=sum(desired_replicas(one) for one in view.others),
        canary_available=count(new, "availableReplicas"),
        stable_available=count(stable, "availableReplicas"),
    )
    canary, stable_size = basic_canary_step(view.wanted, (target.canary, target.stable), sizes, view.limits)
    return resize(view, stable, stable_size) + resize(view, new, canary)


def _scale_routed_canary(view: RolloutView, new: Obj, size: int, aborted: bool) -> list[Change]:
    if not aborted:
        return _unmark(new) + resize(view, new, size)
    if not desired_replicas(new):
        return []
    delay = view.canary.get("abortScaleDownDelaySeconds")
    if delay == 0:
        return []
    return delayed_scale_down(view, new, DEFAULT_DELAY if delay is None else int(delay))


def delayed_scale_down(view: RolloutView, replica_set: Obj, delay: int) -> list[Change]:
    """Mark a ReplicaSet with the time of its end, or end it when that has come."""
    marked = annotations_of(replica_set).get(SCALE_DOWN_DEADLINE)
    if marked is None:
        due = view.now + delay
        body = {"metadata": {"annotations": {SCALE_DOWN_DEADLINE: stamp(due)}}}
        return [Merge(key_of("replicasets", replica_set), body), Wake(due + 1)]
    if view.now >= moment(marked):
        return resize(view, replica_set, 0, {SCALE_DOWN_DEADLINE: None})
    return [Wake(moment(marked) + 1)]


def _scale_others(view: RolloutView) -> list[Change]:
    """Superseded ReplicaSets go: marked ones at their time, others at once or as availability allows."""
    changes: list[Change] = []
    available = total(view.every, "availableReplicas")
    spare = available - (view.wanted - view.limits.unavailable)
    for one in view.others:
        size = desired_replicas(one)
        if not size:
            continue
        if SCALE_DOWN_DEADLINE in annotations_of(one):
            changes += delayed_scale_down(view, one, DEFAULT_DELAY)
        elif view.routed:
            changes += resize(view, one, 0)
        else:
            unready = size - count(one, "availableReplicas")
            step = min(size, max(spare, 0) + unready)
            spare -= max(0, step - unready)
            changes += resize(view, one, size - step)
    return changes


def weights_of(view: RolloutView, *, aborted: bool) -> Obj:
    """`status.canary.weights` as the router is told now; only with traffic routing."""
    if view.is_stable or aborted or view.stable is None or not count(view.new, "availableReplicas"):
        weight = 0
    else:
        weight = set_weight(view, aborted=False)
        before = int(((view.status.get("canary") or {}).get("weights") or {}).get("canary", {}).get("weight") or 0)
        if weight > before and count(view.new, "availableReplicas") < target_of(view, aborted=False).canary:
            weight = before
    stable_hash = view.stable_hash or view.pod_hash
    names = (view.canary.get("canaryService"), view.canary.get("stableService"))
    hashes = (view.pod_hash, stable_hash)
    sides = [
        {"podTemplateHash": mark, "serviceName": name, "weight": share}
        for mark, name, share in zip(hashes, names, (weight, 100 - weight), strict=True)
    ]
    return {"canary": sides[0], "stable": sides[1]}


def weight_note(view: RolloutView, weights: Obj) -> list[Change]:
    """The Event of a changed weight."""
    old = ((view.status.get("canary") or {}).get("weights") or {}).get("canary", {}).get("weight")
    new = weights["canary"]["weight"]
    if old is None or old == new:
        return []
    text = f"Traffic weight updated from {old} to {new}"
    return [Note(view.rollout, COMPONENT, "Normal", "TrafficWeightUpdated", text)]


def point_services(view: RolloutView, *, aborted: bool) -> list[Change]:
    """Point the stable and the canary Service at their hashes; one is adopted once its pods are available."""
    stable_name, canary_name = view.canary.get("stableService"), view.canary.get("canaryService")
    stable_hash = view.stable_hash or view.pod_hash
    changes = point_service(view, stable_name, stable_hash)
    if aborted and not view.routed:
        return changes + point_service(view, canary_name, stable_hash)
    if count(view.new, "availableReplicas") or not view.stable_hash:
        changes += point_service(view, canary_name, view.pod_hash)
    return changes


def point_service(view: RolloutView, name: str | None, mark: str) -> list[Change]:
    """Set the hash in one Service's selector, with its Event; an unknown Service is left alone."""
    service = view.services.get(name or "")
    if service is None or not mark:
        return []
    before = (service["spec"].get("selector") or {}).get(ROLLOUT_HASH_LABEL, "")
    if before == mark:
        return []
    body = {
        "metadata": {"annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": name_of(view.rollout)}},
        "spec": {"selector": {ROLLOUT_HASH_LABEL: mark}},
    }
    text = f"Switched selector for service '{name}' from '{before}' to '{mark}'"
    return [
        Merge(key_of("services", service), body),
        Note(view.rollout, COMPONENT, "Normal", "SwitchService", text),
    ]
