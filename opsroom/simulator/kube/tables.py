"""Server-side printing: the columns of `kubectl get`, as meta.k8s.io/v1 Table.

Columns: K8S pkg/printers/internalversion/printers.go for built-in kinds, `additionalPrinterColumns` of the CRDs
for the others. Pure; `now` in Unix seconds gives the ages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from opsroom.simulator.clock import moment
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.selectors import as_text
from opsroom.simulator.kube.versions import Obj

Cell = Callable[[Obj, float], Any]
Column = tuple[str, str, str, int, Cell]  # name, type, description, priority, cell

_NAME_WORDS = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may "
    "allow a client to request the generation of an appropriate name automatically. Name is primarily intended for "
    "creation idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)


def human_age(seconds: float) -> str:
    """`5m`, `2d3h`: K8S apimachinery/pkg/util/duration HumanDuration."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def _at(path: str, default: Any = None) -> Cell:
    parts = path.split(".")

    def cell(obj: Obj, _: float) -> Any:
        value: Any = obj
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return default if value is None else value

    return cell


def _age(obj: Obj, now: float) -> str:
    return _since(obj["metadata"].get("creationTimestamp"), now)


def _since(stamp: str | None, now: float) -> str:
    return human_age(now - moment(stamp)) if stamp else "<unknown>"


def _ready_of(obj: Obj, _: float) -> str:
    return f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{(obj.get('spec') or {}).get('replicas', 0)}"


def _containers(obj: Obj) -> list[Obj]:
    found: list[Obj] = (obj.get("status") or {}).get("containerStatuses") or []
    return found


def _pod_ready(obj: Obj, _: float) -> str:
    ready = sum(bool(one.get("ready")) for one in _containers(obj))
    return f"{ready}/{len((obj.get('spec') or {}).get('containers') or ())}"


def _pod_status(obj: Obj, _: float) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = obj.get("status") or {}
    for one in _containers(obj):
        for state in ("waiting", "terminated"):
            reason = ((one.get("state") or {}).get(state) or {}).get("reason")
            if reason:
                return str(reason)
    return str(status.get("reason") or status.get("phase") or "")


def _restarts(obj: Obj, _: float) -> str:
    return str(sum(int(one.get("restartCount", 0)) for one in _containers(obj)))


def _ports(obj: Obj, _: float) -> str:
    ports = (obj.get("spec") or {}).get("ports") or ()
    return ",".join(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def _event_object(obj: Obj, _: float) -> str:
    regarding = obj.get("involvedObject") or {}
    return f"{str(regarding.get('kind', '')).lower()}/{regarding.get('name', '')}"


def _event_seen(obj: Obj, now: float) -> str:
    return _since(obj.get("lastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp"), now)


def _selector_text(obj: Obj, _: float) -> str:
    return as_text((obj.get("spec") or {}).get("selector")) or "<none>"


def _keys(obj: Obj, _: float) -> int:
    return len(obj.get("data") or {})


_AGE: Column = ("Age", "string", "", 0, _age)
_CRD_AGE: Column = ("Age", "date", "Time since resource was created", 0, _age)


def _col(name: str, cell: Cell, type_: str = "string", priority: int = 0, words: str = "") -> Column:
    return (name, type_, words, priority, cell)


_ROLLOUT_WORDS = "Total number of non-terminated pods targeted by this rollout"
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _col("Ready", _pod_ready),
        _col("Status", _pod_status),
        _col("Restarts", _restarts),
        _AGE,
        _col("IP", _at("status.podIP", "<none>"), priority=1),
        _col("Node", _at("spec.nodeName", "<none>"), priority=1),
    ),
    "deployments": (
        _col("Ready", _ready_of),
        _col("Up-to-date", _at("status.updatedReplicas", 0), "integer"),
        _col("Available", _at("status.availableReplicas", 0), "integer"),
        _AGE,
    ),
    "replicasets": (
        _col("Desired", _at("spec.replicas", 0), "integer"),
        _col("Current", _at("status.replicas", 0), "integer"),
        _col("Ready", _at("status.readyReplicas", 0), "integer"),
        _AGE,
        _col("Selector", _selector_text, priority=1),
    ),
    "statefulsets": (_col("Ready", _ready_of), _AGE),
    "services": (
        _col("Type", _at("spec.type")),
        _col("Cluster-IP", _at("spec.clusterIP", "<none>")),
        _col("External-IP", lambda _obj, _now: "<none>"),
        _col("Port(s)", _ports),
        _AGE,
    ),
    "namespaces": (_col("Status", _at("status.phase")), _AGE),
    "configmaps": (_col("Data", _keys, "integer"), _AGE),
    "secrets": (_col("Type", _at("type", "Opaque")), _col("Data", _keys, "integer"), _AGE),
    "events": (
        _col("Last Seen", _event_seen),
        _col("Type", _at("type")),
        _col("Reason", _at("reason")),
        _col("Object", _event_object),
        _col("Message", _at("message")),
    ),
    "leases": (_col("Holder", _at("spec.holderIdentity")), _AGE),
    "poddisruptionbudgets": (
        _col("Min Available", _at("spec.minAvailable", "N/A")),
        _col("Max Unavailable", _at("spec.maxUnavailable", "N/A")),
        _col("Allowed Disruptions", _at("status.disruptionsAllowed", 0), "integer"),
        _AGE,
    ),
    "rollouts": (
        _col("Desired", _at("spec.replicas"), "integer", words="Number of desired pods"),
        _col("Current", _at("status.replicas"), "integer", words=_ROLLOUT_WORDS),
        _col(
            "Up-to-date",
            _at("status.updatedReplicas"),
            "integer",
            words=f"{_ROLLOUT_WORDS} that have the desired template spec",
        ),
        _col(
            "Available",
            _at("status.availableReplicas"),
            "integer",
            words="Total number of available pods (ready for at least minReadySeconds) targeted by this rollout",
        ),
        _CRD_AGE,
    ),
    "analysisruns": (_col("Status", _at("status.phase"), words="AnalysisRun status"), _CRD_AGE),
    "experiments": (_col("Status", _at("status.phase"), words="Experiment status"), _CRD_AGE),
    "canaries": (
        _col("Status", _at("status.phase")),
        _col("Weight", _at("status.canaryWeight")),
        ("LastTransitionTime", "string", "", 0, _at("status.lastTransitionTime")),
    ),
}


def _columns(kind: Kind) -> tuple[Column, ...]:
    return _COLUMNS.get(kind.plural, (("Created At", "date", "", 0, _at("metadata.creationTimestamp")),))


def column_definitions(kind: Kind) -> list[dict[str, Any]]:
    """The `columnDefinitions` of the kind's table."""
    definitions = [{"name": "Name", "type": "string", "format": "name", "description": _NAME_WORDS, "priority": 0}]
    for name, type_, words, priority, _ in _columns(kind):
        definitions.append({"name": name, "type": type_, "format": "", "description": words, "priority": priority})
    return definitions


def rows(kind: Kind, objects: Iterable[Obj], now: float, include: str = "Metadata") -> list[dict[str, Any]]:
    """Table rows; `include` is the includeObject of the request: Metadata, Object or None."""
    columns = _columns(kind)
    made = []
    for obj in objects:
        cells = [obj["metadata"]["name"], *(cell(obj, now) for *_, cell in columns)]
        row: dict[str, Any] = {"cells": cells}
        if include != "None":
            row["object"] = obj if include == "Object" else partial(obj)
        made.append(row)
    return made


def partial(obj: Obj) -> Obj:
    """PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def table(kind: Kind, objects: Iterable[Obj], metadata: dict[str, Any], now: float, include: str) -> Obj:
    """A whole Table."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": column_definitions(kind),
        "rows": rows(kind, objects, now, include),
    }
