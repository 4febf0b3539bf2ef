"""PodDisruptionBudgets: their status, and what they say to an eviction.

Rules: K8S pkg/controller/disruption/disruption.go and pkg/registry/core/pod/storage/eviction.go. The status is
brought up to date when somebody is about to look (`settle`), not on every change of a pod: reading ten thousand
pods for each event would cost more than all the rest of the simulator.
"""

from __future__ import annotations

import math
from typing import Any

from opsroom.simulator.clock import stamp
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.resources import BY_KIND
from opsroom.simulator.kube.selectors import matches
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Event, Obj

_WATCHED = frozenset({"pods", "poddisruptionbudgets", "deployments", "replicasets", "rollouts"})


class Disruption:
    """The disruption controller and the eviction gate of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stale = True
        store.subscribe(self._note)

    def _note(self, event: Event) -> None:
        if event.resource in _WATCHED:
            self._stale = True

    def settle(self) -> None:
        """Bring the status of every budget up to date."""
        if not self._stale:
            return
        for budget in self._store.list("poddisruptionbudgets"):
            self._refresh(budget)
        self._stale = False

    def check(self, pod: Obj) -> None:
        """Raise ApiError 429 if evicting `pod` would break its budget; else count the disruption.

        A pod that two budgets select answers 500 in a 201 on a real server; here the caller gets ApiError 500.
        """
        if (pod.get("status") or {}).get("phase") in ("Pending", "Succeeded", "Failed"):
            return
        self.settle()
        budgets = [
            budget
            for budget in self._store.list("poddisruptionbudgets", pod["metadata"]["namespace"])
            if matches(budget["spec"].get("selector"), pod["metadata"].get("labels"))
        ]
        if not budgets:
            return
        if len(budgets) > 1:
            message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise ApiError(500, "", message)
        budget, status = budgets[0], budgets[0]["status"]
        always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
        met = status["currentHealthy"] >= status["desiredHealthy"] > 0
        if not _healthy(pod) and (always or met):
            return
        if status["disruptionsAllowed"] < 1:
            name = budget["metadata"]["name"]
            needs, has = status["desiredHealthy"], status["currentHealthy"]
            text = f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
            details = {"causes": [{"reason": "DisruptionBudget", "message": text}]}
            message = "Cannot evict pod as it would violate the pod's disruption budget."
            raise ApiError(429, "TooManyRequests", message, details)

    def _refresh(self, budget: Obj) -> None:
        meta, spec = budget["metadata"], budget["spec"]
        pods = [
            pod
            for pod in self._store.list("pods", meta["namespace"])
            if matches(spec.get("selector"), pod["metadata"].get("labels"))
            and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        ]
        healthy = sum(_healthy(pod) for pod in pods)
        expected, desired = self._wanted(spec, pods)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        status: dict[str, Any] = {
            "observedGeneration": meta.get("generation", 1),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": [self._condition(budget, allowed > 0)],
        }
        patch = {"status": status}
        self._store.merge(
            "poddisruptionbudgets",
            meta["namespace"],
            meta["name"],
            patch,
            subresource="status",
            manager="kube-controller-manager",
        )

    def _condition(self, budget: Obj, allowed: bool) -> dict[str, Any]:
        condition = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "observedGeneration": budget["metadata"].get("generation", 1),
            "lastTransitionTime": stamp(self._store.now()),
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
        }
        for old in (budget.get("status") or {}).get("conditions") or ():
            if old["type"] == condition["type"] and old["status"] == condition["status"]:
                condition["lastTransitionTime"] = old["lastTransitionTime"]
        return condition

    def _wanted(self, spec: dict[str, Any], pods: list[Obj]) -> tuple[int, int]:
        """(expected pods, desired healthy): a whole minAvailable counts pods, all else asks the controllers."""
        minimum, maximum = spec.get("minAvailable"), spec.get("maxUnavailable")
        if isinstance(minimum, int):
            return len(pods), minimum
        expected = self._scale_of_controllers(pods)
        if maximum is not None:
            return expected, max(0, expected - _share(maximum, expected))
        return expected, _share(minimum or 0, expected)

    def _scale_of_controllers(self, pods: list[Obj]) -> int:
        scales: dict[str, int] = {}
        for pod in pods:
            owner = self._controller(pod)
            if owner is not None and owner["kind"] == "ReplicaSet":
                owner = self._controller(owner) or owner
            if owner is not None:
                scales[owner["metadata"]["uid"]] = int((owner.get("spec") or {}).get("replicas") or 0)
        return sum(scales.values())

    def _controller(self, obj: Obj) -> Obj | None:
        for owner in obj["metadata"].get("ownerReferences") or ():
            kind = BY_KIND.get((owner.get("apiVersion", ""), owner.get("kind", "")))
            if owner.get("controller") and kind is not None:
                return self._store.get(kind.plural, obj["metadata"]["namespace"], owner["name"])
        return None


def _share(value: int | str, total: int) -> int:
    if isinstance(value, int):
        return value
    return math.ceil(int(value.rstrip("%")) * total / 100)


def _healthy(pod: Obj) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
