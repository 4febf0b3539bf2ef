"""Simulated canaries for the judge's tests: both arms, seeded, harm put in on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from opsroom.analysis.window import Pair, Window

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Canaries:
    """Makes windows of simulated rollouts; noise is AR(1) in the logs, independent in both arms."""

    rollouts: int = 1
    steps: int = 60
    step: float = 30.0
    noise: float = 0.08
    phi: float = 0.0
    error_rate: float = 0.01
    requests: int = 500
    latency: float = 1.0
    cpu: float = 1.0
    error_rise: float = 0.0
    onset: int = 0
    seed: int = 1

    def window(self) -> Window:
        """The window; harm multiplies the canary from ``onset`` on."""
        rng = np.random.default_rng(self.seed)
        after = np.arange(self.steps) >= self.onset
        latency = self._pair(rng, 120.0, self.noise, self.latency, after)
        cpu = self._pair(rng, 0.4, self.noise / 2, self.cpu, after)
        shape = (self.rollouts, self.steps)
        requests = np.full(shape, float(self.requests))
        errors_b = rng.binomial(self.requests, self.error_rate, shape)
        errors_c = rng.binomial(self.requests, self.error_rate + self.error_rise * after, shape)
        return Window(
            uids=tuple(f"r{i}" for i in range(self.rollouts)),
            times=1_700_000_000.0 + np.arange(self.steps, dtype=np.float64) * self.step,
            step=self.step,
            metrics={
                "latency_p99": latency,
                "cpu_usage": cpu,
                "error_rate": Pair(errors_b / self.requests, errors_c / self.requests),
            },
            requests=Pair(requests, requests.copy()),
        )

    def _pair(
        self, rng: np.random.Generator, typical: float, noise: float, factor: float, after: NDArray[np.bool_]
    ) -> Pair:
        arms = [typical * np.exp(noise * self._ar(rng)) for _ in range(2)]
        return Pair(arms[0], arms[1] * np.where(after, factor, 1.0))

    def _ar(self, rng: np.random.Generator) -> Floats:
        fresh = rng.standard_normal((self.rollouts, self.steps + 20))
        value = np.zeros_like(fresh)
        for t in range(1, fresh.shape[1]):
            value[:, t] = self.phi * value[:, t - 1] + np.sqrt(1 - self.phi**2) * fresh[:, t]
        return np.asarray(value[:, 20:])


@pytest.fixture(scope="session")
def canaries() -> Callable[..., Window]:
    """A factory: keyword arguments of ``Canaries`` in, a window out."""

    def make(**keywords: object) -> Window:
        return Canaries(**keywords).window()  # type: ignore[arg-type]

    return make
