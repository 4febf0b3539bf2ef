"""Which pods run and how each service's requests are shared among them, as the traffic model wants to know it.

Kept up to date from the store's events, service by service: a tick costs only what changed. A router gives the canary
its weight, without one every ready pod gets the same. It knows nothing of quality.
"""

from __future__ import annotations

from collections.abc import Mapping

from opsroom.simulator.clock import moment
from opsroom.simulator.controllers.flagger_objects import PRIMARY
from opsroom.simulator.controllers.objects import Obj, is_ready, labels_of, name_of, status_of, uid_of
from opsroom.simulator.controllers.template_hash import ROLLOUT_HASH_LABEL
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Event, EventType
from opsroom.simulator.traffic.fleet import Pod

Name = tuple[str, str]  # (namespace, service)


class Shares:
    """The running pods of all services.

    `routed` names those whose Rollout has a traffic router, `mesh` has the canary's percent where Flagger routes.
    """

    def __init__(self, store: Store, routed: frozenset[Name], mesh: Mapping[Name, int]) -> None:
        self._store = store
        self._routed = routed
        self._mesh = mesh
        self._sent: dict[Name, int] = {}
        self._pods: dict[Name, dict[str, Obj]] = {}
        self._made: dict[Name, list[Pod]] = {}
        self._dirty: set[Name] = set()
        store.subscribe(self._hear)

    def pods(self) -> list[Pod]:
        """Every pod whose container was started, with its share of its service's requests."""
        if self._sent != self._mesh:
            self._dirty |= {name for name in self._mesh if self._mesh[name] != self._sent.get(name)}
            self._sent = dict(self._mesh)
        for name in sorted(self._dirty):
            self._made[name] = self._share(name)
        self._dirty.clear()
        return [pod for made in self._made.values() for pod in made]

    def _hear(self, event: Event) -> None:
        if event.resource == "rollouts":
            name = (event.object["metadata"]["namespace"], name_of(event.object))
            if name in self._routed and _weights(event.object) != _weights(event.previous or {}):
                self._dirty.add(name)
            return
        if event.resource != "pods":
            return
        service = labels_of(event.object).get("app.kubernetes.io/name")
        if service is None:
            return
        name = (event.object["metadata"]["namespace"], service)
        pods = self._pods.setdefault(name, {})
        if event.type is EventType.DELETED:
            pods.pop(uid_of(event.object), None)
        else:
            pods[uid_of(event.object)] = event.object
        self._dirty.add(name)

    def _share(self, name: Name) -> list[Pod]:
        started = [pod for pod in self._pods.get(name, {}).values() if _started(pod)]
        sides = [self._side(name, pod) for pod in started]
        portions = self._portions(name)
        ready = {
            side: sum(is_ready(pod) for pod, its in zip(started, sides, strict=True) if its == side)
            for side in set(sides)
        }
        if portions is None:
            everyone = sum(ready.values())
            parts = {side: 1 / everyone if everyone else 0.0 for side in ready}
        else:
            parts = {side: portions.get(side, 0.0) / alive if alive else 0.0 for side, alive in ready.items()}
        return [_pod(name, pod, parts[side]) for pod, side in zip(started, sides, strict=True)]

    def _side(self, name: Name, pod: Obj) -> str:
        if name in self._mesh:
            return labels_of(pod).get("app", "")
        return labels_of(pod).get(ROLLOUT_HASH_LABEL, "") if name in self._routed else ""

    def _portions(self, name: Name) -> Mapping[str, float] | None:
        """Part of the requests by template hash, or by what Flagger calls the pods; None where pods share alike."""
        if name in self._mesh:
            part = self._mesh[name] / 100
            return {name[1]: part, f"{name[1]}{PRIMARY}": 1 - part}
        rollout = self._store.get("rollouts", name[0], name[1]) if name in self._routed else None
        weights = _weights(rollout or {})
        if not weights:
            return None
        portions: dict[str, float] = {}
        for side in (weights["stable"], weights["canary"]):
            mark = side["podTemplateHash"]
            portions[mark] = portions.get(mark, 0.0) + side["weight"] / 100
        return portions


def _weights(rollout: Obj) -> Obj:
    found: Obj = (status_of(rollout).get("canary") or {}).get("weights") or {}
    return found


def _started(pod: Obj) -> bool:
    containers = status_of(pod).get("containerStatuses") or []
    return bool(containers) and containers[0]["state"].get("waiting", {}).get("reason") != "ContainerCreating"


def digest_of(image: str) -> str:
    """The digest of an image, or the whole reference when it has none: what tells two versions apart."""
    return image.rpartition("@")[2] or image


def _pod(name: Name, pod: Obj, part: float) -> Pod:
    container = status_of(pod)["containerStatuses"][0]
    running = container["state"].get("running") or {}
    ready = is_ready(pod)
    return Pod(
        namespace=name[0],
        name=name_of(pod),
        workload=name[1],
        version=digest_of(str(pod["spec"]["containers"][0]["image"])),
        share=part if ready else 0.0,
        ready=ready,
        started=moment(running.get("startedAt") or pod["metadata"]["creationTimestamp"]),
        node=str(pod["spec"].get("nodeName", "")),
    )
