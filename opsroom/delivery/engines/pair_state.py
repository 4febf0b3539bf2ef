"""What the two Deployments of a pair say: which is the stable one, whose promotion is under way, and how far."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.engines import former
from opsroom.delivery.plan import Sight
from opsroom.domain.deed import Intent
from opsroom.domain.marks import CANARY_OF, PROMOTING
from opsroom.errors import Gone
from opsroom.kube.failures import NotServed

_SAME = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
_TRACK = "track"


async def partner(reader: Reader, canary: Raw) -> Raw | None:
    """The stable Deployment: the one that the canary names, else the only one like it on another track."""
    name = raw.annotation(canary, CANARY_OF) or raw.text(canary, "metadata", "labels", CANARY_OF)
    namespace = raw.text(canary, "metadata", "namespace")
    base = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    if name:
        try:
            found: Raw = await reader.get(f"{base}/{name}", dict)
        except NotServed:
            raise
        except Gone:
            return None
        return found
    labels = raw.table(canary, "metadata", "labels")
    same = ",".join(f"{key}={labels[key]}" for key in _SAME if key in labels)
    if not same:
        return None
    answer: Raw = await reader.get(base, dict, {"labelSelector": same})
    mine = raw.text(canary, "metadata", "uid")
    others = [one for one in raw.items(answer, "items") if raw.text(one, "metadata", "uid") != mine and _stable(one)]
    return others[0] if len(others) == 1 else None


def _stable(one: Raw) -> bool:
    tracks = (
        raw.text(one, "metadata", "labels", _TRACK),
        raw.text(one, "spec", "template", "metadata", "labels", _TRACK),
    )
    return "stable" in tracks


def promoted_template(canary: Raw, stable: Raw) -> Raw:
    """The canary's pod template under stable's own labels, where a selector depends on them."""
    value: Raw = copy.deepcopy(raw.table(canary, "spec", "template"))
    labels = raw.table(value, "metadata", "labels")
    labels.pop(former.DEPLOYMENT_HASH, None)
    own = raw.table(stable, "spec", "template", "metadata", "labels")
    keys = {_TRACK, *raw.table(canary, "spec", "selector", "matchLabels")}
    keys.update(raw.table(stable, "spec", "selector", "matchLabels"))
    for key in keys:
        labels.pop(key, None)
        if key in own:
            labels[key] = own[key]
    return value


def taken(sight: Sight) -> bool:
    """Whether stable has the canary's template already: what is left of the promotion only ends it."""
    stable = sight.partner
    return stable is not None and bool(raw.table(stable, "spec", "template") == promoted_template(sight.target, stable))


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose promotion is under way, since when, and under which Lease transition (None for a person's)."""

    owner: str = ""
    at: float = 0.0
    fencing: int | None = None


def mark_of(canary: Raw) -> Mark:
    """The mark that stands on ``canary``."""
    owner, at, fencing, *_ = (*raw.annotation(canary, PROMOTING).split(" "), "", "")
    return Mark(owner, float(at) if at.isdecimal() else 0.0, int(fencing) if fencing.isdecimal() else None)


def signed(intent: Intent) -> str:
    """The mark of a promotion that is under way."""
    return f"{intent.id} {intent.at:.0f}" + ("" if intent.fencing is None else f" {intent.fencing}")


def over(intent: Intent) -> str:
    """The mark of one that is over but half-done: it has no age, so it locks nobody out."""
    return f"{intent.id} 0"
