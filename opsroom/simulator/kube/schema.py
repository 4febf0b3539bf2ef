"""The little of the schemas that matters here: known fields, and types of the fields people get wrong.

Not OpenAPI: one level of `spec` a kind. Enough for `fieldValidation` (Strict, Warn), for pruning unknown fields,
and for refusing `replicas: five`. Field names: the Argo Rollouts 1.9 and Flagger CRDs, K8S v1.36 apps/v1.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.failures import invalid
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.versions import Obj

_METADATA = frozenset(
    {"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers"}
    | {"managedFields"}
)
_WORKLOAD = {"replicas", "selector", "template", "minReadySeconds"}
_SPEC_FIELDS: dict[str, frozenset[str]] = {
    "rollouts": frozenset(
        _WORKLOAD
        | {"analysis", "paused", "progressDeadlineAbort", "progressDeadlineSeconds", "restartAt"}
        | {"revisionHistoryLimit", "rollbackWindow", "strategy", "workloadRef"}
    ),
    "canaries": frozenset(
        {"analysis", "autoscalerRef", "canaryAnalysis", "ingressRef", "metricsServer", "progressDeadlineSeconds"}
        | {"provider", "revertOnDeletion", "routeRef", "service", "skipAnalysis", "suspend", "targetRef"}
        | {"upstreamRef"}
    ),
    "analysisruns": frozenset({"args", "dryRun", "measurementRetention", "metrics", "terminate", "ttlStrategy"}),
    "deployments": frozenset(_WORKLOAD | {"paused", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy"}),
    "replicasets": frozenset(_WORKLOAD),
    "poddisruptionbudgets": frozenset({"maxUnavailable", "minAvailable", "selector", "unhealthyPodEvictionPolicy"}),
    "leases": frozenset(
        {"acquireTime", "holderIdentity", "leaseDurationSeconds", "leaseTransitions", "preferredHolder"}
        | {"renewTime", "strategy"}
    ),
}
INTEGERS = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
BOOLEANS = ("paused", "suspend", "skipAnalysis", "terminate")


def unknown_fields(kind: Kind, obj: Obj) -> list[str]:
    """Paths of fields that the kind does not have, in the order they are reported."""
    found = []
    known = _SPEC_FIELDS.get(kind.plural)
    if known is not None:
        found += [f"spec.{name}" for name in sorted(obj.get("spec") or {}) if name not in known]
        top = {"apiVersion", "kind", "metadata", "spec", "status"}
        found += [name for name in sorted(obj) if name not in top]
    found += [f"metadata.{name}" for name in sorted(obj.get("metadata") or {}) if name not in _METADATA]
    return found


def prune(kind: Kind, obj: Obj) -> Obj:
    """The object without unknown fields."""
    for path in unknown_fields(kind, obj):
        head, _, name = path.partition(".")
        if name:
            obj = {**obj, head: {key: value for key, value in obj[head].items() if key != name}}
        else:
            obj = {key: value for key, value in obj.items() if key != head}
    return obj


def check_types(kind: Kind, obj: Obj) -> None:
    """Raise ApiError 422 for a field of a wrong type in a custom resource; `structure` refuses those of other kinds."""
    spec = obj.get("spec")
    if not isinstance(spec, dict) or not kind.custom or kind.plural not in _SPEC_FIELDS:
        return
    causes = []
    for names, wanted in ((INTEGERS, "integer"), (BOOLEANS, "boolean")):
        for name in names:
            value = spec.get(name)
            if value is None or _type_name(value) == wanted:
                continue
            causes += _causes(kind, name, value, wanted)
    if causes:
        causes.append(
            {
                "reason": "FieldValueInvalid",
                "message": "Invalid value: null: some validation rules were not checked because the object was "
                "invalid; correct the existing errors to complete validation",
                "field": "<nil>",
            }
        )
        raise invalid(kind, (obj.get("metadata") or {}).get("name", ""), causes)


def check_selector(kind: Kind, old: Obj, new: Obj) -> None:
    """Raise ApiError 422 when the immutable `spec.selector` of a workload changes."""
    if kind.plural not in ("deployments", "replicasets", "rollouts"):
        return
    before, after = (old.get("spec") or {}).get("selector"), (new.get("spec") or {}).get("selector")
    if before != after and before is not None:
        message = "Invalid value: field is immutable"
        raise invalid(
            kind,
            old["metadata"]["name"],
            [{"reason": "FieldValueInvalid", "message": message, "field": "spec.selector"}],
        )


def _causes(kind: Kind, name: str, value: Any, wanted: str) -> list[dict[str, str]]:
    got = _type_name(value)
    text = f'Invalid value: "{got}": spec.{name} in body must be of type {wanted}: "{got}"'
    causes = [{"reason": "FieldValueTypeInvalid", "message": text, "field": f"spec.{name}"}]
    if name == "replicas" and kind.scale:
        # The /scale subresource reads the same path and complains on its own.
        text = f"Invalid value: 0: .spec.{name} accessor error: {value} is of the type {got}, expected int64"
        causes.append({"reason": "FieldValueInvalid", "message": text, "field": f".spec.{name}"})
    return causes


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
