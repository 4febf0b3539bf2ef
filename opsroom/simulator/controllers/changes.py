"""What a controller wants done: values, so that a reconcile can be tested without a store.

`loop` applies them in order. Nothing here does anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of


class Key(NamedTuple):
    """One object in the store: plural resource name, namespace ("" for cluster scope), name."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object; it exists already = nothing happens (the next reconcile sees it)."""

    resource: str
    body: Obj


@dataclass(frozen=True, slots=True)
class Merge:
    """JSON merge patch of the main resource (its status is out of reach, as in the real API)."""

    key: Key
    body: Obj


@dataclass(frozen=True, slots=True)
class Status:
    """Replace the whole status; the same status again writes nothing."""

    key: Key
    status: Obj


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object; it is gone already = nothing happens."""

    key: Key


@dataclass(frozen=True, slots=True)
class Note:
    """A Kubernetes Event about an object."""

    about: Obj
    component: str
    kind: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Look at the same object again at this unix time, even if nothing happens to it."""

    at: float


Change = Create | Merge | Status | Delete | Note | Wake


def key_of(resource: str, obj: Obj) -> Key:
    return Key(resource, namespace_of(obj), name_of(obj))


def scale(resource: str, obj: Obj, replicas: int, annotations: Obj | None = None) -> Merge:
    """Set `spec.replicas`, with annotations written by the same request (None removes one)."""
    body: Obj = {"spec": {"replicas": replicas}}
    if annotations:
        body["metadata"] = {"annotations": annotations}
    return Merge(key_of(resource, obj), body)
