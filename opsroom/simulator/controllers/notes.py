"""Writing Kubernetes Events for what controllers did: one object a repeated note, with a count.

Core v1 Events, as client-go's recorder writes them. It decides nothing.
"""

from __future__ import annotations

from collections import OrderedDict

from opsroom.simulator.clock import stamp
from opsroom.simulator.controllers.changes import Note
from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of, uid_of
from opsroom.simulator.kube.store import Store

_REMEMBERED = 4096
_KEPT = 20_000


class NoteWriter:
    """Creates an Event for a new note, counts up the one of a note said before; keeps the newest 20,000."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._said: OrderedDict[tuple[str, str, str, str], tuple[str, str]] = OrderedDict()
        self._written: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._number = 0

    def write(self, note: Note) -> None:
        """Write one note at the store's present time."""
        now = self._store.now()
        said = (uid_of(note.about), note.component, note.reason, note.message)
        where = self._said.get(said)
        known = self._store.get("events", *where) if where else None
        if known is not None and where is not None:
            again = {"count": int(known.get("count") or 1) + 1, "lastTimestamp": stamp(now)}
            self._store.merge("events", *where, again)
            return
        self._number += 1
        body = _event(note, f"{int(now * 1_000_000):x}{self._number:04x}", now)
        self._store.create("events", body)
        self._remember(said, (namespace_of(body), name_of(body)))

    def _remember(self, said: tuple[str, str, str, str], where: tuple[str, str]) -> None:
        self._said[said] = where
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        self._written[where] = None
        if len(self._written) > _KEPT:
            old, _ = self._written.popitem(last=False)
            if self._store.get("events", *old) is not None:
                self._store.delete("events", *old)


def _event(note: Note, suffix: str, now: float) -> Obj:
    about = note.about
    namespace = namespace_of(about) or "default"
    return {
        "metadata": {"name": f"{name_of(about)}.{suffix}", "namespace": namespace},
        "involvedObject": {
            "kind": about["kind"],
            "namespace": namespace_of(about),
            "name": name_of(about),
            "uid": uid_of(about),
            "apiVersion": about["apiVersion"],
            "resourceVersion": about["metadata"].get("resourceVersion", ""),
        },
        "reason": note.reason,
        "message": note.message,
        "source": {"component": note.component},
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
        "type": note.kind,
        "eventTime": None,
        "reportingComponent": note.component,
        "reportingInstance": "",
    }
