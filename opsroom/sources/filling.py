"""What was answered into the ring: series by arm, and restarts where only the pods themselves tell of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opsroom.domain.rollout import Rollout
from opsroom.sources.answers import Found, Series, points
from opsroom.sources.queries import RESTART_COUNT
from opsroom.sources.ring import Arm, Ring


def fill(ring: Ring, name: str, factor: float, first: int, answer: Found) -> None:
    """Store one answer for the steps from ``first`` on.

    Raises:
        Unusable: its values are no numbers.
    """
    series = [one for one in answer.series if one.metric.get("rs")]
    lengths, values = points(series)
    values[:, 1] *= factor
    ring.fill(name, first, ring.end, [_arm(one) for one in series], lengths, values, whole=not answer.partial)


def _arm(series: Series) -> Arm:
    namespace = next((value for label, value in series.metric.items() if label != "rs"), "")
    return namespace, series.metric["rs"]


def from_pods(ring: Ring, rollouts: Sequence[Rollout]) -> None:
    """Restarts as the pods' own status tells them, where Prometheus does not know."""
    counted: dict[Arm, float] = {}
    for rollout in rollouts:
        for revision in (rollout.stable, rollout.canary):
            if revision is not None and revision.replica_set:
                counted[rollout.namespace, revision.replica_set] = float(revision.restarts)
    if counted:
        ring.put(RESTART_COUNT, list(counted), np.array(list(counted.values())), 1)
