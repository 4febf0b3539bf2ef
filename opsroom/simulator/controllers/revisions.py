"""ReplicaSets as the numbered revisions of their owner: Deployments and Argo Rollouts keep them alike.

Sources: k8s.io pkg/controller/deployment/util/deployment_util.go; argo-rollouts utils/annotations, which began as its
copy. Pure; it knows neither strategy nor size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsroom.simulator.controllers.changes import Change, Delete, Merge, key_of
from opsroom.simulator.controllers.objects import (
    Obj,
    annotations_of,
    controller_reference,
    count,
    desired_replicas,
    name_of,
    namespace_of,
)
from opsroom.simulator.controllers.template_hash import bare_template

_HISTORY_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Revisions:
    """The label and annotations by which one kind of owner knows its ReplicaSets."""

    hash_label: str
    number: str
    former: str
    desired: str
    kept_back: frozenset[str]
    """Annotations of the owner that its ReplicaSets do not inherit."""

    def number_of(self, obj: Obj) -> int:
        """The revision of a ReplicaSet or its owner, 0 for none."""
        text = annotations_of(obj).get(self.number, "")
        return int(text) if text.isdigit() else 0

    def next_number(self, others: Iterable[Obj]) -> int:
        """The number that a new or re-used ReplicaSet gets."""
        return max((self.number_of(one) for one in others), default=0) + 1

    def renumbered(self, owner: Obj, replica_set: Obj, number: int) -> list[Change]:
        """The newest number for a re-used ReplicaSet, which remembers its former ones."""
        if self.number_of(replica_set) >= number:
            return []
        known = annotations_of(replica_set)
        annotations = self._inherited(owner) | {self.number: str(number)}
        if former := known.get(self.number):
            annotations[self.former] = ",".join(filter(None, (known.get(self.former), former)))
        return [Merge(key_of("replicasets", replica_set), {"metadata": {"annotations": annotations}})]

    def replica_set(self, owner: Obj, mark: str, number: int, size: int, **annotations: str) -> Obj:
        """The ReplicaSet of the owner's present template, whose hash is `mark`."""
        template = bare_template(owner["spec"]["template"])
        labels = {**(template["metadata"].get("labels") or {}), self.hash_label: mark}
        chosen = {**(owner["spec"]["selector"].get("matchLabels") or {}), self.hash_label: mark}
        spec: Obj = {
            "replicas": size,
            "selector": {"matchLabels": chosen},
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        }
        if wait := owner["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = wait
        own = {self.number: str(number), self.desired: str(desired_replicas(owner))}
        metadata = {
            "name": f"{name_of(owner)}-{mark}",
            "namespace": namespace_of(owner),
            "labels": labels,
            "annotations": self._inherited(owner) | own | annotations,
            "ownerReferences": [controller_reference(owner)],
        }
        return {"metadata": metadata, "spec": spec, "status": {"replicas": 0}}

    def forgotten(self, owner: Obj, old: Iterable[Obj]) -> list[Change]:
        """Delete idle ReplicaSets beyond `revisionHistoryLimit`, oldest revision first."""
        limit = owner["spec"].get("revisionHistoryLimit")
        keep = _HISTORY_LIMIT if limit is None else int(limit)
        idle = [one for one in old if not desired_replicas(one) and not count(one, "replicas")]
        idle.sort(key=self.number_of)
        return [Delete(key_of("replicasets", one)) for one in idle[: max(0, len(idle) - keep)]]

    def _inherited(self, owner: Obj) -> dict[str, str]:
        return {key: value for key, value in annotations_of(owner).items() if key not in self.kept_back}
