"""Notices for people: Kubernetes Events on the workload. They expire, and are never the record.

They are best effort: a cluster that lets us patch but not create Events gets the deed without the notice. The one
use that deeds make of them is to tell the loser of a race who won it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader, Writer
from opsroom.delivery.kinds import KINDS
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, DeedState, Target, Verb
from opsroom.errors import OpsroomError

COMPONENT = "opsroom"

RECENT = 60.0
"""Seconds for which a deed by somebody explains that the target has changed."""

_UNFIT = re.compile(r"[^a-z0-9.-]+")

_REASONS = {
    Verb.PROMOTE: "OpsroomPromoted",
    Verb.PROMOTE_FULLY: "OpsroomPromotedFully",
    Verb.ROLL_BACK: "OpsroomRolledBack",
    Verb.HOLD: "OpsroomHeld",
    Verb.RELEASE: "OpsroomReleased",
}


async def publish(deed: Deed, writer: Writer) -> bool:
    """Create an Event for ``deed``; False when the cluster would not have it."""
    if deed.intent.verb not in _REASONS:
        return False
    target = deed.intent.target
    try:
        await writer.post(f"/api/v1/namespaces/{target.namespace}/events", event(deed))
    except OpsroomError:
        return False
    return True


async def last_actor(reader: Reader, target: Target, now: float) -> str:
    """Who last did something to ``target`` through opsroom, a moment ago; empty when nobody is known."""
    path = f"/api/v1/namespaces/{target.namespace}/events"
    try:
        answer: Raw = await reader.get(path, dict, {"fieldSelector": f"involvedObject.uid={target.uid}"})
    except OpsroomError:
        return ""
    oldest = _stamp(now - RECENT)
    ours = [
        (raw.text(found, "lastTimestamp"), raw.text(found, "reportingInstance"))
        for found in raw.items(answer, "items")
        if raw.text(found, "reportingComponent") == COMPONENT and raw.text(found, "lastTimestamp") >= oldest
    ]
    return clean(max(ours)[1]) if ours else ""


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(deed: Deed) -> Raw:
    """The core/v1 Event that says what was done, by whom, and whether the journal has it."""
    intent, target = deed.intent, deed.intent.target
    stamp = _stamp(deed.at)
    # Only a deed that could not be journalled is told of at its beginning.
    state = "begun" if deed.state is DeedState.JOURNALLED else deed.state.value
    words = [f"{intent.verb.value} ({deed.effect.value if deed.effect else '-'}) by {intent.actor}: {state}"]
    words += [text for text in (intent.reason, deed.detail) if text]
    name = _UNFIT.sub("-", f"{target.name}.{intent.id}.{deed.state.value}".lower())[:250].strip("-.")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": target.namespace},
        "involvedObject": _involved(target),
        "reason": _REASONS[intent.verb],
        "message": "; ".join(words)[:1000],
        "type": "Warning" if deed.state in (DeedState.FAILED, DeedState.UNKNOWN) else "Normal",
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": intent.actor[:128],
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }


def _involved(target: Target) -> Raw:
    kind = KINDS[target.engine]
    return {
        "apiVersion": kind.api,
        "kind": kind.name,
        "namespace": target.namespace,
        "name": target.name,
        "uid": str(target.uid),
    }
