"""The deploy pipelines: when each service's next release comes, and what its pipeline writes to the cluster.

A pipeline behaves as CI does: it sets an image (and, for a rolling Deployment, pauses it once the first new pod
exists, the poor man's canary) and then leaves the verdict to others. A release that was rolled back never comes
again; the next one comes some time after the service has settled.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.objects import Obj, count, desired_replicas, status_of
from opsroom.simulator.controllers.template_hash import template_hash
from opsroom.simulator.kube.hold import QUEUE
from opsroom.simulator.kube.store import Store
from opsroom.simulator.world.canaries import canary_settled
from opsroom.simulator.world.catalog import Delivery, ServiceSpec
from opsroom.simulator.world.manifests import canary_name, template_change
from opsroom.simulator.world.releases import Release, first_wait, release
from opsroom.simulator.world.robot import Robot

FIRST = 1.0
WAVE_AFTER = 60.0
AFTERTHOUGHT = 8.0
"""Seconds after a wave at which the pipelines of what is still held bring a newer version."""


@dataclass(slots=True)
class Pipeline:
    """One service's pipeline and the release it brought out last."""

    service: ServiceSpec
    current: Release


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deploy that just happened; `pod_hash` is that of the ReplicaSet that it brings."""

    service: ServiceSpec
    release: Release
    at: float
    pod_hash: str


class Pipelines:
    """All pipelines of a world. `rate` is in percent: 200 means half the waits."""

    def __init__(self, seed: int, services: list[ServiceSpec], rate: float, cluster: Cluster) -> None:
        self._seed = seed
        self._cluster = cluster
        self._robot = Robot(cluster.store)
        self._pace = 100.0 / rate
        self.lines = [Pipeline(service, release(seed, service, 0)) for service in services]
        self._due: list[tuple[float, int]] = []
        self._busy: dict[int, None] = {}
        self._to_pause: dict[int, None] = {}
        self._wave, self._wave_at = 0, 0.0

    def begin(self, now: float, wave: int) -> None:
        """Plan every service's first release; the earliest one comes after `FIRST` seconds.

        After `WAVE_AFTER` seconds the next `wave` releases of all services come at once: whoever is busy brings its
        own as soon as it has settled, and what is still held by then gets a newer version.
        """
        self._wave, self._wave_at = wave, now + WAVE_AFTER
        waits = [first_wait(self._seed, line.service) * self._pace for line in self.lines]
        shift = min(waits) - FIRST
        self._due = [(now + wait - shift, number) for number, wait in enumerate(waits)]
        heapq.heapify(self._due)

    def run(self, now: float) -> list[Deployed]:
        """Deploy what is due, pause rolling updates that have begun, plan the next release of what has settled."""
        for number in [one for one in self._busy if settled(self._cluster.store, self.lines[one].service)]:
            del self._busy[number]
            line = self.lines[number]
            upcoming = release(self._seed, line.service, line.current.number + 1)
            heapq.heappush(self._due, (now + upcoming.wait * self._pace, number))
        if self._wave and now >= self._wave_at:
            self._surge(now)
        deployed: list[Deployed] = []
        while self._due and self._due[0][0] <= now:
            _, number = heapq.heappop(self._due)
            deployed.append(self._deploy(number, now))
        if deployed:
            self._cluster.loop.run(now)
        for number in [one for one in self._to_pause if self._pause(self.lines[one])]:
            del self._to_pause[number]
        return deployed

    def _surge(self, now: float) -> None:
        """Bring forward what the wave still has to bring."""
        early = heapq.nsmallest(self._wave, self._due)
        self._due = [(now, number) if (due, number) in early else (due, number) for due, number in self._due]
        self._wave -= len(early)
        if now >= self._wave_at + AFTERTHOUGHT:
            again = [number for number in self._busy if _held(self._cluster.store, self.lines[number].service)]
            self._due += [(now, number) for number in again[: self._wave]]
            # Once is enough: a pipeline that pushed for ever would never see any of its versions run.
            self._wave = 0
        heapq.heapify(self._due)

    def _deploy(self, number: int, now: float) -> Deployed:
        line = self.lines[number]
        service = line.service
        new = line.current = release(self._seed, service, line.current.number + 1)
        self._busy[number] = None
        match service.delivery:
            case Delivery.ROLLOUT | Delivery.ROUTED:
                body = template_change(service, new, "")
                stored = self._robot.patch("rollouts", service.namespace, service.name, body)
            case Delivery.PAIR:
                body = template_change(service, new, "canary")
                body["spec"]["replicas"] = 1
                stored = self._robot.patch("deployments", service.namespace, canary_name(service), body)
            case _:
                body = template_change(service, new, "")
                stored = self._robot.patch("deployments", service.namespace, service.name, body)
                if service.delivery is Delivery.ROLLING:
                    self._to_pause[number] = None
        pod_hash = "" if stored is None else template_hash(stored["spec"]["template"])
        return Deployed(service, new, now, pod_hash)

    def _pause(self, line: Pipeline) -> bool:
        """Pause a rolling update whose first new pod exists; whether the matter is over.

        A new pod needs seconds to be ready and the update may have one too many only, so a look a second is enough.
        """
        name = (line.service.namespace, line.service.name)
        deployment = self._cluster.store.get("deployments", *name)
        if deployment is None or _image(deployment) != line.current.image:
            return True
        if deployment["spec"].get("paused"):
            return False
        for replica_set in self._cluster.loop.owned("replicasets", deployment):
            if _image(replica_set) == line.current.image and desired_replicas(replica_set):
                self._robot.patch("deployments", *name, {"spec": {"paused": True}})
                return True
        return False


def _image(workload: Obj) -> str:
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])


def settled(store: Store, service: ServiceSpec) -> bool:
    """Whether nothing of the service is under way: the last release is everywhere, or gone."""
    name = service.name
    if service.delivery is Delivery.FLAGGER:
        return canary_settled(store, service)
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
        return canary is not None and not (desired_replicas(canary) or count(canary, "replicas") or _marked(canary))
    return True


def _held(store: Store, service: ServiceSpec) -> bool:
    """Whether the hold at admission keeps the last release of a service from starting."""
    if service.delivery not in (Delivery.ROLLOUT, Delivery.ROUTED, Delivery.ROLLING):
        return False
    resource = "deployments" if service.delivery is Delivery.ROLLING else "rollouts"
    found = store.get(resource, service.namespace, service.name)
    return found is not None and _marked(found)


def _marked(workload: Obj) -> bool:
    return QUEUE in (workload["metadata"].get("annotations") or {})


def _observed(obj: Obj) -> bool:
    return int(status_of(obj).get("observedGeneration") or 0) >= int(obj["metadata"]["generation"])


def _complete(deployment: Obj) -> bool:
    wanted = desired_replicas(deployment)
    counters = ("replicas", "updatedReplicas", "availableReplicas")
    paused = bool(deployment["spec"].get("paused"))
    return not paused and _observed(deployment) and all(count(deployment, one) == wanted for one in counters)
