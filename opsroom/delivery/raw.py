"""Reading raw API objects without trusting them: every accessor is total and typed.

An absent key, a null and a value of another type read alike: as the empty value. Go's ``omitempty`` makes absent and
zero the same thing on the wire, so they must be the same thing here.
"""

from __future__ import annotations

from typing import Any

from opsroom.delivery.doors import Raw


def dig(value: object, *keys: str) -> Any:
    """The value at ``keys``, or None."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: object, *keys: str) -> str:
    """The string at ``keys``, or the empty string."""
    found = dig(value, *keys)
    return found if isinstance(found, str) else ""


def number(value: object, *keys: str) -> int:
    """The whole number at ``keys``, or 0."""
    found = dig(value, *keys)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def flag(value: object, *keys: str) -> bool:
    """Whether the value at ``keys`` is true."""
    return dig(value, *keys) is True


def table(value: object, *keys: str) -> Raw:
    """The object at ``keys``, or an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, dict) else {}


def items(value: object, *keys: str) -> list[Raw]:
    """The objects in the list at ``keys``."""
    found = dig(value, *keys)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def annotation(value: object, name: str) -> str:
    """The annotation ``name``, or the empty string."""
    return text(value, "metadata", "annotations", name)


def version(value: object) -> str:
    """``metadata.resourceVersion``."""
    return text(value, "metadata", "resourceVersion")


def owned_by(value: object, uid: str) -> bool:
    """Whether the controller among the owners is the object with ``uid``."""
    owners = items(value, "metadata", "ownerReferences")
    return any(flag(owner, "controller") and text(owner, "uid") == uid for owner in owners)


def condition(value: object, kind: str) -> Raw:
    """The status condition of type ``kind``, or an empty object."""
    for found in items(value, "status", "conditions"):
        if text(found, "type") == kind:
            return found
    return {}


def selector(value: object) -> str:
    """``spec.selector`` as a ``labelSelector`` parameter; empty when there is none."""
    parts = [f"{key}={wanted}" for key, wanted in table(value, "spec", "selector", "matchLabels").items()]
    for expression in items(value, "spec", "selector", "matchExpressions"):
        key, values = text(expression, "key"), ",".join(map(str, dig(expression, "values") or ()))
        match text(expression, "operator"):
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
    return ",".join(parts)
