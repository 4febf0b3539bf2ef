"""Both arms beside each other, with zeros and gaps told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.sources.align import align
from opsroom.sources.queries import ERROR_RATE, ERRORS, LATENCY_P99, REQUESTS
from opsroom.sources.ring import Arm, Ring

OLD, NEW = ("shop", "checkout-old"), ("shop", "checkout-new")


def rollout(
    name: str = "checkout", canary: bool = True, started: float | None = 95.0, ready: int = 3, pods: int = 1
) -> Rollout:
    return Rollout(
        uid=Uid(f"uid-{name}"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="shop",
        name=name,
        phase=Phase.PAUSED,
        stable=Revision(hash="old", replica_set=f"{name}-old", ready=ready),
        canary=Revision(hash="new", replica_set=f"{name}-new", replicas=pods) if canary else None,
        started=started,
    )


def ring() -> Ring:
    found = Ring(1.0, 10)
    found.advance(100)
    return found


def put(into: Ring, metric: str, first: int, values: dict[Arm, list[float]]) -> None:
    points = [[float(first + at), value] for course in values.values() for at, value in enumerate(course)]
    last = first + max((len(course) for course in values.values()), default=1) - 1
    flat: NDArray[np.float64] = np.array(points, dtype=np.float64).reshape(-1, 2)
    into.fill(metric, first, last, list(values), [len(course) for course in values.values()], flat)


def test_arms_are_found_by_replica_set_and_only_canaries_count() -> None:
    filled = ring()
    put(filled, LATENCY_P99, 99, {OLD: [10.0, 11.0], NEW: [20.0, 21.0]})
    found = align(filled, [rollout("idle", canary=False), rollout()], [LATENCY_P99], 0.0)
    assert found.uids == ("uid-checkout",)
    baseline, canary = found.metrics[LATENCY_P99]
    assert list(baseline[0, -2:]) == [10.0, 11.0]
    assert list(canary[0, -2:]) == [20.0, 21.0]
    assert np.isnan(canary[0, :-2]).all()
    assert found.times[-1] == 100.0


def test_no_failed_request_is_zero_only_where_requests_were_counted_and_errors_asked_for() -> None:
    filled = ring()
    put(filled, REQUESTS, 97, {OLD: [50.0, 0.0, 50.0, 50.0]})
    put(filled, ERRORS, 97, {OLD: [5.0], NEW: []})
    filled.fill(ERRORS, 98, 99, [], [], np.empty((0, 2)))
    found = align(filled, [rollout()], [], 0.0)
    errors, rate = found.errors[0][0], found.metrics[ERROR_RATE][0][0]
    assert list(errors[-4:-1]) == [5.0, 0.0, 0.0]
    assert np.isnan(errors[-1])
    assert rate[-4] == 0.1
    assert np.isnan(rate[-3])
    assert rate[-2] == 0.0
    assert np.isnan(rate[-1])
    assert np.isnan(found.metrics[ERROR_RATE][1]).all()


def test_a_canary_starts_with_its_first_whole_window() -> None:
    def started(at: float | None, delay: float) -> int:
        return int(align(ring(), [rollout(started=at)], [], delay).started[0])

    assert started(95.0, 0.0) == 4
    assert started(95.0, 2.5) == 7
    assert started(200.0, 0.0) == 10
    assert started(None, 5.0) == 0
    assert started(1.0, 5.0) == 0


def test_a_canary_without_pods_has_not_started_whatever_its_replica_set_once_was() -> None:
    assert list(align(ring(), [rollout(started=95.0, pods=0)], [], 0.0).started) == [10]


def test_a_baseline_without_ready_pods_is_not_concurrent() -> None:
    assert list(align(ring(), [rollout(), rollout("b", ready=0)], [], 0.0).concurrent) == [True, False]


def test_arms_may_be_services() -> None:
    filled = ring()
    put(filled, REQUESTS, 100, {("shop", "stable-svc"): [7.0], ("shop", "canary-svc"): [3.0]})
    found = align(filled, [rollout()], [], 0.0, lambda uid: ("stable-svc", "canary-svc"))
    assert (found.requests[0][0, -1], found.requests[1][0, -1]) == (7.0, 3.0)
    assert np.isnan(align(filled, [rollout()], [], 0.0, lambda uid: ("", "")).requests[0]).all()


def test_nothing_to_look_at_is_an_empty_table() -> None:
    found = align(ring(), [], [LATENCY_P99], 0.0)
    assert found.requests[0].shape == (0, 10)
    assert found.metrics[LATENCY_P99][1].shape == (0, 10)
