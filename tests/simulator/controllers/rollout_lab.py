"""One Argo Rollout on a simulated cluster with a held clock, for the tests of its controller."""

from __future__ import annotations

from typing import Any

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.controllers.objects import Obj

START = 1_800_000_000.0
NS = "shop"
STEPS: list[Obj] = [
    {"setWeight": 20},
    {"pause": {}},
    {"setWeight": 40},
    {"pause": {}},
    {"setWeight": 80},
    {"pause": {}},
]


class ThreeSeconds:
    """Programs that start in three seconds and stay; `broken` images never run."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def start_seconds(self, pod: Obj) -> float:
        return 1e9 if pod["spec"]["containers"][0]["image"] in self.broken else 3.0

    def container(self, pod: Obj) -> Container:
        return Container()


class Lab:
    """A Rollout named `web` on a cluster of its own, fully promoted at `app:1`."""

    def __init__(self, *, routed: bool = True, steps: list[Obj] | None = None, replicas: int = 5, **spec: Any) -> None:
        self.programs = ThreeSeconds()
        self.cluster = Cluster(Clock(START), self.programs, 1)
        for side in ("stable", "canary"):
            service = {"metadata": {"name": f"web-{side}", "namespace": NS}, "spec": {"selector": {"app": "web"}}}
            self.cluster.store.create("services", service)
        canary: Obj = {"stableService": "web-stable", "canaryService": "web-canary"}
        canary["steps"] = STEPS if steps is None else steps
        canary |= {"trafficRouting": {"nginx": {"stableIngress": "web"}}} if routed else {"maxSurge": 1}
        body: Obj = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template("app:1"),
            "strategy": {"canary": canary},
            **spec,
        }
        self.cluster.store.create("rollouts", {"metadata": {"name": "web", "namespace": NS}, "spec": body})
        self.cluster.pass_time(10)

    @property
    def rollout(self) -> Obj:
        found = self.cluster.store.get("rollouts", NS, "web")
        assert found is not None
        return found

    @property
    def status(self) -> Obj:
        status: Obj = self.rollout["status"]
        return status

    @property
    def weight(self) -> int:
        return int(self.status["canary"]["weights"]["canary"]["weight"])

    def spec(self, body: Obj) -> None:
        """Merge patch of the spec, as a client's request."""
        self.cluster.store.merge("rollouts", NS, "web", {"spec": body})

    def patch_status(self, body: Obj) -> None:
        """Merge patch of the status subresource."""
        self.cluster.store.merge("rollouts", NS, "web", {"status": body}, subresource="status")

    def deploy(self, image: str) -> None:
        """Set the image and give the controller time to come to the first pause."""
        self.spec({"template": template(image)})
        self.cluster.pass_time(8)

    def promote(self) -> None:
        """The promote row for a paused canary, and time for the next step."""
        self.patch_status({"pauseConditions": None})
        self.cluster.pass_time(8)

    def progressing(self) -> tuple[str, str]:
        """Status and reason of the Progressing condition."""
        found = next(one for one in self.status["conditions"] if one["type"] == "Progressing")
        return str(found["status"]), str(found["reason"])

    def sizes(self) -> dict[str, int]:
        """Pods by image."""
        found: dict[str, int] = {}
        for pod in self.cluster.store.list("pods", NS):
            image = pod["spec"]["containers"][0]["image"]
            found[image] = found.get(image, 0) + 1
        return found

    def reasons(self) -> list[str]:
        """The reasons of the Rollout's Events, in order."""
        events = self.cluster.store.list("events", NS)
        mine = [one for one in events if one["involvedObject"]["kind"] == "Rollout"]
        return [str(one["reason"]) for one in sorted(mine, key=lambda one: int(one["metadata"]["resourceVersion"]))]


def template(image: str) -> Obj:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}
