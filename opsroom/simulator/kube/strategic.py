"""Strategic merge patch: a merge patch that knows which lists are keyed.

Built-in kinds only (custom resources answer 415). A list's `patchMergeKey` is the first of its keys in `shapes`;
`$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys` are honoured.
Source: K8S staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go. Pure; copies on write.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.shapes import list_keys

_PRIMITIVE = frozenset({"finalizers"})
_ORDER = "$setElementOrder/"
_DROP = "$deleteFromPrimitiveList/"


def strategic_merge(target: Any, patch: Any) -> Any:
    """`patch` merged into `target` by the strategic rules; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get("$patch")
    body = {key: value for key, value in patch.items() if key not in ("$patch", "$retainKeys")}
    if directive == "replace":
        return body
    if directive == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in body.items():
        if key.startswith(_ORDER):
            continue
        if key.startswith(_DROP):
            name = key.removeprefix(_DROP)
            merged[name] = [item for item in merged.get(name) or [] if item not in value]
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, list):
            merged[key] = _merged_list(key, merged.get(key), value)
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    for key, order in body.items():
        name = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and isinstance(merged.get(name), list):
            merged[name] = _in_order(name, merged[name], order)
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    return merged


def _merge_key(name: str, items: list[Any]) -> str | None:
    return next(iter(list_keys(name, items, custom=False)), None)


def _merged_list(name: str, old: Any, patch: list[Any]) -> list[Any]:
    items: list[Any] = old if isinstance(old, list) else []
    if name in _PRIMITIVE:
        return items + [item for item in patch if item not in items]
    key = _merge_key(name, patch)
    if key is None or not all(isinstance(item, dict) for item in (*items, *patch)):
        return patch
    if any(item == {"$patch": "replace"} for item in patch):
        return [item for item in patch if item != {"$patch": "replace"}]
    merged = {item.get(key): item for item in items}
    added = []
    for item in patch:
        identity = item.get(key)
        if item.get("$patch") == "delete":
            merged.pop(identity, None)
        elif identity in merged:
            merged[identity] = strategic_merge(merged[identity], item)
        else:
            added.append(strategic_merge({}, item))
    # The server puts new items first, in the order of the patch.
    return added + list(merged.values()) if items else added


def _in_order(name: str, items: list[Any], order: list[Any]) -> list[Any]:
    key = _merge_key(name, items)

    def place(item: Any) -> int:
        wanted = [entry.get(key) if isinstance(entry, dict) else entry for entry in order]
        mine = item.get(key) if key and isinstance(item, dict) else item
        return wanted.index(mine) if mine in wanted else len(wanted)

    return sorted(items, key=place)
