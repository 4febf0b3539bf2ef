"""Services' behaviour: what a version's quality does to what its pods expose, and what it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from opsroom.simulator.prometheus.arrays import Floats
from opsroom.simulator.prometheus.scrape import Exposed
from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.quality import HEALTHY, Fault, Quality, Size
from opsroom.simulator.traffic.service import Service, draw_service
from opsroom.simulator.traffic.shapes import (
    BOUNDS,
    COUNT,
    CPU,
    FIRST_BUCKET,
    FIRST_CODE,
    MEMORY,
    RESTARTS,
    SHAPES,
    SUM,
    UP,
    WIDTH,
)
from opsroom.simulator.traffic.traffic import Traffic

START = 10_000.0
OLD = START - 3600
STABLE, CANARY = slice(0, 4), slice(4, 8)


def service(rate: float = 4000.0) -> Service:
    return replace(draw_service(np.random.default_rng(5), rate), error_share=0.001)


def pods(canary_weight: float = 0.5, started: float = OLD) -> list[Pod]:
    """Four stable and four canary pods of one service."""
    return [
        Pod("shop", f"cart-{version}-{n}", "cart", version, share / 4, True, since, node=f"node-{n}")
        for version, share, since in (("one", 1 - canary_weight, OLD), ("two", canary_weight, started))
        for n in range(4)
    ]


def run(quality: Quality, seconds: int, running: list[Pod] | None = None, seed: int = 3) -> list[Exposed]:
    traffic = Traffic(seed, incident_gap=1e9)
    traffic.add_service("shop", "cart", service())
    traffic.add_version("two", quality)
    everyone = pods() if running is None else running
    return [traffic.step(START + second, everyone) for second in range(seconds)]


def grown(steps: list[Exposed], column: int | slice, first: int = 0) -> Floats:
    """[8, ...] how much each pod's counters grew from step `first` to the end."""
    difference: Floats = steps[-1].values[:, column] - steps[first].values[:, column]
    return difference


def ratio(steps: list[Exposed], column: int, first: int = 0) -> float:
    """Canary against stable of a counter a request."""
    a, b = grown(steps, column, first), grown(steps, COUNT, first)
    return float((a[CANARY].sum() / b[CANARY].sum()) / (a[STABLE].sum() / b[STABLE].sum()))


def failures(steps: list[Exposed], side: slice) -> float:
    return float(grown(steps, slice(FIRST_CODE + 2, FIRST_CODE + 4))[side].sum() / grown(steps, COUNT)[side].sum())


def test_requests_follow_the_shares() -> None:
    counts = grown(run(HEALTHY, 60, pods(canary_weight=0.1)), COUNT)
    assert counts[CANARY].sum() / counts.sum() == pytest.approx(0.1, abs=0.01)
    assert counts.sum() / 59 == pytest.approx(4000, rel=0.5)


def test_a_healthy_version_differs_by_nodes_and_noise_only() -> None:
    steps = run(HEALTHY, 60)
    assert ratio(steps, SUM) == pytest.approx(1, abs=0.04)
    assert ratio(steps, CPU) == pytest.approx(1, abs=0.06)
    latencies = grown(steps, SUM) / grown(steps, COUNT)
    assert 0.002 < np.std(np.log(latencies)) < 0.06


@pytest.mark.parametrize("effect", [1.10, 1.25, 3.5])
def test_a_latency_fault_has_its_size_and_touches_nothing_else(effect: float) -> None:
    steps = run(Quality(Fault.LATENCY, Size.SMALL, effect), 60)
    assert ratio(steps, SUM) == pytest.approx(effect, rel=0.04)
    assert ratio(steps, CPU) == pytest.approx(1, abs=0.06)


def test_a_cpu_fault_has_its_size() -> None:
    assert ratio(run(Quality(Fault.CPU, Size.SMALL, 1.5), 60), CPU) == pytest.approx(1.5, rel=0.08)


@pytest.mark.parametrize("effect", [0.002, 0.03])
def test_an_error_fault_adds_its_points(effect: float) -> None:
    steps = run(Quality(Fault.ERRORS, Size.SMALL, effect), 60)
    assert failures(steps, CANARY) - failures(steps, STABLE) == pytest.approx(effect, rel=0.2)


def test_errors_are_more_scattered_than_chance() -> None:
    steps = run(Quality(Fault.ERRORS, Size.LARGE, 0.05), 120)
    codes = np.array([step.values[4, FIRST_CODE : FIRST_CODE + 4] for step in steps])
    failed, requests = np.diff(codes[:, 2:].sum(axis=1)), np.diff(codes.sum(axis=1))
    share = failed.sum() / requests.sum()
    dispersion = np.mean((failed - requests * share) ** 2 / (requests * share * (1 - share)))
    assert dispersion > 1.5


def test_an_onset_comes_when_it_should_and_a_blip_heals() -> None:
    blip = run(Quality(Fault.BLIP, None, 3.0, onset=20.0, duration=6.0), 60)
    assert ratio(blip[:20], SUM) == pytest.approx(1, abs=0.05)
    assert ratio(blip[20:26], SUM) == pytest.approx(3, rel=0.1)
    assert ratio(blip[27:], SUM) == pytest.approx(1, abs=0.05)


def test_a_ramp_rises_slowly() -> None:
    steps = run(Quality(Fault.RAMP, Size.LARGE, 2.0, duration=50.0), 70)
    early, middle, late = (ratio(steps[low : low + 10], SUM) for low in (0, 20, 55))
    assert early < middle < late
    assert late == pytest.approx(2.0, rel=0.05)


def test_a_leak_fills_the_memory_until_the_container_dies_and_starts_over() -> None:
    traffic = Traffic(3, incident_gap=1e9)
    traffic.add_service("shop", "cart", service())
    traffic.add_version("two", Quality(Fault.LEAK, Size.LARGE, 0.4))
    steps = [traffic.step(START + second, pods()) for second in range(200)]
    memory = np.array([step.values[4, MEMORY] for step in steps])
    there = np.array([step.present[4, MEMORY] for step in steps])
    assert memory[60] > memory[0] * 1.3
    assert memory[there].max() <= service().memory_limit
    assert steps[-1].values[4, RESTARTS] >= 1
    assert not there.all()
    assert steps[-1].values[0, RESTARTS] == 0
    assert traffic.condition("shop", "cart-two-0", START + 200).starved


def test_a_crash_loop_restarts_resets_and_goes_missing() -> None:
    traffic = Traffic(3, incident_gap=1e9)
    traffic.add_service("shop", "cart", service())
    traffic.add_version("two", Quality(Fault.CRASH_LOOP, duration=6.0))
    steps, down = [], 0
    for second in range(60):
        steps.append(traffic.step(START + second, pods()))
        condition = traffic.condition("shop", "cart-two-0", START + second)
        down += not condition.running
        assert condition.running == bool(steps[-1].values[4, UP])
        assert condition.restarts == steps[-1].values[4, RESTARTS]
        assert not condition.starved
        assert steps[-1].present[4, COUNT] == condition.running
        assert steps[-1].present[4, RESTARTS]
    assert steps[-1].values[4, RESTARTS] >= 2
    assert 0 < down < 60
    assert np.diff([step.values[4, COUNT] for step in steps]).min() < 0
    assert any("FATAL" in line for _, line in traffic.log_lines("shop", "cart-two-0"))


def test_a_version_without_traffic_gets_no_request_and_still_answers_scrapes() -> None:
    steps = run(Quality(Fault.NO_TRAFFIC), 20)
    assert grown(steps, COUNT)[CANARY].sum() == 0
    assert steps[-1].present[CANARY].all()
    assert (steps[-1].values[CANARY, UP] == 1).all()


def test_new_pods_are_cold_at_first() -> None:
    steps = run(HEALTHY, 60, pods(started=START))
    assert ratio(steps[:3], SUM) > 1.15
    assert ratio(steps, SUM, first=40) == pytest.approx(1, abs=0.05)


def test_a_pod_that_is_not_ready_gets_nothing() -> None:
    waiting = [replace(pod, ready=pod.version == "one") for pod in pods()]
    assert grown(run(HEALTHY, 10, waiting), COUNT)[CANARY].sum() == 0


def test_counters_only_grow_and_buckets_are_cumulative() -> None:
    steps = run(Quality(Fault.LATENCY, Size.LARGE, 2.0), 30)
    counters = [k for k, shape in enumerate(SHAPES) if shape.kind in ("counter", "histogram")]
    values = np.array([step.values[:, counters] for step in steps])
    assert (np.diff(values, axis=0) >= 0).all()
    buckets = steps[-1].values[:, FIRST_BUCKET:SUM]
    assert (np.diff(buckets, axis=1) >= 0).all()
    assert (buckets[:, -1] == steps[-1].values[:, COUNT]).all()
    assert (steps[-1].values[:, FIRST_CODE : FIRST_CODE + 4].sum(axis=1) == steps[-1].values[:, COUNT]).all()
    assert len(SHAPES) == WIDTH
    assert len(BOUNDS) == SUM - FIRST_BUCKET - 1


def test_one_seed_gives_one_world_and_another_another() -> None:
    quality = Quality(Fault.LATENCY, Size.LARGE, 2.0)
    assert (run(quality, 10)[-1].values == run(quality, 10)[-1].values).all()
    assert (run(quality, 10)[-1].values != run(quality, 10, seed=4)[-1].values).any()


def test_a_pod_that_came_later_starts_from_zero_in_a_row_used_before() -> None:
    traffic = Traffic(3, incident_gap=1e9)
    traffic.add_service("shop", "cart", service())
    for second in range(5):
        traffic.step(START + second, pods())
    fresh = [Pod("shop", f"cart-three-{n}", "cart", "three", 0.001, True, START) for n in range(120)]
    steps = [traffic.step(START + 5 + second, [*pods()[:4], *fresh]) for second in range(2)]
    assert steps[0].values[4:, COUNT].max() < 60
    assert steps[1].values[:4, COUNT].min() > 1000


def test_no_label_tells_versions_apart() -> None:
    traffic = Traffic(3)
    traffic.add_service("shop", "cart", service())
    traffic.add_version("two", Quality(Fault.ERRORS, Size.LARGE, 0.1, onset=12.0))
    exposed = traffic.step(START, pods())
    shown = json.dumps([target.labels(shape) for shape in exposed.shapes for target in exposed.targets])
    for word in ("bad", "fault", "errors", "healthy", "two-quality", "version"):
        assert word not in shown
    stable = {frozenset(t.labels(SHAPES[COUNT])) for t in exposed.targets[STABLE]}
    assert stable == {frozenset(t.labels(SHAPES[COUNT])) for t in exposed.targets[CANARY]}


def test_now_and_then_a_pod_falls_sick_by_itself_and_recovers() -> None:
    many = [Pod("shop", f"cart-one-{n}", "cart", "one", 1 / 400, True, OLD) for n in range(400)]
    steps = run(HEALTHY, 160, many)
    counted = np.array([np.diff([step.values[:, k] for step in steps], axis=0) for k in (SUM, COUNT)])
    seconds = counted.reshape(2, 3, 53, 400).sum(axis=2)
    latency = seconds[0] / seconds[1]
    slow = (latency / np.median(latency, axis=1, keepdims=True) > 1.4).sum(axis=0)
    assert 1 <= (slow > 0).sum() <= 20
    assert slow.max() < 3
