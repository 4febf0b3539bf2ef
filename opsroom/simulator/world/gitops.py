"""What a GitOps operator does to workloads it owns: it puts back what the repository says.

A template that differs from the last release for five seconds (the default self-heal pause of Argo CD) is set again,
so an undo of such a workload does not last; an abort does, because it writes status only. Source: argo-rollouts.md b.3.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.store import Store
from opsroom.simulator.world.manifests import template_change
from opsroom.simulator.world.pipelines import Pipeline
from opsroom.simulator.world.robot import Robot

SELF_HEAL = 5.0


class GitOps:
    """Self-healing of the Rollouts that are marked as owned."""

    def __init__(self, lines: Iterable[Pipeline], store: Store) -> None:
        self._store = store
        self._robot = Robot(store)
        self._lines = [line for line in lines if line.service.gitops]
        self._drifted: dict[tuple[str, str], float] = {}

    def run(self, now: float) -> None:
        """Note what drifted, heal what has for long enough."""
        for line in self._lines:
            name = (line.service.namespace, line.service.name)
            rollout = self._store.get("rollouts", *name)
            if rollout is None or _image(rollout) == line.current.image:
                self._drifted.pop(name, None)
            elif now - self._drifted.setdefault(name, now) >= SELF_HEAL:
                self._robot.patch("rollouts", *name, template_change(line.service, line.current, ""))
                del self._drifted[name]


def _image(rollout: Obj) -> str:
    return str(rollout["spec"]["template"]["spec"]["containers"][0]["image"])
