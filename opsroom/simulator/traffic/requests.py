"""Requests of one step: how many reach each pod, how they end, how long they take.

Counts are drawn, not computed: Poisson arrivals, binomial endings, multinomial buckets, so that ratios of few
requests are as noisy as real ones.
"""

from __future__ import annotations

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.traffic.moment import Moment
from opsroom.simulator.traffic.shapes import LOG_BOUNDS

_NOT_FOUND = 0.004
_UNAVAILABLE = 0.2
# A container that is about to die fails part of what it gets, and slow pods fail in clumps of their own.
_OWN_CLUMPS = 6.0


def count_requests(rng: np.random.Generator, moment: Moment, alive: Bools, span: float) -> Ints:
    """[P] requests that reach each pod in `span` seconds."""
    expected = moment.rate * span * alive * moment.ready
    # Load balancers do not share evenly from second to second.
    uneven = np.exp(0.03 * rng.standard_normal(len(expected)))
    drawn: Ints = rng.poisson(expected * uneven).astype(np.int64)
    return drawn


def draw_codes(rng: np.random.Generator, requests: Ints, moment: Moment) -> Ints:
    """[P, 4] how the requests ended, in the order of `shapes.CODES`."""
    clump = rng.gamma(_OWN_CLUMPS, 1 / _OWN_CLUMPS, len(requests))
    failed = rng.binomial(requests, np.clip(moment.error_share * clump, 0.0, 1.0))
    unavailable = rng.binomial(failed, _UNAVAILABLE)
    missing = rng.binomial(requests - failed, _NOT_FOUND)
    return np.stack([requests - failed - missing, missing, failed - unavailable, unavailable], axis=1)


def draw_latencies(rng: np.random.Generator, requests: Ints, moment: Moment) -> tuple[Ints, Floats]:
    """[P, buckets] requests by latency bucket (not cumulative), and [P] the sum of their latencies in seconds."""
    z = (LOG_BOUNDS[None, :] - np.log(moment.median)[:, None]) / moment.spread[:, None]
    below = _normal_cdf(z)
    edges = np.concatenate([np.zeros((len(requests), 1)), below, np.ones((len(requests), 1))], axis=1)
    buckets: Ints = rng.multinomial(requests, np.clip(np.diff(edges, axis=1), 0.0, 1.0)).astype(np.int64)
    variance = moment.spread**2
    mean = moment.median * np.exp(variance / 2)
    deviation = mean * np.sqrt(np.expm1(variance))
    total = requests * mean + np.sqrt(requests) * deviation * rng.standard_normal(len(requests))
    return buckets, np.maximum(total, requests * mean * 0.2)


def _normal_cdf(z: Floats) -> Floats:
    """Abramowitz and Stegun 26.2.17; the error is below 7.5e-8, and scipy need not be imported."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * poly
    cdf: Floats = np.where(z >= 0, 1 - tail, tail)
    return cdf
