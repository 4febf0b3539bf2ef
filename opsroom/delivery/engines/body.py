"""Bodies of patches, with the precondition that each must carry.

Merge patches carry ``metadata.resourceVersion`` (a stale one is 409), JSON patches begin with a ``test`` of it (a
failed one is 422). Annotations are written one by one: replacing the map would drop what others put there.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.domain import marks
from opsroom.domain.deed import Effect, Intent


def author(intent: Intent) -> str:
    """Who writes, for the mark ``BY``: the identity, and the Lease transition of an automatic deed."""
    return intent.actor if intent.fencing is None else f"{intent.actor}#{intent.fencing}"


def deed_mark(intent: Intent, effect: Effect) -> str:
    """The mark ``DEED``: what others need to know of a deed whose next request may never come."""
    seen = intent.precondition
    mark = marks.DeedMark(
        id=intent.id,
        verb=intent.verb,
        effect=effect,
        by=author(intent),
        at=intent.at,
        hash=seen.canary_hash,
        stable=seen.stable_hash,
        step=seen.step,
        automatic=intent.automatic,
    )
    return msgspec.json.encode(mark).decode()


def merge(
    seen: Raw,
    intent: Intent,
    *,
    spec: Raw | None = None,
    annotations: dict[str, str | None] | None = None,
) -> Raw:
    """A merge patch of the main resource, valid only for the object as it was ``seen``."""
    notes: dict[str, str | None] = {**(annotations or {}), marks.BY: author(intent)}
    body: Raw = {"metadata": {"resourceVersion": raw.version(seen), "annotations": notes}}
    if spec is not None:
        body["spec"] = spec
    return body


def status(seen: Raw, fields: Raw) -> Raw:
    """A merge patch of the status subresource, which drops everything but the precondition and ``status``."""
    return {"metadata": {"resourceVersion": raw.version(seen)}, "status": fields}


def template(seen: Raw, intent: Intent, value: Raw, *, unpause: bool) -> list[Raw]:
    """A JSON patch that replaces the pod template, passes our own hold, and un-pauses in the same write."""
    operations: list[Raw] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": raw.version(seen)},
        {"op": "test", "path": "/metadata/uid", "value": raw.text(seen, "metadata", "uid")},
        {"op": "replace", "path": "/spec/template", "value": value},
    ]
    if unpause and raw.dig(seen, "spec", "paused") is not None:
        operations.append({"op": "replace", "path": "/spec/paused", "value": False})
    if not raw.table(seen, "metadata", "annotations"):
        operations.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for name, text in ((marks.ROLLBACK, intent.id), (marks.BY, author(intent))):
        operations.append({"op": "add", "path": f"/metadata/annotations/{_escaped(name)}", "value": text})
    if raw.annotation(seen, marks.QUEUE):
        operations.append({"op": "remove", "path": f"/metadata/annotations/{_escaped(marks.QUEUE)}"})
    return operations


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
