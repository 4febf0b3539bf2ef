"""All objects seen, who owns whom, and the rollouts they make up; only what changed is made anew.

Order between kinds is not promised by the API (a pod may be seen before its ReplicaSet, that before its Deployment),
so every object is kept by uid and joined when the rollouts are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from opsroom.domain.marks import Marks
from opsroom.domain.rollout import Rollout, Uid
from opsroom.sources.argo import argo_rollout
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.canaries import Canaries
from opsroom.sources.flagger import PRIMARY, flagger_rollout
from opsroom.sources.flagger import services as flagger_services
from opsroom.sources.flagger_kinds import FlaggerCanary
from opsroom.sources.kinds import Deployment, Meta, Pod, ReplicaSet
from opsroom.sources.pairs import pair_rollout, partners
from opsroom.sources.provenance import NO_MARKS, marks
from opsroom.sources.revisions import Parts
from opsroom.sources.rolling import rolling_rollout

T = TypeVar("T")


class Index:
    """Objects in, rollouts out. Feed it from ``Mirror.on_change``: (old, new), None for absent."""

    def __init__(self) -> None:
        self._argo: dict[str, ArgoRollout] = {}
        self._canaries = Canaries()
        self._deployments: dict[str, Deployment] = {}
        self._replica_sets: dict[str, ReplicaSet] = {}
        self._owned: defaultdict[str, dict[str, ReplicaSet]] = defaultdict(dict)
        self._pods: defaultdict[str, dict[str, Pod]] = defaultdict(dict)
        self._in_namespace: defaultdict[str, set[str]] = defaultdict(set)
        self._pairs: dict[str, dict[str, str]] = {}
        """Of each namespace: uid of the canary → uid of its stable."""
        self._stable_of: dict[str, str] = {}
        self._canary_of: dict[str, str] = {}
        self._referenced: dict[tuple[str, str], str] = {}
        self._unpaired: set[str] = set()
        self._dirty: set[str] = set()
        self._rollouts: dict[Uid, Rollout] = {}

    def argo_changed(self, old: ArgoRollout | None, new: ArgoRollout | None) -> None:
        """An Argo Rollout came, changed or went."""
        one = new or old
        if one is None:
            return
        uid = one.metadata.uid
        for side in (old, new):
            if side is not None and side.spec.workload_ref is not None:
                self._refer(side, side is new)
        _store(self._argo, uid, new)
        self._dirty.add(uid)

    def canary_changed(self, old: FlaggerCanary | None, new: FlaggerCanary | None) -> None:
        """A Flagger Canary came, changed or went."""
        one = new or old
        if one is None:
            return
        for namespace, name in self._canaries.changed(old, new):
            self._touch_named(namespace, name)
        self._dirty.add(one.metadata.uid)

    def deployment_changed(self, old: Deployment | None, new: Deployment | None) -> None:
        """A Deployment came, changed or went."""
        one = new or old
        if one is None:
            return
        uid, namespace = one.metadata.uid, one.metadata.namespace
        _store(self._deployments, uid, new)
        if new is None:
            self._in_namespace[namespace].discard(uid)
        else:
            self._in_namespace[namespace].add(uid)
        if old is None or new is None or _pairing(old) != _pairing(new):
            self._unpaired.add(namespace)
        self._touch(uid)
        driver = self._driver_of(one)
        if driver:
            self._dirty.add(driver)
        workload = self._referenced.get((namespace, one.metadata.name))
        if workload is not None:
            self._dirty.add(workload)

    def replica_set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        """A ReplicaSet came, changed or went."""
        one = new or old
        if one is None:
            return
        uid, owner = one.metadata.uid, one.metadata.owner
        if old is not None and old.metadata.owner != owner:
            self._disown(old.metadata.owner, uid)
        _store(self._replica_sets, uid, new)
        if owner:
            if new is None:
                self._disown(owner, uid)
            else:
                self._owned[owner][uid] = new
                self._touch(owner)

    def _disown(self, owner: str, uid: str) -> None:
        self._owned[owner].pop(uid, None)
        if not self._owned[owner]:
            del self._owned[owner]
        self._touch(owner)

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """A pod came, changed or went."""
        one = new or old
        if one is None or not one.metadata.owner:
            return
        owner = one.metadata.owner
        if old is not None and new is not None and old.status == new.status:
            return
        _store(self._pods[owner], one.metadata.uid, new)
        if not self._pods[owner]:
            del self._pods[owner]
        replica_set = self._replica_sets.get(owner)
        if replica_set is not None:
            self._touch(replica_set.metadata.owner)

    def rollouts(self) -> list[Rollout]:
        """All rollouts as they stand; unchanged ones are the same objects as before."""
        for namespace in self._unpaired:
            self._pair(namespace)
        self._unpaired.clear()
        for uid in self._dirty:
            self._remake(uid)
        self._dirty.clear()
        return list(self._rollouts.values())

    def marks(self, uid: Uid) -> Marks:
        """Our marks on the object behind the rollout."""
        meta = self._meta(uid)
        return NO_MARKS if meta is None else marks(meta.notes)

    def services(self, uid: Uid) -> tuple[str, str]:
        """Names of the stable and the canary Service, where the workload names them."""
        driven = self._canaries.get(uid)
        if driven is not None:
            return flagger_services(driven)
        rollout = self._argo.get(uid)
        canary = rollout.spec.strategy.canary if rollout is not None else None
        return ("", "") if canary is None else (canary.stable_service, canary.canary_service)

    def replica_sets_of(self, uid: str) -> list[str]:
        """Uids of the ReplicaSets that the workload owns."""
        driven = self._canaries.get(uid)
        if driven is None:
            return list(self._owned.get(uid, ()))
        workloads = self._driven_by(driven)
        return [one for workload in workloads if workload for one in self._owned.get(workload.metadata.uid, ())]

    def _meta(self, uid: str) -> Meta | None:
        found = self._argo.get(uid) or self._canaries.get(uid) or self._deployments.get(uid)
        return None if found is None else found.metadata

    def _refer(self, rollout: ArgoRollout, referenced: bool) -> None:
        reference, namespace = rollout.spec.workload_ref, rollout.metadata.namespace
        if reference is None or reference.kind not in ("", "Deployment"):
            return
        key = (namespace, reference.name)
        if referenced:
            self._referenced[key] = rollout.metadata.uid
        elif self._referenced.get(key) == rollout.metadata.uid:
            del self._referenced[key]
        self._touch_named(namespace, reference.name)

    def _touch(self, uid: str) -> None:
        """``uid`` and whoever is drawn with it must be made anew."""
        self._dirty.add(uid)
        canary = self._canary_of.get(uid)
        if canary is not None:
            self._dirty.add(canary)
        deployment = self._deployments.get(uid)
        driver = self._driver_of(deployment) if deployment is not None else ""
        if driver:
            self._dirty.add(driver)

    def _driver_of(self, deployment: Deployment) -> str:
        return self._canaries.driver_of(deployment.metadata.namespace, deployment.metadata.name)

    def _driven_by(self, canary: FlaggerCanary) -> tuple[Deployment | None, Deployment | None]:
        namespace, target = canary.metadata.namespace, canary.target
        return self._named(namespace, target), self._named(namespace, f"{target}{PRIMARY}")

    def _named(self, namespace: str, name: str) -> Deployment | None:
        members = (self._deployments[uid] for uid in self._in_namespace.get(namespace, ()))
        return next((one for one in members if one.metadata.name == name), None)

    def _touch_named(self, namespace: str, name: str) -> None:
        for uid in self._in_namespace.get(namespace, ()):
            if self._deployments[uid].metadata.name == name:
                self._touch(uid)

    def _pair(self, namespace: str) -> None:
        members = {uid: self._deployments[uid] for uid in self._in_namespace[namespace]}
        found = partners(members.values())
        former = self._pairs.get(namespace, {})
        if members:
            self._pairs[namespace] = found
        else:
            self._pairs.pop(namespace, None)
            self._in_namespace.pop(namespace, None)
        for canary, stable in former.items():
            if found.get(canary) != stable:
                self._stable_of.pop(canary, None)
                self._canary_of.pop(stable, None)
                self._dirty.update((canary, stable))
        for canary, stable in found.items():
            if former.get(canary) != stable:
                self._stable_of[canary] = stable
                self._canary_of[stable] = canary
                self._dirty.update((canary, stable))

    def _remake(self, uid: str) -> None:
        key = Uid(uid)
        new, old = self._made(uid), self._rollouts.get(key)
        if new is None:
            self._rollouts.pop(key, None)
        elif new != old:
            self._rollouts[key] = new

    def _made(self, uid: str) -> Rollout | None:
        rollout = self._argo.get(uid)
        if rollout is not None:
            return argo_rollout(rollout, self._parts(uid), self._workload(rollout))
        canary = self._canaries.get(uid)
        if canary is not None:
            target, primary = self._driven_by(canary)
            return flagger_rollout(canary, target, self._parts_of(target), primary, self._parts_of(primary))
        deployment = self._deployments.get(uid)
        if deployment is None or uid in self._canary_of or self._driver_of(deployment):
            return None
        if (deployment.metadata.namespace, deployment.metadata.name) in self._referenced:
            return None
        stable = self._deployments.get(self._stable_of.get(uid, ""))
        if stable is not None:
            return pair_rollout(deployment, self._parts(uid), stable, self._parts(stable.metadata.uid))
        return rolling_rollout(deployment, self._parts(uid))

    def _workload(self, rollout: ArgoRollout) -> Deployment | None:
        reference = rollout.spec.workload_ref
        if reference is None:
            return None
        return self._named(rollout.metadata.namespace, reference.name)

    def _parts_of(self, deployment: Deployment | None) -> Parts:
        return Parts() if deployment is None else self._parts(deployment.metadata.uid)

    def _parts(self, uid: str) -> Parts:
        owned = self._owned.get(uid, {})
        pods = {one: tuple(self._pods[one].values()) for one in owned if one in self._pods}
        return Parts(replica_sets=tuple(owned.values()), pods=pods)


def _store(objects: dict[str, T], uid: str, new: T | None) -> None:
    if new is None:
        objects.pop(uid, None)
    else:
        objects[uid] = new


def _pairing(deployment: Deployment) -> tuple[object, ...]:
    meta = deployment.metadata
    return meta.labels, meta.notes.canary_of, deployment.spec.template.track
