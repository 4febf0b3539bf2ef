"""What a Deployment says about itself, by kubectl's own tests.

Source: kubectl ``polymorphichelpers/rollout_status.go`` and the deployment controller's ``deployment_util.go``.
Counts are absent when they are 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines import former

NOT_TOLD = (former.DEPLOYMENT_HASH, "rollouts-pod-template-hash", "track")
"""Labels of a template that do not make it another revision; ``sources`` names versions by the same rule."""


def observed(target: Raw) -> bool:
    """Whether the controller has seen the present spec."""
    return raw.number(target, "status", "observedGeneration") >= raw.number(target, "metadata", "generation")


def replicas(target: Raw) -> int:
    """Wanted pods; the API defaults an absent count to 1."""
    wanted = raw.dig(target, "spec", "replicas")
    return wanted if isinstance(wanted, int) else 1


def complete(target: Raw) -> bool:
    """Every wanted pod is of the present template and available, and no other one is left."""
    status = raw.table(target, "status")
    updated = raw.number(status, "updatedReplicas")
    return (
        observed(target)
        and updated >= replicas(target)
        and raw.number(status, "replicas") <= updated
        and raw.number(status, "availableReplicas") >= updated
    )


def failed(target: Raw) -> str:
    """Why the present update fails, as the controller's reason; empty while it does not."""
    if not observed(target):
        return ""
    progressing = raw.text(raw.condition(target, "Progressing"), "reason")
    if progressing in ("ProgressDeadlineExceeded", "ReplicaSetCreateError"):
        return progressing
    failure = raw.condition(target, "ReplicaFailure")
    return raw.text(failure, "reason") if raw.text(failure, "status") == "True" else ""


def current(target: Raw, found: Iterable[Raw]) -> Raw | None:
    """The ReplicaSet of the present template, the oldest where two have it; None while there is none.

    As the controller finds it (deployment_util.go FindNewReplicaSet), never by the revision number: a paused
    Deployment keeps the number of the version before, whose hash would then stand for the one that waits.
    """
    template = _told(raw.table(target, "spec", "template"))
    mine = (one for one in found if raw.owned_by(one, raw.text(target, "metadata", "uid")))
    same = (one for one in mine if _told(raw.table(one, "spec", "template")) == template)
    return min(same, key=lambda one: raw.text(one, "metadata", "creationTimestamp"), default=None)


def _told(template: Raw) -> tuple[Raw, Raw, Raw]:
    """What makes a template another revision."""
    labels = raw.table(template, "metadata", "labels")
    return (
        {key: value for key, value in labels.items() if key not in NOT_TOLD},
        raw.table(template, "metadata", "annotations"),
        raw.table(template, "spec"),
    )


def hash_of(replica_set: Raw | None) -> str:
    """Its pod template hash; empty where there is none."""
    return raw.text(replica_set, "metadata", "labels", former.DEPLOYMENT_HASH)


def stable(target: Raw, found: Iterable[Raw], wanted: str = "") -> Raw | None:
    """The ReplicaSet that an update moves away from: the one with hash ``wanted``, else the newest other with pods."""
    mine = tuple(found)
    if wanted:
        return former.with_hash(mine, former.DEPLOYMENT_HASH, wanted)
    new = current(target, mine)
    others = [one for one in mine if one is not new]
    with_pods = [one for one in others if replicas(one)] or others
    return max(with_pods, key=lambda one: former.revision(one, former.DEPLOYMENT_REVISION), default=None)
