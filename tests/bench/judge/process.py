"""A simulated service seen through its monitoring: two arms, requests, latency quantiles, errors, CPU, memory.

The quantile of n requests is drawn exactly: the k-th of n uniform numbers is Beta(k, n + 1 - k), sent through the
latency distribution. It must not know kinds of fault, and nothing of the judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL = NormalDist()
TRAFFIC = {"low": (8.0, 100.0), "med": (50.0, 1200.0), "high": (1500.0, 80_000.0)}
SHARES = (1.0, 1.0, 1.0, 0.5, 0.1, 0.05)


@dataclass(frozen=True)
class Arm:
    """What a fault, or anything else, does to one arm at each step; arrays of T."""

    latency: Floats
    """Factor on the latency of every request."""
    tail: Floats
    """Factor on the slowest twentieth only."""
    spread: Floats
    """Extra standard deviation of the step's latency level, log units."""
    errors: Floats
    """Added to the error rate."""
    cpu: Floats
    memory: Floats
    """Factors."""
    traffic: Floats
    """Factor on the requests."""


def quiet(steps: int) -> Arm:
    """An arm to which nothing happens."""
    one, none = np.ones(steps), np.zeros(steps)
    return Arm(one, one, none, none, one, one, one)


@dataclass(frozen=True)
class Service:
    """Constants of one service and of the world it runs in."""

    steps: int
    step: float
    requests: float
    """Of the baseline, a step."""
    share: float
    """Requests of the canary for each of the baseline."""
    typical: float
    sigma: float
    """Of one request's log latency."""
    tailed: bool
    """Logistic instead of normal logs: requests far slower than the rest are less rare."""
    phi: float
    noise: float
    """Of the log level of latency, shared by the requests of one step and arm."""
    error_rate: float
    clumped: float
    """Relative standard deviation of the error rate from step to step."""
    cpu_noise: float
    load: float
    """Standard deviation of the shared load, log units …"""
    day: float
    """… and the amplitude of its daily course."""
    queueing: float
    """How much of the load's logarithm appears in that of the latency."""
    buckets: bool
    gaps: float
    counted: bool


def draw_service(rng: np.random.Generator) -> Service:
    """A service out of the common range."""
    low, high = TRAFFIC[str(rng.choice(list(TRAFFIC)))]

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return Service(
        steps=int(rng.choice([40, 60, 60, 60, 90])),
        step=float(rng.choice([10.0, 15.0, 30.0, 60.0])),
        requests=log_uniform(low, high),
        share=float(rng.choice(SHARES)),
        typical=log_uniform(4.0, 400.0),
        sigma=log_uniform(0.2, 0.9),
        tailed=bool(rng.random() < 0.25),
        phi=float(rng.uniform(0.0, 0.7)),
        noise=log_uniform(0.005, 0.12),
        error_rate=0.0 if rng.random() < 0.3 else log_uniform(1e-4, 2e-2),
        clumped=float(rng.choice([0.0, 0.2, 0.6, 1.2])),
        cpu_noise=log_uniform(0.015, 0.08),
        load=log_uniform(0.02, 0.2),
        day=0.0 if rng.random() < 0.7 else float(rng.uniform(0.1, 0.5)),
        queueing=float(rng.uniform(0.0, 0.8)),
        buckets=bool(rng.random() < 0.15),
        gaps=0.0 if rng.random() < 0.6 else float(rng.uniform(0.01, 0.1)),
        counted=bool(rng.random() < 0.6),
    )


def autocorrelated(rng: np.random.Generator, steps: int, phi: float, heavy: bool = False) -> Floats:
    """AR(1) of unit variance; with ``heavy`` its innovations are Student's t with three degrees of freedom."""
    fresh = rng.standard_t(3, steps + 30) / np.sqrt(3.0) if heavy else rng.standard_normal(steps + 30)
    value = np.zeros(steps + 30)
    for t in range(1, steps + 30):
        value[t] = phi * value[t - 1] + np.sqrt(1.0 - phi * phi) * fresh[t]
    return value[30:]


def observe(rng: np.random.Generator, service: Service, base: Arm, canary: Arm) -> dict[str, dict[str, Floats]]:
    """Series by metric and arm, ``requests`` among them; NaN where monitoring has nothing."""
    time = np.arange(service.steps) * service.step / 86_400.0
    course = service.day * np.sin(2.0 * np.pi * (time * 24.0 + rng.random()))
    load = service.load * autocorrelated(rng, service.steps, 0.85) + course
    sick = 1.0 + service.clumped * np.abs(autocorrelated(rng, service.steps, 0.3))
    found: dict[str, dict[str, Floats]] = {}
    for side, arm, share in (("baseline", base, 1.0), ("canary", canary, service.share)):
        for metric, series in _arm(rng, service, arm, share, load, sick).items():
            found.setdefault(metric, {})[side] = series
    return found


def _arm(
    rng: np.random.Generator, service: Service, arm: Arm, share: float, load: Floats, sick: Floats
) -> dict[str, Floats]:
    steps = service.steps
    requests = rng.poisson(service.requests * share * np.exp(load) * arm.traffic).astype(np.float64)
    level = service.queueing * load + service.noise * autocorrelated(rng, steps, service.phi)
    level += arm.spread * rng.standard_normal(steps)
    found = {"latency_p99": _quantile(rng, service, requests, level, arm)}
    rate = np.clip(service.error_rate * sick + arm.errors, 0.0, 1.0)
    failed = rng.binomial(requests.astype(np.int64), rate)
    found["error_rate"] = np.where(requests > 0, failed / np.maximum(requests, 1.0), np.nan)
    own = service.cpu_noise * autocorrelated(rng, steps, service.phi)
    found["cpu_usage"] = 35.0 * np.exp(load + own) * arm.cpu
    found["memory_bytes"] = 3e8 * np.exp(0.003 * np.cumsum(rng.standard_normal(steps)) / 3.0) * arm.memory
    for series in found.values():
        series[rng.random(steps) < service.gaps] = np.nan
    found["requests"] = requests
    return found


def _quantile(rng: np.random.Generator, service: Service, requests: Floats, level: Floats, arm: Arm) -> Floats:
    n = np.maximum(requests, 1.0)
    k = np.ceil(0.99 * n)
    u = np.clip(rng.beta(k, n + 1.0 - k), 1e-9, 1.0 - 1e-9)
    z = np.log(u / (1.0 - u)) * np.sqrt(3.0) / np.pi if service.tailed else np.array([NORMAL.inv_cdf(p) for p in u])
    value = service.typical * np.exp(service.sigma * z + level) * arm.latency
    value = np.where(u > 0.95, value * arm.tail, value)
    if service.buckets:
        value = _bucket(value)
    return np.where(requests > 0, value, np.nan)


def _bucket(value: Floats) -> Floats:
    """As ``histogram_quantile`` would say when most of the tail lies in one bucket: a plateau with a slight slope."""
    edges = np.array([1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0])
    at = np.clip(np.searchsorted(edges, value), 1, len(edges) - 1)
    low, high = edges[at - 1], edges[at]
    inside = np.round((np.clip(value, low, high) - low) / (high - low) * 4.0) / 4.0
    return np.asarray(low + inside * (high - low))
