"""What both arms share must not accuse the canary, nor what made them unlike from the start, nor too few requests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from opsroom.analysis.judge import Judge
from opsroom.analysis.uncounted import USUAL_REQUESTS, behind_rates
from opsroom.analysis.window import Pair, Window

Make = Callable[..., Window]
Floats = NDArray[np.float64]


def replaced(window: Window, name: str, pair: Pair, requests: Pair | None) -> Window:
    return Window(window.uids, window.times, window.step, {**window.metrics, name: pair}, requests)


def rolled_back(window: Window) -> float:
    return float((np.nanmax(Judge().scores(window).score, axis=1) > 0.8).mean())


@pytest.mark.parametrize("length", [5, 12, 40])
def test_trouble_of_both_arms_is_not_the_canarys(canaries: Make, length: int) -> None:
    window = canaries(rollouts=400, noise=0.1, seed=21)
    hit = np.where((np.arange(60) >= 20) & (np.arange(60) < 20 + length), 2.0, 1.0)
    pair = window.metrics["latency_p99"]
    both = replaced(window, "latency_p99", Pair(pair.baseline * hit, pair.canary * hit), window.requests)
    assert rolled_back(both) <= rolled_back(window) + 0.015


@pytest.mark.parametrize("rise", [0.7, 1.5, -1.0])
def test_a_load_that_slowly_moves_is_not_the_canarys(canaries: Make, rise: float) -> None:
    window = canaries(rollouts=400, noise=0.1, seed=22)
    climb = np.exp(np.linspace(0.0, rise, 60))
    pair = window.metrics["latency_p99"]
    both = replaced(window, "latency_p99", Pair(pair.baseline * climb, pair.canary * climb), window.requests)
    assert rolled_back(both) <= rolled_back(window) + 0.015


def uncounted(rng: np.random.Generator, served: int, rate: float, rollouts: int) -> Floats:
    return rng.binomial(served, rate, (rollouts, 60)) / served


@pytest.mark.parametrize(("served", "most"), [(12, 0.10), (20, 0.05)])
def test_few_requests_that_nobody_counted_seldom_alarm(canaries: Make, served: int, most: float) -> None:
    rng = np.random.default_rng(served)
    window = canaries(rollouts=400, seed=23)
    rates = Pair(uncounted(rng, served, 0.02, 400), uncounted(rng, served, 0.02, 400))
    assert rolled_back(replaced(window, "error_rate", rates, None)) <= most


def test_errors_that_nobody_counted_are_found_all_the_same(canaries: Make) -> None:
    rng = np.random.default_rng(7)
    window = canaries(rollouts=100, seed=24)
    rates = Pair(uncounted(rng, 300, 0.005, 100), uncounted(rng, 300, 0.05, 100))
    assert rolled_back(replaced(window, "error_rate", rates, None)) >= 0.98


def test_the_requests_behind_a_rate_are_read_off_its_steps() -> None:
    rng = np.random.default_rng(3)
    rates = uncounted(rng, 11, 0.1, 50).T
    assert 9 <= float(np.median(behind_rates(rates)[-1])) <= 14
    assert (behind_rates(np.full((20, 1), 0.0)) == USUAL_REQUESTS).all()
    assert (behind_rates(np.full((20, 1), np.nan)) == USUAL_REQUESTS).all()
    assert behind_rates(np.full((20, 1), 0.001))[-1, 0] == pytest.approx(1000.0)
    assert np.isfinite(behind_rates(np.ones((20, 1)))).all()


def drifting(rng: np.random.Generator, rollouts: int) -> Floats:
    """Each replica has its own work: a level that wanders and that no other shares."""
    return np.asarray(np.exp(0.02 * rng.standard_normal((rollouts, 60)).cumsum(axis=1)))


def test_replicas_that_are_unlike_from_the_start_can_be_promoted_but_not_one_that_became_so(canaries: Make) -> None:
    rng = np.random.default_rng(5)
    window = canaries(rollouts=100, noise=0.05, seed=25)
    base, canary = drifting(rng, 100), drifting(rng, 100)
    after = np.arange(60) >= 25
    unlike = replaced(window, "cpu_usage", Pair(base, 3.0 * canary), window.requests)
    became = replaced(window, "cpu_usage", Pair(base, canary * np.where(after, 3.0, 1.0)), window.requests)
    promoted = [float((Judge().scores(w).score[:, -1] < 0.2).mean()) for w in (unlike, became)]
    assert promoted[0] >= 0.3
    assert promoted[1] == 0.0
