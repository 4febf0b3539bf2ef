"""What comes of an object when another body is put in its place: preconditions, halves that are kept, the generation.

Source: K8S staging/src/k8s.io/apiserver/pkg/registry/rest/update.go (BeforeUpdate) and the strategies of each kind.
Pure: it must not know the store.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube import failures
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.versions import Obj


def check(kind: Kind, old: Obj, meta: dict[str, Any]) -> None:
    """Raise ApiError 409 where the uid or resourceVersion in `meta` is another than that of `old`."""
    have = old["metadata"]
    if meta.get("uid") and meta["uid"] != have["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {have['uid']}"
        raise failures.conflict(kind, have["name"], why)
    if meta.get("resourceVersion") and meta["resourceVersion"] != have["resourceVersion"]:
        raise failures.conflict(kind, have["name"])


def merged_halves(kind: Kind, old: Obj, obj: Obj, subresource: str | None) -> Obj:
    """The status of `obj` on the rest of `old`, or the other way round; what nobody may change is kept."""
    if subresource == "status":
        new = dict(old)
        if "status" in obj:
            new["status"] = obj["status"]
        else:
            new.pop("status", None)
        new["metadata"] = dict(old["metadata"])
        return new
    new = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    if kind.status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    meta = dict(obj["metadata"])
    for kept in ("uid", "creationTimestamp", "generation", "resourceVersion", "managedFields"):
        if kept in old["metadata"]:
            meta[kept] = old["metadata"][kept]
        else:
            meta.pop(kept, None)
    for emptied in ("labels", "annotations", "finalizers", "ownerReferences"):
        if emptied in meta and not meta[emptied]:
            del meta[emptied]
    if "deletionTimestamp" in old["metadata"]:
        meta["deletionTimestamp"] = old["metadata"]["deletionTimestamp"]
    new["metadata"] = meta
    return new


def counted(kind: Kind, old: Obj, new: Obj) -> Obj:
    """`new` with the next generation where what is desired has changed."""
    if not kind.generation:
        return new
    keys = {"spec"}
    if kind.custom:
        keys = (old.keys() | new.keys()) - {"metadata", "apiVersion", "kind"}
        keys -= {"status"} if kind.status else set()
    if all(old.get(key) == new.get(key) for key in keys):
        return new
    generation = int(old["metadata"].get("generation", 0)) + 1
    return {**new, "metadata": {**new["metadata"], "generation": generation}}
