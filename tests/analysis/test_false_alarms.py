"""The guarantee: healthy canaries are rolled back no more often than the budget says, looked at after every step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from opsroom.analysis.budget import Budget
from opsroom.analysis.judge import Judge
from opsroom.analysis.window import Window

Make = Callable[..., Window]
HEALTHY = 1500


def false_alarms(judge: Judge, window: Window) -> float:
    """Rollbacks per 1000, over the whole horizon."""
    found = judge.scores(window).score
    return float(1000 * (np.nanmax(found, axis=1) > 0.8).mean())


@pytest.mark.parametrize("phi", [0.0, 0.6])
@pytest.mark.parametrize("noise", [0.03, 0.12])
def test_false_rollbacks_stay_within_the_budget(canaries: Make, phi: float, noise: float) -> None:
    window = canaries(rollouts=HEALTHY, phi=phi, noise=noise, seed=11)
    assert false_alarms(Judge(), window) <= Budget().false_rollbacks


def test_a_smaller_budget_means_fewer_false_rollbacks_and_later_ones(canaries: Make) -> None:
    noisy = canaries(rollouts=600, phi=0.85, noise=0.4, seed=3)
    assert false_alarms(Judge(Budget(false_rollbacks=1.0)), noisy) <= false_alarms(Judge(), noisy)
    sick = canaries(rollouts=50, latency=1.3, seed=4)
    strict, usual = (Judge(Budget(false_rollbacks=n)).scores(sick).score > 0.8 for n in (0.1, 10.0))
    assert strict.argmax(axis=1).mean() >= usual.argmax(axis=1).mean()


def test_plain_regressions_are_found_within_the_watch(canaries: Make) -> None:
    for harm in ({"latency": 1.5}, {"error_rise": 0.03}, {"latency": 1.25, "cpu": 1.25}):
        window = canaries(rollouts=200, phi=0.3, onset=15, seed=5, **harm)
        found = Judge().scores(window).score > 0.8
        assert found.any(axis=1).mean() > 0.95
        assert found[:, :15].mean() < 0.01
