"""The structure that every object must have, whatever its kind: maps where maps belong, lists, strings.

A real server refuses such bodies while decoding; here it also keeps one odd write from breaking every later reader.
The paths are those that this simulator and its controllers read.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube import schema
from opsroom.simulator.kube.failures import bad_request, invalid
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.versions import Obj

# A shape: a dictionary of the fields that matter, [shape] for a list, or one of these words.
_TEXT, _NUMBER, _FLAG, _MAP, _TEXTS, _OBJECT = "string", "integer", "boolean", "map", "strings", "object"
_LABEL_SELECTOR = {"matchLabels": _MAP, "matchExpressions": [{"key": _TEXT, "operator": _TEXT, "values": _TEXTS}]}
_METADATA = {
    "name": _TEXT,
    "generateName": _TEXT,
    "namespace": _TEXT,
    "uid": _TEXT,
    "resourceVersion": _TEXT,
    "creationTimestamp": _TEXT,
    "deletionTimestamp": _TEXT,
    "labels": _MAP,
    "annotations": _MAP,
    "finalizers": _TEXTS,
    "ownerReferences": [{"apiVersion": _TEXT, "kind": _TEXT, "name": _TEXT, "uid": _TEXT}],
    "managedFields": [{"manager": _TEXT}],
}
_CONTAINER = {
    "name": _TEXT,
    "image": _TEXT,
    "resources": {"requests": _OBJECT, "limits": _OBJECT},
    "ports": [{"name": _TEXT}],
    "env": [{"name": _TEXT}],
    "volumeMounts": [{"mountPath": _TEXT}],
}
_POD_SPEC = {"containers": [_CONTAINER], "initContainers": [_CONTAINER], "volumes": [{"name": _TEXT}]}
_SPEC = {
    **_POD_SPEC,
    "template": {"metadata": _METADATA, "spec": _POD_SPEC},
    "strategy": {"rollingUpdate": _OBJECT, "canary": {"steps": [_OBJECT]}, "blueGreen": _OBJECT},
    "ports": [{"name": _TEXT}],
    "holderIdentity": _TEXT,
    **dict.fromkeys(schema.INTEGERS, _NUMBER),
    **dict.fromkeys(schema.BOOLEANS, _FLAG),
    "paramRef": {"name": _TEXT, "namespace": _TEXT},
    "matchResources": {"namespaceSelector": _LABEL_SELECTOR},
    "matchConditions": [_OBJECT],
}
_RULE = {"verbs": _TEXTS, "apiGroups": _TEXTS, "resources": _TEXTS, "resourceNames": _TEXTS, "nonResourceURLs": _TEXTS}
_SUBJECT = {"kind": _TEXT, "name": _TEXT, "namespace": _TEXT}
_STATUS = {"conditions": [{"type": _TEXT, "status": _TEXT}], "containerStatuses": [{"name": _TEXT}], "phase": _TEXT}
_ABOUT = {"kind": _TEXT, "name": _TEXT, "uid": _TEXT}
_OBJECTS: Obj = {
    "apiVersion": _TEXT,
    "kind": _TEXT,
    "metadata": _METADATA,
    "spec": {**_SPEC, "selector": _LABEL_SELECTOR},
    "status": _STATUS,
    "data": _OBJECT,
    "rules": [_RULE],
    "subjects": [_SUBJECT],
    "roleRef": {"kind": _TEXT, "name": _TEXT},
    "involvedObject": _ABOUT,
    "regarding": _ABOUT,
    "source": {"component": _TEXT},
}


def structured(kind: Kind, obj: Any) -> Obj:
    """The object without nulls in the fields known here. Raises ApiError 400, for custom resources 422."""
    try:
        checked: Obj = _checked(_shape_of(kind), obj, "")
    except _Wrong as wrong:
        path, wanted, got = wrong.args
        if kind.custom and path:
            message = f'Invalid value: "{got}": {path} in body must be of type {wanted}: "{got}"'
            meta = obj.get("metadata") if isinstance(obj, dict) else None
            name = str(meta.get("name", "")) if isinstance(meta, dict) else ""
            raise invalid(
                kind, name, [{"reason": "FieldValueTypeInvalid", "message": message, "field": path}]
            ) from None
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: json: cannot unmarshal '
            f"{got} into Go struct field {_go_path(kind, path)} of type {wanted}"
        ) from None
    return checked


class _Wrong(Exception):
    """(path, wanted type, type found)"""


def _shape_of(kind: Kind) -> Obj:
    if kind.plural == "services":
        return {**_OBJECTS, "spec": {**_SPEC, "selector": _MAP}}
    if kind.custom and kind.plural != "rollouts":
        return {**_OBJECTS, "spec": _OBJECT}
    if kind.plural == "rollouts":
        # schema.check_types words the refusal of its numbers.
        told = (*schema.INTEGERS, *schema.BOOLEANS)
        spec = {key: shape for key, shape in _OBJECTS["spec"].items() if key not in told}
        return {**_OBJECTS, "spec": spec}
    return _OBJECTS


def _checked(shape: Any, value: Any, path: str) -> Any:
    if isinstance(shape, dict) or shape == _OBJECT:
        if not isinstance(value, dict):
            raise _Wrong(path, "object", _type_of(value))
        return _fields(shape if isinstance(shape, dict) else {}, value, path)
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise _Wrong(path, "array", _type_of(value))
        return [_checked(shape[0], item, f"{path}[{number}]") for number, item in enumerate(value)]
    if shape == _TEXTS:
        return _checked([_TEXT], value, path)
    if shape == _MAP:
        if not isinstance(value, dict):
            raise _Wrong(path, "object", _type_of(value))
        return {key: _checked(_TEXT, below, f"{path}.{key}") for key, below in value.items()}
    if shape == _TEXT and not isinstance(value, str):
        raise _Wrong(path, "string", _type_of(value))
    if shape == _NUMBER and (not isinstance(value, int) or isinstance(value, bool)):
        raise _Wrong(path, "int32", _type_of(value))
    if shape == _FLAG and not isinstance(value, bool):
        raise _Wrong(path, "bool", _type_of(value))
    return value


def _fields(shape: Obj, value: Obj, path: str) -> Obj:
    kept = dict(value)
    for name, below in shape.items():
        if name in kept:
            if kept[name] is None:
                del kept[name]
            else:
                kept[name] = _checked(below, kept[name], f"{path}.{name}" if path else name)
    return kept


def _go_path(kind: Kind, path: str) -> str:
    """`DeploymentSpec.spec.replicas`: Go names the struct of the field, then the path (right one level deep)."""
    structs = {"spec": f"{kind.kind}Spec", "status": f"{kind.kind}Status", "metadata": "ObjectMeta"}
    half, dot, _ = path.partition(".")
    return f"{structs.get(half, kind.kind) if dot else kind.kind}.{path}"


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names: dict[type, str] = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")
