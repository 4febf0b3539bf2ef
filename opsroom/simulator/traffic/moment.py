"""Everything that acts on the pods at one moment, gathered into one array a quantity.

Order of what multiplies: the service's own numbers, its weather (drift and noise that all its pods share), shared
incidents, the version's hidden quality, then what belongs to one pod (node, warm-up, a sickness of its own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.traffic.fleet import Fleet, Pod
from opsroom.simulator.traffic.incidents import Incident
from opsroom.simulator.traffic.quality import HEALTHY, Quality
from opsroom.simulator.traffic.service import Service
from opsroom.simulator.traffic.versions import effect

Key = tuple[str, str]

# A pod falls sick by itself once in some three hours, for about half a minute; only pods older than this do, so
# that it is seen where it is ordinary: among the many that run.
_SICK_AGE = 180.0
_SICK_RATE = 1 / 10_000


@dataclass(frozen=True, slots=True)
class Sky:
    """Drift and noise of one service: factors on its rate, its latency and its error share."""

    load: float
    slower: float
    errors: float


class Weather:
    """The slow noise of services: a daily-like wave and two autocorrelated wanderings each."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._state: dict[Key, Floats] = {}

    def at(self, now: float, span: float, services: Mapping[Key, Service]) -> dict[Key, Sky]:
        """The sky over every service now, `span` seconds after the last look."""
        keep = np.exp(-span / np.array([30.0, 15.0]))
        fresh = np.sqrt(1 - keep**2) * np.array([0.05, 0.02])
        skies: dict[Key, Sky] = {}
        for key, service in services.items():
            state = self._state.get(key, np.zeros(2)) * keep + fresh * self._rng.standard_normal(2)
            self._state[key] = state
            turn = now / service.period + service.phase
            wave = 1 + service.swing * float(np.sin(2 * np.pi * turn))
            # Errors come in clumps: a gamma of mean one makes the counts over-dispersed.
            clump = float(self._rng.gamma(4.0, 0.25))
            skies[key] = Sky(wave * float(np.exp(state[0])), float(np.exp(state[1])), clump)
        return skies


@dataclass(frozen=True, slots=True)
class Moment:
    """One array [P] a quantity; times in seconds, memory in bytes, CPU in core seconds."""

    rate: Floats
    median: Floats
    spread: Floats
    error_share: Floats
    cpu_idle: Floats
    cpu_request: Floats
    memory: Floats
    memory_limit: Floats
    # Part of the limit.
    leaked: Floats
    lifetime: Floats
    age: Floats
    ready: Bools


def moment_of(
    now: float,
    pods: Sequence[Pod],
    rows: Ints,
    fleet: Fleet,
    skies: Mapping[Key, Sky],
    services: Mapping[Key, Service],
    qualities: Mapping[str, Quality],
    since: Mapping[str, float],
    incidents: Sequence[Incident],
) -> Moment:
    """Gather what acts on each pod now; raises KeyError for a pod of a service never told of."""
    table = np.array([_row(now, pod, skies, services, qualities, since, incidents) for pod in pods])
    rate, median, spread, errors, idle, request, memory, limit, leak, leaking_for, lifetime, warmup, tau = table.T
    age = np.maximum(now - fleet.born[rows], 0.0)
    cold = 1 + warmup * np.exp(-age / tau)
    sick = _sickness(now, rows, fleet, age)
    wobble = 0.9 * fleet.wobble[rows] + 0.0065 * fleet.rng.standard_normal(len(rows))
    fleet.wobble[rows] = wobble
    slower = fleet.slow[rows] * cold * np.exp(wobble) * np.where(sick, 2.0, 1.0)
    return Moment(
        rate=rate,
        median=median * slower,
        spread=spread,
        error_share=np.clip(errors + np.where(sick, 0.02, 0.0), 0.0, 1.0),
        cpu_idle=idle * fleet.hungry[rows],
        cpu_request=request * fleet.hungry[rows] * (1 + 0.7 * (cold - 1)),
        memory=memory,
        memory_limit=limit,
        # A container that starts again has lost nothing yet.
        leaked=leak * np.minimum(leaking_for, age),
        lifetime=lifetime,
        age=age,
        ready=np.array([pod.ready for pod in pods], dtype=np.bool_),
    )


def _row(
    now: float,
    pod: Pod,
    skies: Mapping[Key, Sky],
    services: Mapping[Key, Service],
    qualities: Mapping[str, Quality],
    since: Mapping[str, float],
    incidents: Sequence[Incident],
) -> tuple[float, ...]:
    key = (pod.namespace, pod.workload)
    service, sky = services[key], skies[key]
    quality = qualities.get(pod.version, HEALTHY)
    fault = effect(quality, now - since.get(pod.version, now))
    slower, errors = sky.slower * fault.slower, service.error_share * sky.errors + fault.errors
    for incident in incidents:
        if f"{key[0]}/{key[1]}" in incident.services:
            slower *= 1 + (incident.slower - 1) * incident.strength(now)
            errors += incident.errors * incident.strength(now)
    return (
        *(service.rate * sky.load * pod.share * fault.reached, service.median * slower, service.spread, errors),
        *(service.cpu_idle * fault.hungrier, service.cpu_request * fault.hungrier),
        *(service.memory, service.memory_limit, fault.leak, fault.leaking_for, fault.lifetime),
        *(service.warmup, service.warm_after),
    )


def _sickness(now: float, rows: Ints, fleet: Fleet, age: Floats) -> Bools:
    falls = (age > _SICK_AGE) & (fleet.rng.random(len(rows)) < _SICK_RATE)
    ends = now + fleet.rng.uniform(15.0, 45.0, len(rows))
    fleet.sick_until[rows] = np.where(falls, ends, fleet.sick_until[rows])
    sick: Bools = fleet.sick_until[rows] > now
    return sick
