"""Events in their two spellings: core/v1 (as stored) and events.k8s.io/v1 (the same objects, other names).

Field pairs: K8S pkg/apis/events/v1/conversion.go. Pure.
"""

from __future__ import annotations

from opsroom.simulator.kube.resources import BY_PLURAL, Kind
from opsroom.simulator.kube.versions import Obj

NEW_EVENTS = Kind("events", "Event", "events.k8s.io", short=("ev",))

_PAIRS = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)
_TO_NEW = dict(_PAIRS)
_TO_CORE = {new: core for core, new in _PAIRS}
_OMITTED_WHEN_EMPTY = frozenset({"reportingController", "reportingInstance", "action", "note", "reason", "type"})


def as_new(event: Obj) -> Obj:
    """A stored event as events.k8s.io/v1 shows it."""
    shown = {_TO_NEW.get(key, key): value for key, value in event.items()}
    shown = {key: value for key, value in shown.items() if value != "" or key not in _OMITTED_WHEN_EMPTY}
    return {**shown, "apiVersion": NEW_EVENTS.api_version}


def as_core(event: Obj) -> Obj:
    """An events.k8s.io/v1 event as it is stored."""
    stored = {_TO_CORE.get(key, key): value for key, value in event.items()}
    return {**stored, "apiVersion": BY_PLURAL["events"].api_version}
