"""Former revisions: ReplicaSets of a workload, their templates, and who would put a new one back.

A half-done update goes back to the second-highest existing number, not to the number before: gaps are normal, and a
re-used ReplicaSet takes a new number. An undo goes by the history of the present one as well (``to_undo_to``).
Sources: kubectl ``polymorphichelpers/rollback.go``, Argo Rollouts ``cmd/undo``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.kinds import path_to
from opsroom.delivery.plan import Need
from opsroom.domain.rollout import Engine

DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
DEPLOYMENT_HASH = "pod-template-hash"


async def replica_sets(reader: Reader, workload: Raw) -> tuple[Raw, ...]:
    """The ReplicaSets that ``workload`` controls."""
    namespace, uid = raw.text(workload, "metadata", "namespace"), raw.text(workload, "metadata", "uid")
    selector = raw.selector(workload)
    params = {"labelSelector": selector} if selector else None
    answer: Raw = await reader.get(f"/apis/apps/v1/namespaces/{namespace}/replicasets", dict, params)
    return tuple(found for found in raw.items(answer, "items") if raw.owned_by(found, uid))


def revision(replica_set: Raw, name: str) -> int:
    """The revision number in the annotation ``name``; 0 when there is none."""
    number = raw.annotation(replica_set, name)
    return int(number) if number.isdecimal() else 0


def second_highest(found: Iterable[Raw], name: str) -> Raw | None:
    """The ReplicaSet before the newest one, or None."""
    ordered = sorted(found, key=lambda one: revision(one, name))
    return ordered[-2] if len(ordered) > 1 else None


def to_undo_to(found: Iterable[Raw], name: str) -> Raw | None:
    """The newest ReplicaSet from before the present one first served, or None.

    A revision that was tried later and given up for the present one (an abort and a revert in Git, an undo) has the
    second-highest number; going "back" to it would roll out again what was rolled back.
    """
    ordered = sorted(found, key=lambda one: revision(one, name))
    if not ordered:
        return None
    served = [int(part) for part in raw.annotation(ordered[-1], f"{name}-history").split(",") if part.isdecimal()]
    first = min(served, default=revision(ordered[-1], name))
    return next((one for one in reversed(ordered[:-1]) if revision(one, name) < first), None)


def with_hash(found: Iterable[Raw], label: str, value: str) -> Raw | None:
    """The ReplicaSet whose pods bear the hash ``value``, or None."""
    return next((one for one in found if raw.text(one, "metadata", "labels", label) == value), None)


def template(replica_set: Raw, *hash_labels: str) -> Raw:
    """The pod template of ``replica_set`` without the labels that its controller added."""
    value: Raw = copy.deepcopy(raw.table(replica_set, "spec", "template"))
    labels = raw.table(value, "metadata", "labels")
    for label in hash_labels:
        labels.pop(label, None)
    return value


def git_owner(workload: Raw) -> str:
    """``argocd`` or ``flux`` where a controller would put its own template back; else empty.

    Helm is not one of them: it writes only when somebody runs it.
    """
    if raw.annotation(workload, "argocd.argoproj.io/tracking-id"):
        return "argocd"
    labels = raw.table(workload, "metadata", "labels")
    if "argocd.argoproj.io/instance" in labels:
        return "argocd"
    flux = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
    return "flux" if any(name in labels for name in flux) else ""


def deployment_path(workload: Raw) -> str:
    """Path of a Deployment."""
    namespace, name = raw.text(workload, "metadata", "namespace"), raw.text(workload, "metadata", "name")
    return path_to(Engine.DEPLOYMENT, namespace, name)


def deployment_need(workload: Raw) -> Need:
    """The right to patch a Deployment."""
    return Need(group="apps", resource="deployments", namespace=raw.text(workload, "metadata", "namespace"))
