"""What a new object is given: its name, uid, times and first generation.

Source: K8S staging/src/k8s.io/apiserver/pkg/registry/rest/create.go (BeforeCreate), storage/names/generate.go. What the
caller forged is thrown away. It must not know what else is stored.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

from opsroom.simulator.kube import failures
from opsroom.simulator.kube.resources import Kind

FORGED = ("uid", "resourceVersion", "managedFields", "creationTimestamp", "deletionTimestamp", "generation")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def metadata(
    kind: Kind, given: Mapping[str, Any], namespace: str | None, chance: random.Random, now: str
) -> dict[str, Any]:
    """The metadata of a new object of `kind`; raises ApiError 422 without a name."""
    meta = {key: value for key, value in given.items() if key not in FORGED}
    if kind.namespaced:
        meta["namespace"] = namespace or meta.get("namespace") or "default"
    else:
        meta.pop("namespace", None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"] + "".join(chance.choices(LETTERS, k=5))
    if not meta.get("name"):
        message = "Required value: name or generateName is required"
        cause = {"reason": "FieldValueRequired", "message": message, "field": "metadata.name"}
        raise failures.invalid(kind, "", [cause])
    meta["uid"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    meta["creationTimestamp"] = now
    if kind.generation:
        meta["generation"] = 1
    return meta
