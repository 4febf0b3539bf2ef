"""Field ownership: `metadata.managedFields`, in the FieldsV1 form.

A field set is the nested FieldsV1 dictionary itself: `f:name` for a field, `k:{…}` for an item of a keyed
list, `"."` for the node itself, `{}` for a leaf. Rules: K8S staging/src/k8s.io/apimachinery/pkg/util/managedfields
(an Update takes what it changed from everybody; fields that are gone are owned by nobody).
Works from shapes.py, not from schemas: sets of unusual kinds may be coarser than a real server's.
"""

from __future__ import annotations

import json
from typing import Any

from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.shapes import ATOMIC_MAPS, item_key, list_keys
from opsroom.simulator.kube.versions import Obj

FieldSet = dict[str, Any]

_OWNABLE_METADATA = ("labels", "annotations", "finalizers", "ownerReferences", "generateName")
# In built-in kinds only fields that can be null are owned as nodes; these are the ones met in workloads.
_NULLABLE_BUILT_IN = frozenset(
    {"labels", "annotations", "conditions", "rollingUpdate", "limits", "requests", "data", "ownerReferences"}
    | {"resourceAttributes", "matchLabels"}
)
_ABSENT: Any = object()


def key_of(item: Any, keys: tuple[str, ...]) -> str:
    """`k:{"name":"main"}`: how an item of a keyed list is named in a field set."""
    named = dict(zip(keys, item_key(item, keys), strict=True))
    return "k:" + json.dumps(named, separators=(",", ":"))


def changed(old: Any, new: Any, name: str, *, custom: bool, nodes: bool = True) -> FieldSet | None:
    """The fields that `new` sets differently from `old`; None when there is no difference.

    `nodes` also counts new containers themselves (`"."`), as an Update does; an Apply counts only the items of
    keyed lists so.
    """
    if new is old or (old is not _ABSENT and new == old):
        return None
    if isinstance(new, dict) and name not in ATOMIC_MAPS:
        below = old if isinstance(old, dict) else {}
        children = {
            f"f:{key}": sub
            for key, value in new.items()
            if (sub := changed(below.get(key, _ABSENT), value, key, custom=custom, nodes=nodes)) is not None
        }
    elif isinstance(new, list) and (keys := list_keys(name, new, custom=custom)):
        before = {item_key(item, keys): item for item in old} if isinstance(old, list) else {}
        children = {
            key_of(item, keys): sub
            for item in new
            if (sub := changed(before.get(item_key(item, keys), _ABSENT), item, "", custom=custom, nodes=nodes))
            is not None
        }
    else:
        return {}
    fresh = old is _ABSENT or not isinstance(old, type(new))
    if not children:
        return {} if fresh else None
    is_item = name == ""
    if fresh and (is_item or (nodes and (custom or name in _NULLABLE_BUILT_IN))):
        return {".": {}, **children}
    return children


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in either set."""
    if not left or not right:
        more = left or right
        return {".": {}, **more} if more and "." not in more else more
    merged = dict(left)
    for key, value in right.items():
        merged[key] = union(merged[key], value) if key in merged and key != "." else value
    return merged


def difference(left: FieldSet, right: FieldSet) -> FieldSet | None:
    """What is in `left` and not in `right`; None when nothing is left."""
    if not right:
        rest = {key: value for key, value in left.items() if key != "."}
        return rest or None
    if not left:
        return None if "." in right else {}
    kept: FieldSet = {}
    for key, value in left.items():
        if key not in right:
            kept[key] = value
        elif key != "." and (rest_of := difference(value, right[key])) is not None:
            kept[key] = rest_of
    return (kept or None) if set(kept) != {"."} else {}


def existing(owned: FieldSet, value: Any, name: str, *, custom: bool) -> FieldSet | None:
    """The part of `owned` whose fields are still there in `value`."""
    if not owned:
        return owned
    kept: FieldSet = {}
    keys = list_keys(name, value, custom=custom) if isinstance(value, list) else ()
    items = {key_of(item, keys): item for item in value} if keys else {}
    for key, sub in owned.items():
        if key == ".":
            kept[key] = sub
        elif key.startswith("f:") and isinstance(value, dict) and key[2:] in value:
            below = existing(sub, value[key[2:]], key[2:], custom=custom)
            if below is not None:
                kept[key] = below
        elif key in items and (below := existing(sub, items[key], "", custom=custom)) is not None:
            kept[key] = below
    if set(kept) == {"."}:
        return {}
    return kept or None


def ownable(kind: Kind, obj: Obj, subresource: str | None) -> Obj:
    """The part of an object that can be owned: without identity, and without the half that is ignored."""
    part = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if not kind.status and "status" in obj:
        part["status"] = obj["status"]
    if subresource == "status":
        return {"status": obj["status"]} if "status" in obj else {}
    if kind.plural == "namespaces":
        part.pop("spec", None)  # its finalizer is set after ownership was recorded
    meta = {key: value for key, value in obj["metadata"].items() if key in _OWNABLE_METADATA}
    return {"metadata": meta, **part} if meta else part


def declared(kind: Kind, obj: Obj, subresource: str | None) -> FieldSet:
    """The fields that an applied configuration names: what its manager owns afterwards."""
    named = ownable(kind, {**obj, "metadata": obj.get("metadata") or {}}, subresource)
    return _top(changed(_ABSENT, named, "", custom=kind.custom, nodes=False))


def record_update(kind: Kind, old: Obj | None, new: Obj, manager: str, subresource: str | None, time: str) -> Obj:
    """`new` with the managedFields that an Update by `manager` leaves."""
    was = _ABSENT if old is None else ownable(kind, old, subresource)
    taken = _top(changed(was, ownable(kind, new, subresource), "", custom=kind.custom))
    entries = []
    mine: FieldSet = {}
    everything = {**ownable(kind, new, None), "status": new.get("status", {})}
    for entry in new["metadata"].get("managedFields", ()) if old is not None else ():
        left: FieldSet | None = entry["fieldsV1"]
        if entry["manager"] == manager and entry["operation"] == "Update":
            if entry.get("subresource") == subresource:
                mine = left or {}
                continue
        elif taken:
            left = difference(left or {}, taken)
        left = existing(left, everything, "", custom=kind.custom) if left else None
        if left:
            entries.append({**entry, "fieldsV1": left})
    owned = union(mine, taken) if mine and taken else mine or taken
    owned = existing(owned, everything, "", custom=kind.custom) or {}
    if owned:
        entries.append(entry_of(kind, manager, "Update", _top(owned) or {}, time, subresource))
    meta = {**new["metadata"], "managedFields": ordered(entries)}
    if not entries:
        del meta["managedFields"]
    return {**new, "metadata": meta}


def entry_of(kind: Kind, manager: str, operation: str, owned: FieldSet, time: str, subresource: str | None) -> Obj:
    """One entry of managedFields."""
    entry: Obj = {
        "manager": manager,
        "operation": operation,
        "apiVersion": kind.api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
    }
    if subresource:
        entry["subresource"] = subresource
    return entry


def ordered(entries: list[Obj]) -> list[Obj]:
    """Entries as the API server sorts them: Apply before Update, then by time and manager."""
    return sorted(
        entries,
        key=lambda entry: (
            entry["operation"],
            entry.get("time", ""),
            entry["manager"],
            entry["apiVersion"],
            entry.get("subresource", ""),
        ),
    )


def same_but_times(old: Obj, new: Obj) -> bool:
    """Whether a write would change nothing but the times of ownership: then it is not made at all."""
    if {**old, "metadata": None} != {**new, "metadata": None}:
        return False
    return _timeless(old["metadata"]) == _timeless(new["metadata"])


def _timeless(meta: Obj) -> Obj:
    entries = [{**entry, "time": ""} for entry in ordered(meta.get("managedFields", []))]
    entries.sort(key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")))
    return {**meta, "managedFields": entries, "resourceVersion": ""}


def _top(owned: FieldSet | None) -> FieldSet:
    """Neither the object itself nor `metadata` is ever owned as a node."""
    if not owned:
        return {}
    top = {key: value for key, value in owned.items() if key != "."}
    if isinstance(top.get("f:metadata"), dict):
        top["f:metadata"] = {key: value for key, value in top["f:metadata"].items() if key != "."}
    return top
