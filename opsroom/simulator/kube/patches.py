"""Two of the four patch types: merge patch (RFC 7386) and JSON patch (RFC 6902), on plain JSON data.

Pure; both copy on write and leave their input as it was. Strategic merge is in strategic.py, server-side
apply in applying.py. A JSON patch that does not apply raises PatchFailed, whatever the cause: the API server
answers all of them alike.
"""

from __future__ import annotations

from typing import Any


class PatchFailed(Exception):
    """A JSON patch that does not apply: a missing path, a wrong index, a failed `test`."""


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes a key, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge_patch(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def json_patch(target: Any, operations: list[Any]) -> Any:
    """RFC 6902: the operations in order, all or nothing. Raises PatchFailed."""
    for operation in operations:
        if not isinstance(operation, dict):
            raise PatchFailed("an operation is not an object")
        target = _one(target, operation)
    return target


def _one(target: Any, operation: dict[str, Any]) -> Any:
    name = operation.get("op")
    path = _segments(operation.get("path"))
    if name == "test":
        if _read(target, path) != operation.get("value"):
            raise PatchFailed("test failed")
        return target
    if name == "remove":
        return _edited(target, path, "remove", None)
    if name in ("add", "replace"):
        return _edited(target, path, name, operation.get("value"))
    if name == "copy":
        return _edited(target, path, "add", _read(target, _segments(operation.get("from"))))
    if name == "move":
        source = _segments(operation.get("from"))
        value = _read(target, source)
        return _edited(_edited(target, source, "remove", None), path, "add", value)
    raise PatchFailed(f"unknown operation {name}")


def _segments(path: Any) -> list[str]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise PatchFailed("a path must begin with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _read(target: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(target, dict) and part in target:
            target = target[part]
        elif isinstance(target, list):
            target = target[_index(target, part, len(target) - 1)]
        else:
            raise PatchFailed(f"no such path: {part}")
    return target


def _index(items: list[Any], part: str, last: int) -> int:
    if part == "-":
        part = str(len(items))
    if not part.isdigit() or int(part) > last:
        raise PatchFailed(f"no such index: {part}")
    return int(part)


def _edited(target: Any, path: list[str], how: str, value: Any) -> Any:
    if not path:
        if how == "remove":
            raise PatchFailed("the whole document cannot be removed")
        return value
    part, rest = path[0], path[1:]
    if isinstance(target, dict):
        if part not in target and (rest or how != "add"):
            raise PatchFailed(f"no such path: {part}")
        copy = dict(target)
        if rest:
            copy[part] = _edited(copy[part], rest, how, value)
        elif how == "remove":
            del copy[part]
        else:
            copy[part] = value
        return copy
    if isinstance(target, list):
        items = list(target)
        grows = not rest and how == "add"
        index = _index(items, part, len(items) if grows else len(items) - 1)
        if rest:
            items[index] = _edited(items[index], rest, how, value)
        elif how == "add":
            items.insert(index, value)
        elif how == "remove":
            del items[index]
        else:
            items[index] = value
        return items
    raise PatchFailed(f"no such path: {part}")
