"""The public function: one canary, one decision, and the verdict behind it."""

from __future__ import annotations

import numpy as np
import pytest

from opsroom import analyze_canary_metrics
from opsroom.analysis.budget import Budget, Direction, Margin
from opsroom.analysis.judge import Judge
from opsroom.domain.verdict import UnknownReason, VerdictState

STEPS = 60


def series(typical: float, seed: int, factor: float = 1.0, noise: float = 0.05) -> list[float]:
    return list(typical * factor * np.exp(noise * np.random.default_rng(seed).standard_normal(STEPS)))


def test_a_slow_canary_is_rolled_back_with_its_reason_first() -> None:
    found = analyze_canary_metrics(
        {"latency_p99": series(120, 1), "cpu_usage": series(0.4, 2)},
        {"latency_p99": series(120, 3, 1.5), "cpu_usage": series(0.4, 4)},
    )
    assert found.decision == "rollback"
    assert found.score is not None
    assert found.score > 0.8
    assert found.verdict.state is VerdictState.HARM
    first = found.verdict.evidence[0]
    assert first.metric == "latency_p99"
    assert first.low is not None
    assert first.high is not None
    assert first.low < 1.5 < first.high
    assert first.since is not None
    assert first.steps == STEPS


def test_a_healthy_canary_is_promoted_only_after_the_watch() -> None:
    base, canary = series(120, 1), series(120, 2)
    whole = analyze_canary_metrics({"latency_p99": base}, {"latency_p99": canary})
    early = analyze_canary_metrics({"latency_p99": base[:10]}, {"latency_p99": canary[:10]})
    assert whole.decision == "promote"
    assert whole.verdict.decides_in == 0.0
    assert early.decision == "continue_monitoring"
    assert early.verdict.decides_in is not None
    assert early.verdict.decides_in > 0


def test_an_improvement_is_never_punished() -> None:
    found = analyze_canary_metrics(
        {"latency_p99": series(120, 1), "error_rate": [0.05] * STEPS},
        {"latency_p99": series(120, 2, 0.5), "error_rate": [0.001] * STEPS},
    )
    assert found.decision == "promote"


def test_counted_errors_are_found_where_rates_alone_are_doubtful() -> None:
    zeros, some = [0.0] * STEPS, [0.0, 0.0, 0.02] * (STEPS // 3)
    counts = ([200.0] * STEPS, [200.0] * STEPS)
    found = analyze_canary_metrics({"error_rate": zeros}, {"error_rate": some}, requests=counts)
    assert found.decision == "rollback"
    assert found.verdict.evidence[0].requests == 200.0 * STEPS


def test_a_custom_metric_has_the_direction_of_the_budget() -> None:
    budget = Budget(margins={"cache_hits": Margin(0.12, Direction.DOWN)})
    base, fewer = {"cache_hits": series(900, 1)}, {"cache_hits": series(900, 2, 0.6)}
    assert analyze_canary_metrics(base, fewer, judge=Judge(budget)).decision == "rollback"
    assert analyze_canary_metrics(fewer, base, judge=Judge(budget)).decision == "promote"
    down = analyze_canary_metrics(base, fewer, judge=Judge(budget)).verdict.evidence[0]
    assert down.effect == pytest.approx(0.6, rel=0.1)


def test_an_effect_that_does_not_matter_to_the_user_is_no_harm() -> None:
    base, canary = {"latency_p99": series(120, 1)}, {"latency_p99": series(120, 2, 1.15)}
    assert analyze_canary_metrics(base, canary).decision == "rollback"
    tolerant = Judge(Budget(margins={"latency_p99": Margin(0.6)}))
    assert analyze_canary_metrics(base, canary, judge=tolerant).decision == "promote"


def test_a_baseline_from_history_is_demanded_more_of() -> None:
    base, canary = {"latency_p99": series(120, 1)}, {"latency_p99": series(120, 2, 1.25)}
    now = [analyze_canary_metrics(base, {"latency_p99": canary["latency_p99"]}, concurrent=c) for c in (True, False)]
    assert now[0].score is not None
    assert now[1].score is not None
    assert now[1].score <= now[0].score
    assert not now[1].verdict.concurrent


@pytest.mark.parametrize(
    ("baseline", "canary", "reason"),
    [
        ([1.0] * 20, [None] * 20, UnknownReason.NO_DATA),
        ([None] * 20, [1.0] * 20, UnknownReason.NO_BASELINE),
        ([1.0], [1.0], UnknownReason.TOO_FEW_STEPS),
        ([], [], UnknownReason.NO_DATA),
        ([1.0] * 10 + [None] * 20, [1.0] * 30, UnknownReason.STALE),
    ],
)
def test_too_little_is_unknown_and_never_a_decision(
    baseline: list[float | None], canary: list[float | None], reason: UnknownReason
) -> None:
    found = analyze_canary_metrics({"latency_p99": baseline}, {"latency_p99": canary})
    assert found.decision == "continue_monitoring"
    assert found.score is None
    assert found.verdict.unknown is reason


def test_a_trickle_of_traffic_is_unknown() -> None:
    counts = ([1.0] * STEPS, [0.2] * STEPS)
    found = analyze_canary_metrics({"error_rate": [0.0] * STEPS}, {"error_rate": [0.0] * STEPS}, requests=counts)
    assert found.verdict.unknown is UnknownReason.TOO_LITTLE_TRAFFIC


def test_a_canary_that_serves_nothing_is_unknown_though_its_pods_look_well() -> None:
    base, canary = {"cpu_usage": series(0.2, 1)}, {"cpu_usage": series(0.2, 2)}
    assert analyze_canary_metrics(base, canary).decision == "promote"
    silent = analyze_canary_metrics(base, canary, requests=([100.0] * STEPS, [0.0] * STEPS))
    assert (silent.decision, silent.verdict.unknown) == ("continue_monitoring", UnknownReason.TOO_LITTLE_TRAFFIC)
    assert silent.verdict.decides_in is None


@pytest.mark.parametrize(
    ("baseline", "canary", "keywords", "word"),
    [
        ({"latency_p99": [1.0, 2.0]}, {"latency_p99": [1.0]}, {}, "lengths"),
        ({"latency_p99": [1.0]}, {"cpu_usage": [1.0]}, {}, "both arms"),
        ({"latency_p99": [1.0]}, {"latency_p99": [1.0]}, {"step_seconds": 0.0}, "positive"),
        ({"error_rate": [50.0]}, {"error_rate": [50.0]}, {}, "percent"),
        ({"latency_p99": ["a"]}, {"latency_p99": ["b"]}, {}, "numbers"),
        ({"a": [1.0] * 20_001}, {"a": [1.0] * 20_001}, {}, "at most"),
        ({"a": [1.0], "b": [1.0, 2.0]}, {"a": [1.0], "b": [1.0, 2.0]}, {}, "lengths"),
    ],
)
def test_wrong_arguments_are_named(
    baseline: dict[str, list[float | None]],
    canary: dict[str, list[float | None]],
    keywords: dict[str, float],
    word: str,
) -> None:
    with pytest.raises(ValueError, match=word):
        analyze_canary_metrics(baseline, canary, **keywords)  # type: ignore[arg-type]


def test_errors_given_as_counts_are_judged_as_counts() -> None:
    served = [200.0] * STEPS
    base, canary = {"errors": [2.0] * STEPS}, {"errors": [14.0] * STEPS}
    found = analyze_canary_metrics(base, canary, requests=(served, served))
    assert found.decision == "rollback"
    assert found.verdict.evidence[0].metric == "error_rate"
    assert analyze_canary_metrics(base, base, requests=(served, served)).decision == "promote"


@pytest.mark.parametrize("name", ["errors", "requests"])
def test_counts_in_the_wrong_place_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        analyze_canary_metrics({name: [1.0] * STEPS}, {name: [5.0] * STEPS})
