"""The deploy pipelines: when each service's next release comes, and what its pipeline writes to the cluster.

A pipeline behaves as CI does: it sets an image (and, for a rolling Deployment, pauses it once the first new pod
exists, the poor man's canary) and then leaves the verdict to others. A release that was rolled back never comes
again; the next one comes some time after the service has settled.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from opsroom.simulator.controllers.loop import ControlLoop
from opsroom.simulator.controllers.objects import Obj, count, desired_replicas, labels_of, status_of
from opsroom.simulator.controllers.template_hash import DEPLOYMENT_HASH_LABEL, ROLLOUT_HASH_LABEL
from opsroom.simulator.kube.store import Store
from opsroom.simulator.world.catalog import Delivery, ServiceSpec
from opsroom.simulator.world.manifests import canary_name, template_change
from opsroom.simulator.world.releases import Release, first_wait, release

FIRST = 1.0


@dataclass(slots=True)
class Pipeline:
    """One service's pipeline and the release it brought out last."""

    service: ServiceSpec
    current: Release


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deploy that just happened; `pod_hash` is that of the new ReplicaSet, "" if there is none yet."""

    service: ServiceSpec
    release: Release
    at: float
    pod_hash: str


class Pipelines:
    """All pipelines of a world. `rate` is in percent: 200 means half the waits."""

    def __init__(self, seed: int, services: list[ServiceSpec], rate: float) -> None:
        self._seed = seed
        self._pace = 100.0 / rate
        self.lines = [Pipeline(service, release(seed, service, 0)) for service in services]
        self._due: list[tuple[float, int]] = []
        self._busy: dict[int, None] = {}

    def begin(self, now: float) -> None:
        """Plan every service's first release; the earliest one comes after `FIRST` seconds."""
        waits = [first_wait(self._seed, line.service) * self._pace for line in self.lines]
        shift = min(waits) - FIRST
        self._due = [(now + wait - shift, number) for number, wait in enumerate(waits)]
        heapq.heapify(self._due)

    def run(self, store: Store, loop: ControlLoop, now: float) -> list[Deployed]:
        """Deploy what is due and plan the next release of what has settled."""
        for number in [one for one in self._busy if settled(store, self.lines[one].service)]:
            del self._busy[number]
            line = self.lines[number]
            upcoming = release(self._seed, line.service, line.current.number + 1)
            heapq.heappush(self._due, (now + upcoming.wait * self._pace, number))
        deployed: list[Deployed] = []
        while self._due and self._due[0][0] <= now:
            _, number = heapq.heappop(self._due)
            line = self.lines[number]
            line.current = release(self._seed, line.service, line.current.number + 1)
            self._busy[number] = None
            deployed.append(_deploy(store, loop, line.service, line.current, now))
        return deployed


def settled(store: Store, service: ServiceSpec) -> bool:
    """Whether nothing of the service is under way: the last release is everywhere, or gone."""
    name = service.name
    if service.delivery in (Delivery.ROLLOUT, Delivery.ROUTED):
        rollout = store.get("rollouts", service.namespace, name)
        if rollout is None or not _observed(rollout):
            return False
        status = status_of(rollout)
        return status.get("phase") == "Healthy" or bool(status.get("abort"))
    stable = store.get("deployments", service.namespace, name)
    if stable is None or not _complete(stable):
        return False
    if service.delivery is Delivery.PAIR:
        canary = store.get("deployments", service.namespace, canary_name(service))
        return canary is not None and not desired_replicas(canary) and not count(canary, "replicas")
    return True


def _observed(obj: Obj) -> bool:
    return int(status_of(obj).get("observedGeneration") or 0) >= int(obj["metadata"]["generation"])


def _complete(deployment: Obj) -> bool:
    wanted = desired_replicas(deployment)
    counters = ("replicas", "updatedReplicas", "availableReplicas")
    paused = bool(deployment["spec"].get("paused"))
    return not paused and _observed(deployment) and all(count(deployment, one) == wanted for one in counters)


def _deploy(store: Store, loop: ControlLoop, service: ServiceSpec, new: Release, now: float) -> Deployed:
    namespace, name = service.namespace, service.name
    match service.delivery:
        case Delivery.ROLLOUT | Delivery.ROUTED:
            store.merge("rollouts", namespace, name, template_change(service, new, ""))
            loop.run(now)
            owner = store.get("rollouts", namespace, name)
        case Delivery.PAIR:
            body = template_change(service, new, "canary")
            body["spec"]["replicas"] = 1
            store.merge("deployments", namespace, canary_name(service), body)
            loop.run(now)
            owner = store.get("deployments", namespace, canary_name(service))
        case _:
            store.merge("deployments", namespace, name, template_change(service, new, ""))
            loop.run(now)
            store.merge("deployments", namespace, name, {"spec": {"paused": True}})
            loop.run(now)
            owner = store.get("deployments", namespace, name)
    return Deployed(service, new, now, _hash_of(loop, owner, new))


def _hash_of(loop: ControlLoop, owner: Obj | None, new: Release) -> str:
    for replica_set in loop.owned("replicasets", owner) if owner is not None else ():
        if replica_set["spec"]["template"]["spec"]["containers"][0]["image"] == new.image:
            labels = labels_of(replica_set)
            return labels.get(ROLLOUT_HASH_LABEL) or labels.get(DEPLOYMENT_HASH_LABEL, "")
    return ""
