"""Hard guards beside the evidence, and votes across rollouts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from opsroom.analysis.judge import Judge
from opsroom.analysis.shared import at_least, baseline_moved, together
from opsroom.analysis.window import Pair, Window
from opsroom.domain.verdict import Verdict, VerdictState

Make = Callable[..., Window]


def restarting(window: Window, canary: list[float], baseline: list[float] | None = None) -> Window:
    steps = window.shape[1]
    pair = Pair(np.array([baseline or [0.0] * steps]), np.array([canary]))
    return Window(window.uids, window.times, window.step, {**window.metrics, "restarts": pair}, window.requests)


def judge(window: Window) -> list[Verdict]:
    return Judge().verdicts(window, float(window.times[-1]))


def test_a_crash_loop_is_harm_however_fast_the_rest_is(canaries: Make) -> None:
    counter = [float(max(0, t - 20) // 3) for t in range(60)]
    verdict = judge(restarting(canaries(), counter))[0]
    assert verdict.state is VerdictState.HARM
    assert verdict.evidence[0].guard == "crash_loop"


def test_a_canary_that_never_came_up_is_a_crash_loop_too() -> None:
    steps = 30
    nothing = Pair(np.full((1, steps), 5.0), np.full((1, steps), np.nan))
    counter = Pair(np.zeros((1, steps)), np.arange(steps, dtype=np.float64)[None] // 3)
    times = np.arange(steps, dtype=np.float64) * 30.0
    verdict = judge(Window(("r",), times, 30.0, {"latency_p99": nothing, "restarts": counter}))[0]
    assert verdict.state is VerdictState.HARM
    assert verdict.score is not None


def test_restarts_counted_per_step_are_a_crash_loop_too(canaries: Make) -> None:
    per_step = [float(t > 20 and t % 4 == 0) for t in range(60)]
    assert judge(restarting(canaries(), per_step))[0].state is VerdictState.HARM


def test_one_restart_or_restarts_of_both_arms_are_none(canaries: Make) -> None:
    once = [float(t > 10) for t in range(60)]
    loop = [float(t // 5) for t in range(60)]
    assert judge(restarting(canaries(), once))[0].state is VerdictState.HEALTHY
    assert judge(restarting(canaries(), loop, loop))[0].state is VerdictState.HEALTHY


def test_a_canary_that_lost_its_traffic_is_not_promoted(canaries: Make) -> None:
    window = canaries()
    assert window.requests is not None
    lost = window.requests.canary.copy()
    lost[:, 30:] = 2.0
    verdict = judge(
        Window(window.uids, window.times, window.step, window.metrics, Pair(window.requests.baseline, lost))
    )[0]
    assert verdict.state is VerdictState.UNDECIDED
    assert "no_traffic" in [e.guard for e in verdict.evidence]


def test_harms_that_begin_together_in_mid_watch_are_shared(canaries: Make) -> None:
    window = canaries(rollouts=12, latency=1.8, onset=30, phi=0.2)
    verdicts = judge(window)
    assert all(v.state is VerdictState.HARM and v.shared for v in verdicts)


def test_harm_from_the_start_or_alone_is_the_canarys_own(canaries: Make) -> None:
    assert not any(v.shared for v in judge(canaries(rollouts=12, latency=2.5, onset=0)))
    assert not any(v.shared for v in judge(canaries(rollouts=1, latency=1.8, onset=30)))


def test_a_baseline_that_moves_too_makes_harm_shared() -> None:
    rng = np.random.default_rng(1)
    base, canary = (0.03 * rng.standard_normal(40) for _ in range(2))
    canary[20:] += 0.8
    assert not baseline_moved(base, canary, 20)
    base[20:] += 0.5
    assert baseline_moved(base, canary, 20)
    assert not baseline_moved(base, canary, 39)


def test_votes_need_more_than_chance() -> None:
    harmed = np.ones(3, dtype=bool)
    since, started = np.array([20, 21, 50]), np.zeros(3, dtype=np.int64)
    crowd = np.concatenate([harmed[:2], np.zeros(500, dtype=bool)])
    late = np.concatenate([since[:2], np.zeros(500, dtype=np.int64)])
    assert not together(crowd, late, np.zeros(502, dtype=np.int64)).any()
    assert not together(harmed, since, started)[2]


def test_the_binomial_tail_is_right_and_survives_large_numbers() -> None:
    assert abs(at_least(2, 4, 0.5) - 11 / 16) < 1e-12
    assert at_least(0, 10, 0.1) == 1.0
    assert at_least(3_000, 100_000, 0.025) < 1e-6


def test_a_verdict_says_when_harm_began(canaries: Make) -> None:
    window = canaries(latency=2.0, onset=30)
    since = judge(window)[0].evidence[0].since
    assert since is not None
    assert abs((since - window.times[30]) / window.step) <= 3


def test_evidence_tells_the_effect_since_the_harm_began(canaries: Make) -> None:
    first = judge(canaries(steps=40, latency=4.0, onset=34))[0].evidence[0]
    assert first.effect is not None
    assert 3.5 < first.effect < 4.5
    assert first.low is not None
    assert first.high is not None
    assert first.low < 4.0 < first.high


def test_small_rises_together_each_carry_the_blame(canaries: Make) -> None:
    window = canaries(rollouts=40, latency=1.11, cpu=1.11, phi=0.2, noise=0.05)
    verdicts = [v for v in judge(window) if v.state is VerdictState.HARM]
    assert verdicts
    assert all(v.evidence[0].harm >= 0.5 and v.evidence[0].since is not None for v in verdicts)


def test_the_interval_of_an_error_rise_excludes_none(canaries: Make) -> None:
    first = judge(canaries(error_rise=0.03, onset=20, requests=60))[0].evidence[0]
    assert first.metric == "error_rate"
    assert first.low is not None
    assert first.low > 0


def remembering(rng: np.random.Generator, steps: int, memory: float, noise: float) -> NDArray[np.float64]:
    """Noise of a series that remembers (AR(1)), with the standard deviation ``noise``."""
    fresh: NDArray[np.float64] = rng.standard_normal(steps + 20) * noise * np.sqrt(1.0 - memory**2)
    for t in range(1, len(fresh)):
        fresh[t] += memory * fresh[t - 1]
    return np.asarray(fresh[20:], dtype=np.float64)


def looks(base: NDArray[np.float64], canary: NDArray[np.float64], since: int) -> list[bool]:
    """What every second look says from the onset on, as a watch would look."""
    return [baseline_moved(base[:end], canary[:end], since) for end in range(since + 3, len(base) + 1, 2)]


@pytest.mark.parametrize(("memory", "rise"), [(0.0, 0.15), (0.5, 0.25), (0.8, 0.4)])
def test_a_canary_alone_in_its_harm_stays_alone_at_every_look(memory: float, rise: float) -> None:
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        base, canary = (remembering(rng, 50, memory, 0.1) for _ in range(2))
        canary[20:] += rise
        wrong += any(looks(base, canary, 20))
    assert wrong <= 3


@pytest.mark.parametrize(("requests", "usual", "harm"), [(100, 0.005, 0.02), (60, 0.01, 0.03), (400, 0.002, 0.01)])
def test_errors_that_only_the_canary_has_are_its_own_however_few_there_are(
    requests: int, usual: float, harm: float
) -> None:
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        base = rng.binomial(requests, usual, 50) / requests
        after = np.arange(50) >= 20
        canary = rng.binomial(requests, usual + harm * after) / requests
        wrong += any(looks(base, canary, 20))
    assert wrong <= 3


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_an_innocent_canary_is_protected_when_its_baseline_suffers_as_well(memory: float) -> None:
    seen = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        base, canary = (remembering(rng, 40, memory, 0.1) for _ in range(2))
        base[20:] += 0.5
        canary[20:] += 0.7
        seen += baseline_moved(base[:32], canary[:32], 20)
    assert seen >= 95


def test_an_outage_of_both_arms_is_shared_though_the_rates_were_all_zero() -> None:
    base, canary = np.zeros(40), np.zeros(40)
    base[20:] = canary[20:] = 0.5
    assert baseline_moved(base, canary, 20)
    assert not baseline_moved(np.zeros(40), canary, 20)
