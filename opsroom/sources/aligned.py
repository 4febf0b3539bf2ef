"""Samples of both arms of many rollouts, side by side over the same steps: what the worker hands to the judge.

Baseline is the stable ReplicaSet at the same minutes. Nothing is filled in: where there is no sample there is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsroom.domain.rollout import Uid

Floats = NDArray[np.float64]
Arms = tuple[Floats, Floats]
"""(baseline, canary), each R rollouts × T steps."""


Services = Callable[[Uid], tuple[str, str]]
"""(stable, canary) Service names of a rollout."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is wanted of a metrics source at one moment."""

    now: float
    """Epoch seconds."""
    step: float
    """Seconds."""
    window: int
    """Number of closed steps in the result."""
    services: Services | None = None
    """Asked only where a preset tells arms apart by Service."""
    idle: float = 1.0
    """Share of its CPU that a pod uses without requests, see ``sources.load``."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """R rollouts × T steps, oldest step first."""

    uids: tuple[str, ...]
    times: Floats
    """Epoch seconds of the steps, multiples of ``step``; all of them closed."""
    step: float
    """Seconds."""
    metrics: Mapping[str, Arms]
    """``latency_p99``, ``latency_p50`` (ms), ``error_rate`` (0..1), ``cpu_usage`` (cores a pod; the baseline's brought
    to the canary's load), ``memory_bytes`` (a pod), ``restarts`` (cumulative, all pods), and whatever a
    custom preset names."""
    requests: Arms
    errors: Arms
    """Counts within each step."""
    started: NDArray[np.int64]
    """Index of each canary's first whole step; T when it has none yet."""
    quantile_steps: float
    """Steps that one latency quantile looks back over; it is read from a histogram."""
    concurrent: NDArray[np.bool_]
    """False where no stable pod is ready: the baseline is not of the same minutes."""
