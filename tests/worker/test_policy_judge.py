"""The judge in the worker is the one that the policy asks for, metrics of one's own included."""

from __future__ import annotations

import numpy as np

from opsroom.analysis.window import Pair, Window
from opsroom.domain.judge_policy import JudgePolicy, MetricPolicy
from opsroom.worker.judging import PolicyJudge, budget_of

STEPS = 60
NOISE = np.random.default_rng(3).normal(0.0, 0.03, (2, STEPS))


def window(factor: float) -> Window:
    baseline, canary = 100.0 * np.exp(NOISE)
    pair = Pair(baseline[None, :], factor * canary[None, :])
    requests = Pair(np.full((1, STEPS), 500.0), np.full((1, STEPS), 500.0))
    times = 10.0 * np.arange(STEPS, dtype=np.float64)
    return Window(("u",), times, 10.0, {"cache_hits": pair}, requests)


def score(policy: JudgePolicy, factor: float) -> float:
    found = PolicyJudge(lambda: policy).verdicts(window(factor), 10.0 * STEPS)[0].score
    assert found is not None
    return found


def test_a_metric_of_ones_own_has_its_own_direction() -> None:
    down = JudgePolicy(metrics={"cache_hits": MetricPolicy(matters=0.1, worse="down")})
    assert score(down, 0.6) > 0.8
    assert score(down, 1.6) < 0.2
    assert score(JudgePolicy(), 1.6) > 0.8


def test_what_does_not_matter_does_not_count() -> None:
    assert score(JudgePolicy(metrics={"cache_hits": MetricPolicy(matters=0.08)}), 1.25) > 0.8
    assert score(JudgePolicy(metrics={"cache_hits": MetricPolicy(matters=1.0)}), 1.25) < 0.2


def test_a_new_policy_makes_a_new_judge() -> None:
    policies = [JudgePolicy(metrics={"cache_hits": MetricPolicy(matters=1.0)}), JudgePolicy()]
    judge = PolicyJudge(lambda: policies[0])
    before = judge.verdicts(window(1.25), 10.0 * STEPS)[0].score
    policies.pop(0)
    after = judge.verdicts(window(1.25), 10.0 * STEPS)[0].score
    assert before is not None
    assert after is not None
    assert before < 0.2 < 0.8 < after


def test_the_built_in_policy_is_the_built_in_budget() -> None:
    assert budget_of(JudgePolicy()) == budget_of(JudgePolicy(false_rollbacks=10.0))
    assert budget_of(JudgePolicy()).margin("latency_p99").matters == 0.1
