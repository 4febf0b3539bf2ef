"""Trouble that is nobody's canary's fault: a shared dependency that slows or fails several services for a while.

All versions of the services that it hits suffer alike, so a fair judge sees no difference between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: from `start` to `end` (seconds) `services` are `slower` by that factor and fail `errors` more."""

    start: float
    end: float
    services: tuple[str, ...]
    slower: float
    errors: float

    def strength(self, now: float) -> float:
        """0 to 1: it rises and falls over a tenth of its time."""
        edge = (self.end - self.start) / 10
        return float(np.clip(min(now - self.start, self.end - now) / edge, 0.0, 1.0))


class Incidents:
    """Draws incidents as time goes on; `mean_gap` seconds lie between two on average."""

    def __init__(self, rng: np.random.Generator, mean_gap: float = 600.0) -> None:
        self._rng = rng
        self._gap = mean_gap
        self._next: float | None = None
        self.history: list[Incident] = []

    def at(self, now: float, services: Sequence[str]) -> list[Incident]:
        """The incidents under way, after drawing a new one if its time has come."""
        if self._next is None:
            self._next = now + self._rng.exponential(self._gap)
        if now >= self._next and services:
            self.history.append(self._draw(now, services))
            self._next = now + self._rng.exponential(self._gap)
        return [incident for incident in self.history[-8:] if incident.start <= now < incident.end]

    def _draw(self, now: float, services: Sequence[str]) -> Incident:
        count = min(len(services), int(self._rng.integers(2, 6)))
        hit = self._rng.choice(len(services), size=count, replace=False)
        return Incident(
            start=now,
            end=now + float(self._rng.uniform(15.0, 60.0)),
            services=tuple(services[int(number)] for number in hit),
            slower=float(self._rng.uniform(1.3, 2.5)),
            errors=float(self._rng.choice([0.0, 0.005, 0.03])),
        )
