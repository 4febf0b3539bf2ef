"""ReplicaSets of a Deployment as revisions: creating the new one, numbering the one of the present template.

Source: k8s.io pkg/controller/deployment/sync.go. Sizes after the first are `deployment`'s.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Create, Merge, key_of
from opsroom.simulator.controllers.deployment_family import DESIRED, MAXIMUM, Family, scaled_note
from opsroom.simulator.controllers.objects import name_of, total, total_desired
from opsroom.simulator.controllers.replica_counts import Fence, rolling_new_count
from opsroom.simulator.controllers.revisions import Revisions
from opsroom.simulator.controllers.template_hash import DEPLOYMENT_HASH_LABEL, template_hash

REVISION = "deployment.kubernetes.io/revision"
_FORMER = "deployment.kubernetes.io/revision-history"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
REVISIONS = Revisions(
    DEPLOYMENT_HASH_LABEL,
    REVISION,
    _FORMER,
    DESIRED,
    frozenset({_APPLIED, REVISION, _FORMER, DESIRED, MAXIMUM, "deprecated.deployment.rollback.to"}),
)


def claim_revision(family: Family) -> list[Change]:
    """Create the new ReplicaSet, or give a re-used one the next revision number."""
    number = REVISIONS.next_number(family.old)
    if family.new is None:
        changes = _create(family, number)
    else:
        changes = REVISIONS.renumbered(family.deployment, family.new, number)
        number = max(number, REVISIONS.number_of(family.new))
    if REVISIONS.number_of(family.deployment) != number:
        body = {"metadata": {"annotations": {REVISION: str(number)}}}
        changes.append(Merge(key_of("deployments", family.deployment), body))
    return changes


def _create(family: Family, number: int) -> list[Change]:
    wanted, limits = family.wanted, family.limits
    size = rolling_new_count(wanted, 0, total_desired(family.old), limits.surge)
    if limits == Fence(0, 0) and total(family.old, "replicas"):
        size = 0
    mark = template_hash(family.deployment["spec"]["template"])
    most = {MAXIMUM: str(wanted + limits.surge)}
    body = REVISIONS.replica_set(family.deployment, mark, number, size, **most)
    changes: list[Change] = [Create("replicasets", body)]
    if size:
        changes.append(scaled_note(family, name_of(body), 0, size))
    return changes
