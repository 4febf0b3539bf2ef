"""The /scale subresource: a workload as an autoscaling/v1 Scale, and back.

Paths: built-in kinds use spec.replicas, status.replicas and the selector's text; the Rollout CRD declares
`.spec.replicas`, `.status.HPAReplicas` and `.status.selector`.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.selectors import as_text
from opsroom.simulator.kube.versions import Obj

SCALE = Kind("scales", "Scale", "autoscaling")


def scale_of(kind: Kind, obj: Obj) -> Obj:
    """The Scale of a workload."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    shown: dict[str, Any] = {"replicas": status.get("HPAReplicas" if kind.custom else "replicas", 0)}
    selector = status.get("selector", "") if kind.custom else as_text(spec.get("selector"))
    if selector:
        shown["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": SCALE.api_version,
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": shown,
    }


def scaled(obj: Obj, scale: Obj) -> Obj:
    """The workload with the replicas (and the resourceVersion as precondition) of a Scale."""
    replicas = int((scale.get("spec") or {}).get("replicas") or 0)
    rv = (scale.get("metadata") or {}).get("resourceVersion", obj["metadata"]["resourceVersion"])
    meta = {**obj["metadata"], "resourceVersion": rv}
    return {**obj, "metadata": meta, "spec": {**(obj.get("spec") or {}), "replicas": replicas}}
