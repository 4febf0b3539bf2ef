"""Faults that can be seen at all: an effect is raised until the requests of a canary could show it.

The benchmark redraws faults whose signal lies below three times the noise; here the smallest visible effect is
computed and used instead, so that sizes keep their shares. Little traffic therefore has plainer faults.
"""

from __future__ import annotations

import math
from dataclasses import replace

from opsroom.simulator.traffic.quality import Fault, Quality
from opsroom.simulator.traffic.service import Service

SIGNAL = 3.0
# Part of a service's requests that a canary usually gets while it is judged.
USUAL_SHARE = 0.15
# Errors scatter more than chance; measured on the traffic's own clumps.
_DISPERSION = 1.5
# Standard deviation of a log p99 of n lognormal requests: sqrt(.99 * .01) / density there, over sqrt(n).
_P99_NOISE = 3.73


def made_visible(quality: Quality, service: Service, watched: float) -> Quality:
    """The same quality with an effect that `watched` seconds of a canary's usual traffic can show."""
    requests = service.rate * USUAL_SHARE * watched
    if quality.fault is Fault.ERRORS:
        return replace(quality, effect=max(quality.effect, min(0.5, _least_errors(service, requests))))
    if quality.fault in (Fault.LATENCY, Fault.RAMP):
        least = math.exp(SIGNAL * _P99_NOISE * service.spread / math.sqrt(requests))
        return replace(quality, effect=max(quality.effect, min(4.0, least)))
    return quality


def _least_errors(service: Service, requests: float) -> float:
    """The share e of n requests with e n = 3 sqrt(1.5 (p + e) n), where p is what fails anyway."""
    scatter = SIGNAL**2 * _DISPERSION
    return (scatter + math.sqrt(scatter**2 + 4 * requests * scatter * service.error_share)) / (2 * requests)
