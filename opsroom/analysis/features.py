"""What the learned layer sees of the first one: a row of figures for every rollout and step.

All of them are evidence (more is worse) or circumstances; none is a raw sample, so a model trained on one system can
speak about another. It must not know labels.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.columns import columns
from opsroom.analysis.harm import Harm
from opsroom.analysis.stream import Stream
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Floats, Window

NAMES = (
    "total",
    "withheld",
    "ratio",
    "errors",
    "joint",
    "peak",
    "ratio_z",
    "error_z",
    "spread",
    "elapsed",
    "step",
    "requests",
)
HARMFUL = NAMES[:8]
"""Features in which a model must be monotone: more of them is never safer."""


def features(window: Window, budget: Budget, tuning: Tuning) -> Floats:
    """R × T × len(NAMES); NaN before a canary's first sample."""
    rollouts, steps = window.shape
    stream = Stream(tuple(window.metrics), rollouts, window.step, budget, tuning)
    found = np.full((rollouts, steps, len(NAMES)), np.nan)
    peak = np.full(rollouts, -10.0)
    for t, column in enumerate(columns(window, budget)):
        stream.advance(column)
        harm = stream.harm()
        peak = np.maximum(0.9 * peak + 0.1 * harm.total, harm.total)
        row = _row(stream, harm, peak, window.step)
        found[stream.seen, t] = row[stream.seen]
    return found


def _row(stream: Stream, harm: Harm, peak: Floats, step: float) -> Floats:
    noise = stream.ratios.noise
    phi = noise.phi()
    error = noise.error(phi, noise.scale(phi))
    known = noise.n > 0
    rollouts = len(stream.seen)
    z = np.where(known, noise.mean / error, -10.0).max(axis=0, initial=-10.0)
    spread = np.where(known, error, 0.0).max(axis=0, initial=0.0)
    rise = stream.counts.rise() / np.maximum(stream.counts.spread(), 1e-9)
    return np.stack(
        [
            harm.total,
            harm.withheld,
            harm.by_metric.max(axis=0, initial=-7.0),
            harm.by_errors,
            harm.joint,
            peak,
            np.clip(z, -10.0, 30.0),
            np.clip(rise, -10.0, 30.0),
            spread,
            np.log1p(stream.elapsed),
            np.full(rollouts, np.log(step)),
            np.log1p(stream.counts.requests),
        ],
        axis=1,
    )
