"""What a sent object is checked for before it is written: its names, its fields, its preconditions.

Texts: K8S staging/src/k8s.io/apiserver/pkg/endpoints/handlers. Nothing here reads the store.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube import failures, schema
from opsroom.simulator.kube.calls import Call
from opsroom.simulator.kube.failures import ApiError, bad_request
from opsroom.simulator.kube.versions import Obj


def check_names(call: Call, obj: Obj) -> None:
    """Raise ApiError 400 unless kind and names in the body agree with the path; fills in what is left out."""
    target, meta = call.target, obj.setdefault("metadata", {})
    shown = target.shown
    wrong_kind = obj.get("kind") not in (None, shown.kind)
    if wrong_kind or obj.get("apiVersion") not in (None, shown.api_version):
        sent = f"{obj.get('apiVersion')}, Kind={obj.get('kind')}"
        raise bad_request(
            f"the API version in the data ({sent}) does not match the expected API version "
            f"({shown.api_version}, Kind={shown.kind})"
        )
    if target.name and meta.get("name") not in (None, target.name):
        raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})")
    if target.kind.namespaced and meta.get("namespace") not in (None, "", target.namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if call.method != "POST":
        meta.setdefault("name", target.name)
        if target.kind.namespaced:
            meta.setdefault("namespace", target.namespace)


def validated(call: Call, obj: Obj) -> tuple[Obj, tuple[str, ...]]:
    """The object without unknown fields, and the warnings about them; Strict refuses it."""
    target = call.target
    if target.shown is not target.kind:
        return obj, ()
    unknown = schema.unknown_fields(target.kind, obj)
    mode = call.query.get("fieldValidation", "") or "Warn"
    complaints = [f'unknown field "{path}"' for path in unknown]
    if unknown and mode == "Strict":
        raise _strict(call, complaints)
    obj = schema.prune(target.kind, obj) if unknown else obj
    schema.check_types(target.kind, obj)
    return obj, tuple(complaints) if mode == "Warn" else ()


def check_preconditions(call: Call, live: Obj, preconditions: dict[str, Any]) -> None:
    """Raise ApiError 409 unless uid and resourceVersion are those that a deletion expects."""
    have = live["metadata"]
    for field, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted = preconditions.get(field)
        if wanted and wanted != have[field]:
            why = f"Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {have[field]}"
            raise failures.conflict(call.target.kind, call.target.name, why)


def _strict(call: Call, complaints: list[str]) -> ApiError:
    kind, listed = call.target.kind, ", ".join(complaints)
    if call.method == "PATCH":
        value = call.body.decode(errors="replace").replace('"', '\\"')
        message = f'Invalid value: "{value}": strict decoding error: {listed}'
        cause = {"reason": "FieldValueInvalid", "message": message, "field": "patch"}
        return ApiError(422, "Invalid", f' "" is invalid: patch: {message}', {"causes": [cause]})
    return bad_request(
        f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: strict decoding error: {listed}'
    )
