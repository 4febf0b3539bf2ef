"""What a service is like when nothing is wrong: its load, its latencies, its usual errors, its appetite.

Drawn once a service by seed; every number is of a kind that real services show, see `draw_service`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Service:
    """Constants of one service.

    `rate` requests a second in all; `median` and `spread`: lognormal latency in seconds and log units;
    `error_share` of requests; `cpu_idle` cores a pod, `cpu_request` core seconds a request; `memory` and
    `memory_limit` bytes a pod; `period` and `swing` of its slow daily-like wave (seconds, part), `phase` in turns;
    `warmup` the excess factor of a cold pod and `warm_after` its time constant in seconds.
    """

    rate: float
    median: float
    spread: float
    error_share: float
    cpu_idle: float
    cpu_request: float
    memory: float
    memory_limit: float
    period: float
    swing: float
    phase: float
    warmup: float
    warm_after: float


def draw_service(rng: np.random.Generator, rate: float | None = None) -> Service:
    """Draw a service; rates are lognormal around 300 a second, from some 40 to some 3,000."""
    memory = float(np.exp(rng.uniform(np.log(120e6), np.log(900e6))))
    chosen = float(np.clip(rng.lognormal(np.log(300.0), 0.9), 40.0, 3000.0)) if rate is None else rate
    cpu_request = float(np.exp(rng.uniform(np.log(0.0005), np.log(0.004))))
    return Service(
        rate=chosen,
        median=float(np.exp(rng.uniform(np.log(0.008), np.log(0.15)))),
        spread=float(rng.uniform(0.35, 0.75)),
        # A third of services hardly ever fail: zero errors for minutes are ordinary.
        error_share=float(rng.choice([2e-5, 5e-4, 3e-3])),
        # Small against the load: a pod with a tenth of the requests must not look hungry for that alone.
        cpu_idle=float(rng.uniform(0.001, 0.008)) * chosen * cpu_request,
        cpu_request=cpu_request,
        memory=memory,
        memory_limit=memory * float(rng.uniform(1.8, 3.0)),
        period=float(rng.uniform(900.0, 3600.0)),
        swing=float(rng.uniform(0.1, 0.35)),
        phase=float(rng.random()),
        warmup=float(rng.uniform(0.3, 1.8)),
        warm_after=float(rng.uniform(2.0, 5.0)),
    )
