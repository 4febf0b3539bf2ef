"""One stored version of an object with its JSON, and one change of an object as watchers see it.

Both remember their encoded form, so that a list of ten thousand objects or an event for a hundred watchers is
encoded once. This module must not know how versions come about (store.py) or who reads them (watching.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from opsroom.simulator.kube.resources import Kind

Obj = dict[str, Any]
"""A Kubernetes object as plain JSON data. Never change one in place: copy on write."""

Key = tuple[str, str]
"""(namespace, or "" for cluster scope, name)"""


def key_of(obj: Obj) -> Key:
    """Where an object of a kind is found."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


class EventType(StrEnum):
    """The kinds of change, as they are written in a watch stream."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(slots=True, eq=False)
class Version:
    """An object at one resourceVersion."""

    kind: Kind
    obj: Obj
    rv: int
    _tail: bytes | None = None

    def bare(self) -> bytes:
        """The JSON without `kind` and `apiVersion`: how built-in kinds stand in a list."""
        if self._tail is None:
            body = {key: value for key, value in self.obj.items() if key not in ("kind", "apiVersion")}
            self._tail = msgspec.json.encode(body)
        return self._tail

    def full(self) -> bytes:
        """The JSON with `apiVersion` and `kind` first."""
        head = f'{{"apiVersion":"{self.kind.api_version}","kind":"{self.kind.kind}",'
        return head.encode() + self.bare()[1:]

    def item(self) -> bytes:
        """The JSON as an item of a list: custom resources carry their kind, built-in ones do not."""
        return self.full() if self.kind.custom else self.bare()


@dataclass(slots=True, eq=False)
class Event:
    """One change. `object` is the state after it (for DELETED: the last state, at the deletion's version)."""

    type: EventType
    resource: str
    object: Obj
    previous: Obj | None
    rv: int
    version: Version
    before: Version | None
    at: float  # Unix seconds
    _left: Version | None = field(default=None)
    _line: bytes | None = field(default=None)

    def line(self) -> bytes:
        """The line of a watch stream, encoded once for all watchers."""
        if self._line is None:
            self._line = watch_line(self.type, self.version.full())
        return self._line

    def left_selection(self) -> Version:
        """The previous state at this change's version: what a watcher gets whose selector it has left."""
        if self._left is None:
            if self.before is None:
                raise ValueError("an object that was just added cannot leave a selection")
            previous = self.before.obj
            meta = {**previous["metadata"], "resourceVersion": str(self.rv)}
            self._left = Version(self.version.kind, {**previous, "metadata": meta}, self.rv)
        return self._left


def watch_line(type_: str, body: bytes) -> bytes:
    """One line of a watch stream from the encoded object."""
    return b'{"type":"' + type_.encode() + b'","object":' + body + b"}\n"
