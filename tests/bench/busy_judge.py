"""A worker that never rests: the judge over a thousand rollouts again and again, niced, on one thread."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402

from opsroom.analysis.budget import Budget  # noqa: E402
from opsroom.analysis.judge import Judge  # noqa: E402
from opsroom.analysis.window import Floats, Pair, Window  # noqa: E402

ROLLOUTS, STEPS = 1_000, 60


def window() -> Window:
    """Healthy canaries with the usual noise."""
    dice = np.random.default_rng(7)

    def arm(level: float) -> Floats:
        return dice.normal(level, level / 20, (ROLLOUTS, STEPS)).astype(np.float64)

    metrics = {"latency_p99": Pair(arm(180.0), arm(180.0)), "cpu_usage": Pair(arm(0.4), arm(0.4))}
    requests = Pair(np.round(arm(2_000.0)), np.round(arm(700.0)))
    errors = Pair(np.round(arm(8.0)), np.round(arm(3.0)))
    times = 1_785_931_470.0 + 10.0 * np.arange(STEPS, dtype=np.float64)
    return Window(tuple(f"u{n}" for n in range(ROLLOUTS)), times, 10.0, metrics, requests, errors)


if __name__ == "__main__":
    os.nice(10)
    judge, seen = Judge(Budget()), window()
    print("ready", flush=True)  # noqa: T201
    while True:
        judge.verdicts(seen, float(seen.times[-1]))
