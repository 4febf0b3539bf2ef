"""Writes: create, replace, and patch in its four kinds; deletion is in deleting.py.

Each does what the API server does in its order: decode, validate fields, find the live object, admission, store.
Nothing here awaits, so that reading the live object and writing the new one are one step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsroom.simulator.clock import stamp
from opsroom.simulator.kube import applying, failures, fields, schema
from opsroom.simulator.kube.calls import Answer, Call, decode_body, decode_json, decode_yaml
from opsroom.simulator.kube.checking import check_names, validated
from opsroom.simulator.kube.deleting import found
from opsroom.simulator.kube.failures import ApiError, bad_request
from opsroom.simulator.kube.hold import Hold
from opsroom.simulator.kube.patches import PatchFailed, json_patch, merge_patch
from opsroom.simulator.kube.protobuf import CONTENT_TYPE
from opsroom.simulator.kube.resources import BY_PLURAL
from opsroom.simulator.kube.scaling import SCALE, scale_of, scaled
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.strategic import strategic_merge
from opsroom.simulator.kube.structure import structured
from opsroom.simulator.kube.versions import Obj

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_BODY_TYPES = ("", "application/json", "application/yaml", CONTENT_TYPE)
_CUSTOM_PATCHES = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
_BUILT_IN_PATCHES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH]
# Kinds whose registry refuses an update without a resourceVersion (AllowUnconditionalUpdate is false).
_CONDITIONAL_UPDATE = frozenset({"leases", "poddisruptionbudgets"})


class Writer:
    """The write side of the API for one store."""

    def __init__(self, store: Store, hold: Hold) -> None:
        self._store = store
        self._hold = hold

    def create(self, call: Call) -> Answer:
        """POST of an object: 201."""
        target, kind = call.target, call.target.kind
        obj = self._object(call)
        if kind.namespaced:
            self._require_namespace(target.namespace)
        obj, warnings = validated(call, obj)
        owners = None
        if target.shown is not kind:  # ownership is recorded in the spelling that was used
            named, time = fields.declared(target.shown, obj, None), stamp(self._store.now())
            owners = [fields.entry_of(target.shown, call.manager, "Update", named, time, None)]
        stored = self._store.create(
            kind.plural,
            target.inward(obj),
            namespace=target.namespace or None,
            manager=call.manager if owners is None else None,
            dry_run=call.dry_run,
            managed_fields=owners,
        )
        return Answer(201, target.outward(stored), warnings)

    def update(self, call: Call) -> Answer:
        """PUT of an object or its status: 200."""
        target, kind = call.target, call.target.kind
        obj = self._object(call)
        meta = obj["metadata"]
        if not meta.get("resourceVersion") and (kind.custom or kind.plural in _CONDITIONAL_UPDATE):
            message = "Invalid value: 0: must be specified for an update"
            cause = {"reason": "FieldValueInvalid", "message": message, "field": "metadata.resourceVersion"}
            raise failures.invalid(kind, target.name, [cause])
        obj, warnings = validated(call, obj)
        stored = self._replace(call, found(self._store, call), target.inward(obj))
        return Answer(200, target.outward(stored), warnings)

    def patch(self, call: Call) -> Answer:
        """PATCH of an object or its status: 200, or 201 when an apply creates it."""
        kind = call.target.kind
        content = call.headers.get("content-type", "").partition(";")[0].strip()
        accepted = _CUSTOM_PATCHES if kind.custom else _BUILT_IN_PATCHES
        if content not in accepted:
            raise failures.unsupported_media_type(accepted)
        if content == APPLY_PATCH:
            return self._apply(call)
        live = found(self._store, call)
        patched = _patched(content, call.body, call.target.outward(live))
        patched = structured(kind, patched)
        patched.setdefault("metadata", {})
        check_names(call, patched)
        patched, warnings = validated(call, patched)
        stored = self._replace(call, live, call.target.inward(patched))
        return Answer(200, call.target.outward(stored), warnings)

    def scale(self, call: Call, live: Obj, scale: Obj) -> Obj:
        """PUT or PATCH of a Scale: the Scale after it."""
        if call.method == "PUT":
            wanted = decode_body(call.headers.get("content-type", ""), call.body)
        elif call.method == "PATCH":
            content = call.headers.get("content-type", "").partition(";")[0].strip()
            if content not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
                raise failures.unsupported_media_type(_CUSTOM_PATCHES)
            wanted = _patched(content, call.body, scale)
        else:
            raise failures.method_not_allowed()
        wanted = structured(SCALE, wanted)
        stored = self._store.replace(
            call.target.kind.plural, scaled(live, wanted), manager=call.manager, dry_run=call.dry_run
        )
        return scale_of(call.target.kind, stored)

    def _replace(self, call: Call, live: Obj, new: Obj) -> Obj:
        subresource = call.target.subresource or None
        if subresource is None:
            schema.check_selector(call.target.kind, live, new)
        return self._store.replace(
            call.target.kind.plural,
            new,
            subresource=subresource,
            manager=call.manager,
            dry_run=call.dry_run,
            admit=self._admission(call),
        )

    def _admission(self, call: Call) -> Callable[[Obj, Obj], Obj] | None:
        if call.target.subresource:
            return None
        return lambda old, new: self._hold.admit(call.target.kind, old, new, call.user)

    def _apply(self, call: Call) -> Answer:
        target, kind = call.target, call.target.kind
        if not call.query.get("fieldManager"):
            message = (
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
            )
            cause = {"reason": "FieldValueRequired", "message": "Required value: is required for apply patch"}
            details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [{**cause, "field": "fieldManager"}]}
            raise ApiError(422, "Invalid", message, details)
        declared = structured(kind, decode_yaml(call.body))
        declared.setdefault("metadata", {})
        if declared["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        check_names(call, declared)
        declared, warnings = validated(call, declared)
        live = self._store.get(kind.plural, target.namespace, target.name)
        if live is None and target.subresource:
            raise failures.not_found(kind, target.name)
        merged, owners = applying.apply(
            kind,
            live,
            target.inward(declared),
            manager=call.manager,
            force=call.query.get("force") in ("true", "1"),
            subresource=target.subresource or None,
            time=stamp(self._store.now()),
        )
        if live is None:
            return self._apply_creates(call, merged, owners, warnings)
        stored = self._store.replace(
            kind.plural,
            merged,
            subresource=target.subresource or None,
            dry_run=call.dry_run,
            managed_fields=owners,
            admit=self._admission(call),
        )
        return Answer(200, target.outward(stored), warnings)

    def _apply_creates(self, call: Call, merged: Obj, owners: list[Obj], warnings: tuple[str, ...]) -> Answer:
        target, kind = call.target, call.target.kind
        if kind.namespaced:
            self._require_namespace(target.namespace)
        named = {**merged, "metadata": {**merged["metadata"], "name": target.name}}
        stored = self._store.create(
            kind.plural, named, namespace=target.namespace or None, dry_run=call.dry_run, managed_fields=owners
        )
        return Answer(201, target.outward(stored), warnings)

    def _object(self, call: Call) -> Obj:
        content = call.headers.get("content-type", "").partition(";")[0].strip()
        if content not in _BODY_TYPES:
            accepted = ["application/json", "application/yaml", CONTENT_TYPE]
            raise failures.unsupported_media_type(accepted[:2] if call.target.kind.custom else accepted)
        obj = structured(call.target.kind, decode_body(content, call.body))
        obj.setdefault("metadata", {})
        check_names(call, obj)
        return obj

    def _require_namespace(self, namespace: str) -> None:
        if self._store.get("namespaces", None, namespace) is None:
            raise failures.not_found(BY_PLURAL["namespaces"], namespace)


def _patched(content: str, body: bytes, live: Obj) -> Any:
    patch = decode_json(body, "error decoding patch: ")
    if content == JSON_PATCH:
        if not isinstance(patch, list):
            raise bad_request("error decoding patch: a JSON patch is a list of operations")
        try:
            return json_patch(live, patch)
        except PatchFailed:
            raise failures.patch_does_not_apply() from None
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: a merge patch is an object")
    return strategic_merge(live, patch) if content == STRATEGIC_PATCH else merge_patch(live, patch)
