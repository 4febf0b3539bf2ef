"""What must hold of the judge whatever the samples are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from opsroom.analysis.columns import _quantile
from opsroom.analysis.judge import Judge
from opsroom.analysis.window import Pair, Window

Make = Callable[..., Window]
JUDGE = Judge()
METRICS = ("latency_p99", "cpu_usage", "error_rate")

ratios = hnp.arrays(np.float64, (2, 3, 24), elements=st.floats(-1.5, 1.5, width=32) | st.just(float("nan")))
rates = hnp.arrays(np.float64, (2, 3, 24), elements=st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.05, 0.3]))


def window_of(latency: np.ndarray, cpu: np.ndarray, errors: np.ndarray, step: float = 30.0) -> Window:
    rows, steps = latency.shape[1:]
    return Window(
        uids=tuple(map(str, range(rows))),
        times=np.arange(steps, dtype=np.float64) * step,
        step=step,
        metrics={
            "latency_p99": Pair(100 * np.exp(latency[0]), 100 * np.exp(latency[1])),
            "cpu_usage": Pair(np.exp(cpu[0]), np.exp(cpu[1])),
            "error_rate": Pair(errors[0], errors[1]),
        },
    )


def scores(window: Window) -> np.ndarray:
    return JUDGE.scores(window).score


def with_metric(window: Window, name: str, pair: Pair) -> Window:
    return Window(
        uids=window.uids,
        times=window.times,
        step=window.step,
        metrics={**window.metrics, name: pair},
        requests=window.requests,
    )


def cut(window: Window, steps: int) -> Window:
    def short(pair: Pair) -> Pair:
        return Pair(pair.baseline[:, :steps], pair.canary[:, :steps])

    return Window(
        uids=window.uids,
        times=window.times[:steps],
        step=window.step,
        metrics={name: short(pair) for name, pair in window.metrics.items()},
        requests=short(window.requests) if window.requests else None,
    )


@settings(max_examples=40, deadline=None)
@given(ratios, ratios, rates, st.sampled_from([5.0, 30.0, 300.0]))
def test_scores_stay_within_bounds_and_use_no_later_step(
    latency: np.ndarray, cpu: np.ndarray, errors: np.ndarray, step: float
) -> None:
    whole = window_of(latency, cpu, errors, step)
    found = scores(whole)
    known = found[np.isfinite(found)]
    assert ((known >= 0) & (known <= 1)).all()
    np.testing.assert_allclose(scores(cut(whole, 13)), found[:, :13], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(ratios, ratios, rates, st.sampled_from([0.01, 3.0, 1000.0]))
def test_a_factor_on_both_arms_changes_nothing(
    latency: np.ndarray, cpu: np.ndarray, errors: np.ndarray, factor: float
) -> None:
    plain = window_of(latency, cpu, errors)
    for name in ("latency_p99", "cpu_usage"):
        pair = plain.metrics[name]
        other = with_metric(plain, name, Pair(pair.baseline * factor, pair.canary * factor))
        np.testing.assert_allclose(scores(other), scores(plain), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(ratios, ratios, rates, st.permutations(METRICS))
def test_the_order_of_metrics_changes_nothing(
    latency: np.ndarray, cpu: np.ndarray, errors: np.ndarray, order: list[str]
) -> None:
    plain = window_of(latency, cpu, errors)
    other = Window(plain.uids, plain.times, plain.step, {name: plain.metrics[name] for name in order})
    np.testing.assert_allclose(scores(other), scores(plain), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(ratios, ratios, rates, st.floats(1.01, 8.0), st.sampled_from(["latency_p99", "cpu_usage"]))
def test_a_worse_canary_never_scores_lower(
    latency: np.ndarray, cpu: np.ndarray, errors: np.ndarray, factor: float, name: str
) -> None:
    plain = window_of(latency, cpu, errors)
    pair = plain.metrics[name]
    worse = with_metric(plain, name, Pair(pair.baseline, pair.canary * factor))
    before, after = scores(plain), scores(worse)
    known = np.isfinite(before)
    assert (after[known] >= before[known] - 1e-6).all()


@settings(max_examples=40, deadline=None)
@given(rates, st.floats(0.01, 0.5))
def test_more_errors_never_score_lower(errors: np.ndarray, more: float) -> None:
    still = np.zeros((2, 3, 24))
    plain = window_of(still, still, errors)
    worse = window_of(still, still, np.stack([errors[0], np.minimum(errors[1] + more, 1.0)]))
    assert (scores(worse) >= scores(plain) - 1e-6).all()


def test_more_errors_at_some_steps_never_score_lower() -> None:
    rng = np.random.default_rng(8)
    still = np.zeros((2, 4000, 24))
    errors = rng.choice([0.0, 0.0, 0.0, 0.01, 0.05, 0.3], size=still.shape)
    more = rng.choice([0.01, 0.1, 0.5], size=(4000, 1)) * (rng.random((4000, 24)) < 0.3)
    worse = np.stack([errors[0], np.minimum(errors[1] + more, 1.0)])
    assert (scores(window_of(still, still, worse)) >= scores(window_of(still, still, errors)) - 1e-6).all()


@pytest.mark.parametrize("name", ["latency", "cpu", "error"])
def test_swapped_arms_turn_harm_into_health(canaries: Make, name: str) -> None:
    harm = {"latency": {"latency": 1.6}, "cpu": {"cpu": 1.6}, "error": {"error_rise": 0.05}}[name]
    sick = canaries(rollouts=20, phi=0.3, **harm)
    swapped = Window(
        sick.uids,
        sick.times,
        sick.step,
        {m: Pair(p.canary, p.baseline) for m, p in sick.metrics.items()},
        sick.requests,
    )
    if name != "cpu":  # independent arms do not share their load, so a level of CPU alone proves nothing
        assert (scores(sick)[:, -1] > 0.8).mean() > 0.9
    assert (scores(swapped)[:, -1] < 0.2).mean() > 0.9


def test_batch_single_and_restarted_agree(canaries: Make) -> None:
    window = canaries(rollouts=9, phi=0.5, latency=1.2, onset=20)
    whole = scores(window)
    single = np.concatenate([scores(window.part(slice(i, i + 1))) for i in range(9)])
    np.testing.assert_allclose(single, whole, atol=1e-9)
    np.testing.assert_allclose(scores(cut(window, 41))[:, -1], whole[:, 40], atol=1e-9)


def test_steps_before_the_start_are_ignored(canaries: Make) -> None:
    window = canaries(rollouts=4, steps=50)
    late = Window(
        uids=window.uids,
        times=window.times,
        step=window.step,
        metrics=window.metrics,
        requests=window.requests,
        started=np.full(4, 10, dtype=np.int64),
    )
    found = scores(late)
    assert np.isnan(found[:, :10]).all()
    shifted = Window(
        uids=window.uids,
        times=window.times[10:],
        step=window.step,
        metrics={m: Pair(p.baseline[:, 10:], p.canary[:, 10:]) for m, p in window.metrics.items()},
        requests=window.requests and Pair(window.requests.baseline[:, 10:], window.requests.canary[:, 10:]),
    )
    np.testing.assert_allclose(found[:, 10:], scores(shifted), atol=1e-9)


def test_one_step_at_a_time_gives_the_scores_of_the_batch(canaries: Make) -> None:
    from opsroom.analysis.columns import columns

    window = canaries(rollouts=5, latency=1.3, onset=15)
    stream = JUDGE.open(tuple(window.metrics), 5, window.step)
    found = []
    for column in columns(window, JUDGE.budget):
        stream.advance(column)
        found.append(JUDGE.score(stream, window.step))
    np.testing.assert_array_equal(np.stack(found, axis=1), scores(window))


def test_a_quantile_from_a_histogram_is_not_said_to_be_too_low_where_it_is_not() -> None:
    """Fifty requests a step, read over two steps: the exact quantile would be a tenth too low, this one is not."""
    requests = np.full((40, 1), 50.0)
    exact, _ = _quantile(requests, 0.0)
    read, _ = _quantile(requests, 2.0)
    assert exact[0, 0] < -0.05
    assert read[0, 0] == 0.0
    few, _ = _quantile(np.full((40, 1), 5.0), 2.0)
    assert few[0, 0] < -0.1
