"""Reading Kubernetes objects as plain JSON: the few questions that every controller asks.

Objects are dictionaries as the API server would send them and are never changed in place. Nothing here
knows a store or a particular controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsroom.simulator.clock import moment

Obj = dict[str, Any]
"""One API object, or a part of one, as JSON."""


def namespace_of(obj: Obj) -> str:
    """The namespace, or "" for a cluster-scoped object."""
    return str(obj["metadata"].get("namespace", ""))


def name_of(obj: Obj) -> str:
    return str(obj["metadata"]["name"])


def uid_of(obj: Obj) -> str:
    return str(obj["metadata"]["uid"])


def labels_of(obj: Obj) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Obj) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def status_of(obj: Obj) -> Obj:
    return obj.get("status") or {}


def controller_reference(owner: Obj) -> Obj:
    """The ownerReference that makes `owner` the controller of something."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Obj) -> Obj | None:
    """The ownerReference with `controller: true`, if there is one."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def desired_replicas(obj: Obj) -> int:
    """`spec.replicas`; absent means 1, as every apps controller reads it."""
    replicas = obj["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def count(obj: Obj | None, field: str) -> int:
    """A status counter; an absent one is 0, because the API omits zeros."""
    return 0 if obj is None else int(status_of(obj).get(field) or 0)


def total(objects: Iterable[Obj], field: str) -> int:
    return sum(count(one, field) for one in objects)


def total_desired(replica_sets: Iterable[Obj]) -> int:
    return sum(desired_replicas(one) for one in replica_sets)


def without_zeros(status: Obj) -> Obj:
    """A status as Go's `omitempty` leaves it: no zero, no empty text or list, no false."""
    return {key: value for key, value in status.items() if value not in (None, 0, "", False, [], {})}


def is_ready(pod: Obj) -> bool:
    """Whether the pod's Ready condition is True."""
    return ready_since(pod) is not None


def ready_since(pod: Obj) -> float | None:
    """Unix seconds since when the pod is Ready, None while it is not."""
    for one in status_of(pod).get("conditions") or ():
        if one["type"] == "Ready" and one["status"] == "True":
            return moment(one["lastTransitionTime"])
    return None
