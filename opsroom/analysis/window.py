"""What the judge reads: aligned samples of both arms of many rollouts over the same steps.

The window is the whole input: a judge restarted from a stored window says what it would have said had it never
stopped. It must not know where the samples came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAX_STEPS = 20_000
"""More than this many steps of one rollout are not judged, whoever asks."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One metric of both arms; each array is R rollouts × T steps, NaN where there is no sample."""

    baseline: Floats
    canary: Floats

    def part(self, rows: slice) -> Pair:
        """Some of the rollouts."""
        return Pair(self.baseline[rows], self.canary[rows])


@dataclass(frozen=True, slots=True)
class Window:
    """R rollouts × T steps, oldest step first.

    ``requests`` and ``errors`` are counts per step. ``started`` is the index of each canary's first step: nothing
    before it is judged. ``concurrent`` is False where the baseline is history instead of stable pods at the same
    minutes. ``restarts`` in ``metrics`` is a cumulative count; latency in ms, error rate in 0..1, the rest in any
    unit that both arms share.
    """

    uids: tuple[str, ...]
    times: Floats
    """Epoch seconds of the T steps, multiples of ``step``."""
    step: float
    """Seconds."""
    metrics: Mapping[str, Pair]
    requests: Pair | None = None
    errors: Pair | None = None
    started: NDArray[np.int64] | None = None
    concurrent: Flags | None = None
    quantile_steps: float = 0.0
    """How many steps' requests stand behind one latency quantile that was read from a histogram (the window of
    ``rate``); 0 for exact quantiles of the requests of each step."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rollouts, steps)."""
        return len(self.uids), len(self.times)

    def part(self, rows: slice) -> Window:
        """The same steps of some of the rollouts."""
        return Window(
            uids=self.uids[rows],
            times=self.times,
            step=self.step,
            metrics={name: pair.part(rows) for name, pair in self.metrics.items()},
            requests=self.requests and self.requests.part(rows),
            errors=self.errors and self.errors.part(rows),
            started=None if self.started is None else self.started[rows],
            concurrent=None if self.concurrent is None else self.concurrent[rows],
            quantile_steps=self.quantile_steps,
        )
