"""Server-side apply: the declared fields of one manager merged into an object, or a conflict.

Rules: K8S staging/src/k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff: a value
somebody else owns and that would change is a conflict unless forced; fields the manager applied before and
leaves out now go away if nobody else owns them. Pure: the store is not known here.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube import fields
from opsroom.simulator.kube.failures import apply_conflict
from opsroom.simulator.kube.fields import FieldSet
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.shapes import ATOMIC_MAPS, item_key, list_keys
from opsroom.simulator.kube.versions import Obj

_ABSENT: Any = object()


def apply(
    kind: Kind,
    live: Obj | None,
    declared: Obj,
    *,
    manager: str,
    force: bool,
    subresource: str | None,
    time: str,
) -> tuple[Obj, list[Obj]]:
    """The object after the apply and its managedFields. Raises ApiError 409 naming the owners in the way."""
    owned = fields.declared(kind, declared, subresource)
    base: Obj = live or {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    merged = _merged(base, _without_managed(declared), "", custom=kind.custom)
    others, mine = _entries(base, manager, subresource)
    merged = _dropped(kind, merged, mine, owned, others)
    moved = fields.changed(
        fields.ownable(kind, base, subresource),
        fields.ownable(kind, merged, subresource),
        "",
        custom=kind.custom,
        nodes=False,
    )
    if moved:
        contested = _contested(moved, others)
        if contested and not force:
            raise apply_conflict(contested)
        if force:
            others = [
                {**entry, "fieldsV1": left} for entry in others if (left := fields.difference(entry["fieldsV1"], moved))
            ]
    others = [
        {**entry, "fieldsV1": left}
        for entry in others
        if (left := fields.existing(entry["fieldsV1"], merged, "", custom=kind.custom))
    ]
    entry = fields.entry_of(kind, manager, "Apply", owned, time, subresource)
    return merged, fields.ordered([*others, entry])


def _without_managed(declared: Obj) -> Obj:
    meta = {key: value for key, value in (declared.get("metadata") or {}).items() if key != "managedFields"}
    return {**declared, "metadata": meta}


def _entries(base: Obj, manager: str, subresource: str | None) -> tuple[list[Obj], FieldSet]:
    others, mine = [], {}
    for entry in base["metadata"].get("managedFields") or ():
        is_mine = entry["manager"] == manager and entry["operation"] == "Apply"
        if is_mine and entry.get("subresource") == subresource:
            mine = entry["fieldsV1"]
        else:
            others.append(entry)
    return others, mine


def _merged(live: Any, declared: Any, name: str, *, custom: bool) -> Any:
    if isinstance(declared, dict) and isinstance(live, dict) and name not in ATOMIC_MAPS:
        merged = dict(live)
        for key, value in declared.items():
            merged[key] = _merged(live.get(key, _ABSENT), value, key, custom=custom)
        return merged
    if isinstance(declared, list) and isinstance(live, list):
        keys = list_keys(name, declared, custom=custom)
        if keys:
            items = {item_key(item, keys): item for item in live}
            for item in declared:
                identity = item_key(item, keys)
                items[identity] = _merged(items.get(identity, _ABSENT), item, "", custom=custom)
            return list(items.values())
    return declared


def _dropped(kind: Kind, merged: Obj, mine: FieldSet, owned: FieldSet, others: list[Obj]) -> Obj:
    gone: FieldSet | None = fields.difference(mine, owned) if mine else None
    kept = owned
    for entry in others:
        kept = fields.union(kept, entry["fieldsV1"]) if kept else entry["fieldsV1"]
        gone = fields.difference(gone, entry["fieldsV1"]) if gone else None
    if not gone:
        return merged
    removed: Obj = _removed(merged, gone, kept, "", custom=kind.custom)
    return removed


def _removed(value: Any, gone: FieldSet, kept: FieldSet, name: str, *, custom: bool) -> Any:
    """`value` without the fields in `gone`; a field with anything in `kept` below it stays."""
    if isinstance(value, dict):
        rest = {}
        for key, below in value.items():
            step = f"f:{key}"
            if step not in gone:
                rest[key] = below
            elif gone[step]:
                inner = _removed(below, gone[step], kept.get(step, {}), key, custom=custom)
                if inner or "." not in gone[step] or step in kept:
                    rest[key] = inner
            elif step in kept:
                rest[key] = below
        return rest
    if isinstance(value, list) and (keys := list_keys(name, value, custom=custom)):
        items = []
        for item in value:
            step = fields.key_of(item, keys)
            if step not in gone:
                items.append(item)
            elif step in kept:
                items.append(_removed(item, gone[step], kept[step], "", custom=custom))
        return items
    return value


def _contested(moved: FieldSet, others: list[Obj]) -> list[tuple[str, str]]:
    conflicts = []
    for entry in others:
        who = f'"{entry["manager"]}"'
        if entry.get("subresource"):
            who += f' with subresource "{entry["subresource"]}"'
        if entry["operation"] == "Update":
            who += f" using {entry['apiVersion']}"
        conflicts += [(who, path) for path in _overlap(moved, entry["fieldsV1"], "")]
    return sorted(set(conflicts))


def _overlap(left: FieldSet, right: FieldSet, path: str) -> list[str]:
    if not left:
        return [path] if not right or "." in right else []
    paths: list[str] = []
    for key in left.keys() & right.keys():
        if key != ".":
            step = f".{key[2:]}" if key.startswith("f:") else _item_path(key)
            paths += _overlap(left[key], right[key], path + step)
    return paths


def _item_path(key: str) -> str:
    inner = key[3:-1].replace('":', '"=')
    parts = [part.split("=", 1) for part in inner.split(",")]
    return "[" + ",".join(f"{name.strip(chr(34))}={value}" for name, value in parts) + "]"
