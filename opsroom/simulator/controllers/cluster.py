"""A cluster: the object store with all controllers at work on it.

The table of controllers is here: which function reconciles which resource, and what it gets to see. It knows no
traffic and no schedule.
"""

from __future__ import annotations

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.changes import Change
from opsroom.simulator.controllers.deployment import reconcile_deployment
from opsroom.simulator.controllers.flagger import FLOOR, Flagger
from opsroom.simulator.controllers.flagger_hooks import Caller
from opsroom.simulator.controllers.kubelet import Programs, reconcile_pod
from opsroom.simulator.controllers.loop import ControlLoop, Reconcile
from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of
from opsroom.simulator.controllers.replicaset import reconcile_replica_set
from opsroom.simulator.controllers.rollout import reconcile_rollout
from opsroom.simulator.kube.store import Store


class Cluster:
    """Store, controllers and their clock; `programs` tells the kubelet how pods fare, `seed` fixes names and uids.

    `floor` is the shortest interval (seconds) of Flagger's ticks; `caller` makes its calls, over HTTP unless given.
    """

    def __init__(
        self, clock: Clock, programs: Programs, seed: int, *, floor: float = FLOOR, caller: Caller | None = None
    ) -> None:
        def pod(obj: Obj, _loop: ControlLoop, now: float) -> list[Change]:
            return reconcile_pod(obj, programs, now)

        self.clock = clock
        self.store = Store(clock, seed=seed)
        self.flagger = Flagger(self.store, caller, floor)
        reconcilers: dict[str, Reconcile] = {
            "deployments": _deployment,
            "rollouts": _rollout,
            "replicasets": _replica_set,
            "pods": pod,
            "canaries": self.flagger.reconcile,
        }
        self.loop = ControlLoop(self.store, reconcilers)

    def run(self) -> None:
        """Let the controllers do everything that is due now."""
        self.loop.run(self.clock())

    def pass_time(self, seconds: float) -> None:
        """Move a held clock on, from one appointment of the controllers to the next."""
        end = self.clock() + seconds
        self.run()
        while (due := self.loop.next_due) is not None and due <= end:
            self.clock.move(max(due, self.clock()))
            self.run()
        self.clock.move(end)


def _deployment(obj: Obj, loop: ControlLoop, now: float) -> list[Change]:
    return reconcile_deployment(obj, loop.owned("replicasets", obj), now)


def _replica_set(obj: Obj, loop: ControlLoop, now: float) -> list[Change]:
    return reconcile_replica_set(obj, loop.owned("pods", obj), now)


def _rollout(obj: Obj, loop: ControlLoop, now: float) -> list[Change]:
    strategy = obj["spec"].get("strategy") or {}
    names = [
        (strategy.get(kind) or {}).get(field)
        for kind, field in (
            ("canary", "stableService"),
            ("canary", "canaryService"),
            ("blueGreen", "activeService"),
            ("blueGreen", "previewService"),
        )
    ]
    found = (loop.store.get("services", namespace_of(obj), name) for name in names if name)
    services = {name_of(service): service for service in found if service is not None}
    runs = loop.owned("analysisruns", obj)
    return reconcile_rollout(obj, loop.owned("replicasets", obj), runs, services, now)
