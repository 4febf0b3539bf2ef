"""Both arms of each rollout out of the ring: the canary's ReplicaSet beside the stable one's. Pure.

Rates are made from counts here, so that "no failed request" (no series at all in Prometheus) is 0 where requests were
counted, and NaN only where nobody counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opsroom.domain.rollout import Revision, Rollout
from opsroom.sources.aligned import Aligned, Arms, Floats, Services
from opsroom.sources.load import at_equal_load
from opsroom.sources.queries import CPU_USAGE, ERROR_RATE, ERRORS, PODS, REQUESTS
from opsroom.sources.ring import Arm, Ring


def align(
    ring: Ring,
    rollouts: Sequence[Rollout],
    metrics: Sequence[str],
    delay: float,
    services: Services | None = None,
    idle: float = 1.0,
) -> Aligned:
    """Arrays for those of ``rollouts`` that have a canary.

    ``delay``: seconds after a canary's start for which a metric's window still reaches back before it.
    ``idle``: share of its CPU that a stable pod uses without requests (see ``load``).
    ``services``: given, arms are told apart by Service instead of ReplicaSet.
    """
    moving = [one for one in rollouts if one.canary is not None]
    stables = [_arm(one, one.stable, services, 0) for one in moving]
    canaries = [_arm(one, one.canary, services, 1) for one in moving]

    def arms(metric: str) -> Arms:
        return ring.rows(metric, stables), ring.rows(metric, canaries)

    requests = arms(REQUESTS)
    errors = _zeroed(arms(ERRORS), requests, ring)
    found = {name: arms(name) for name in metrics if name not in (REQUESTS, ERRORS, PODS)}
    if CPU_USAGE in found and PODS in metrics:
        found[CPU_USAGE] = at_equal_load(found[CPU_USAGE], requests, arms(PODS), idle)
    if ERROR_RATE not in found:
        found[ERROR_RATE] = (_ratio(errors[0], requests[0]), _ratio(errors[1], requests[1]))
    times = ring.times
    return Aligned(
        uids=tuple(one.uid for one in moving),
        times=times,
        step=ring.step,
        metrics=found,
        requests=requests,
        errors=errors,
        quantile_steps=max(1.0, delay / ring.step),
        started=np.array([_started(one, times, delay) for one in moving], dtype=np.int64),
        concurrent=np.array([one.stable is not None and one.stable.ready > 0 for one in moving], dtype=np.bool_),
    )


def _arm(rollout: Rollout, revision: Revision | None, services: Services | None, side: int) -> Arm | None:
    if revision is None:
        return None
    name = revision.replica_set if services is None else services(rollout.uid)[side]
    return (rollout.namespace, name) if name else None


def _zeroed(errors: Arms, requests: Arms, ring: Ring) -> Arms:
    answered = ring.answered(ERRORS)
    zeroed = [
        np.where(np.isnan(wrong) & np.isfinite(count) & answered, 0.0, wrong)
        for wrong, count in zip(errors, requests, strict=True)
    ]
    return zeroed[0], zeroed[1]


def _ratio(errors: Floats, requests: Floats) -> Floats:
    """Share of failed requests; NaN without requests. Extrapolated counts may disagree a little: capped at 1."""
    some = requests > 0
    ratio: Floats = np.full(requests.shape, np.nan)
    np.divide(errors, requests, out=ratio, where=some)
    return np.minimum(ratio, 1.0)


def _started(rollout: Rollout, times: Floats, delay: float) -> int:
    if rollout.canary is not None and not rollout.canary.replicas:
        # A revision that serves a second time may have left samples of its first.
        return len(times)
    if rollout.started is None:
        return 0
    return int(np.searchsorted(times, rollout.started + delay))
