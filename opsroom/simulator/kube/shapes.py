"""What is known of the shape of fields without a schema: which lists are keyed, which maps are one value.

Taken from the `x-kubernetes-list-map-keys`, `patchMergeKey` and `x-kubernetes-map-type: atomic` marks of the
Kubernetes 1.36 API, for the fields that workloads use. The key is the field's name: no path is needed,
because these names mean the same wherever they stand in the kinds served here.
"""

from __future__ import annotations

from typing import Any

# Keys that identify an item for field ownership and server-side apply.
_MAP_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_BUILT_IN_ONLY: dict[str, tuple[str, ...]] = {"conditions": ("type",), "secrets": ("name",)}
_CONTAINER_PORT = ("containerPort", "protocol")
_SERVICE_PORT = ("port", "protocol")

ATOMIC_MAPS = frozenset(
    {"selector", "labelSelector", "nodeSelector", "scaleTargetRef", "fieldRef", "regarding", "involvedObject"}
)


def list_keys(name: str, items: Any, *, custom: bool) -> tuple[str, ...]:
    """The keys of the list field `name`; empty when the list is one value. `items` tells ports apart."""
    if name == "ports" and isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
        return _CONTAINER_PORT if any("containerPort" in item for item in items) else _SERVICE_PORT
    if not custom and name in _BUILT_IN_ONLY:
        return _BUILT_IN_ONLY[name]
    return _MAP_KEYS.get(name, ())


def item_key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    """The identity of a list item: the values of its keys, protocol defaulting to TCP."""
    if not isinstance(item, dict):
        return (item,)
    return tuple(item.get(key, "TCP" if key == "protocol" else None) for key in keys)
