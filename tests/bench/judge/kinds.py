"""Kinds of fault, and of innocent trouble, that no constant of the judge was chosen on; a held-out check.

Each kind bends the arms of a simulated service (``process``). Healthy kinds must not be rolled back; harmful ones are
kept only if a twin without the fault shows that somebody could see them. It must not know the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tests.bench.judge.process import Arm, Service, quiet

Floats = NDArray[np.float64]
Rng = np.random.Generator
Bend = Callable[[Rng, Service, int], tuple[Service, Arm, Arm]]
"""Random numbers, service and onset in; the service as it is then, baseline and canary out."""


def _after(service: Service, onset: int) -> Floats:
    return (np.arange(service.steps) >= onset).astype(np.float64)


def _grown(service: Service, onset: int) -> Floats:
    """0 until the onset, 1 at the end."""
    grown: Floats = np.clip((np.arange(service.steps) - onset) / max(service.steps - onset - 1, 1), 0.0, 1.0)
    return grown


def _large(rng: Rng, *sizes: float) -> float:
    return float(rng.choice(sizes))


def _bent(service: Service, **bends: Floats) -> tuple[Service, Arm, Arm]:
    calm = quiet(service.steps)
    return service, calm, replace(calm, **bends)


def latency_step(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Every request takes longer."""
    return _bent(service, latency=1.0 + _large(rng, 0.15, 0.25, 0.5, 1.0) * _after(service, onset))


def latency_ramp(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Latency creeps up until the end."""
    return _bent(service, latency=1.0 + _large(rng, 0.3, 0.6, 1.2) * _grown(service, onset))


def tail_only(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Only the slowest twentieth of the requests takes longer."""
    return _bent(service, tail=1.0 + _large(rng, 0.3, 0.6, 1.5) * _after(service, onset))


def oscillation(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Latency swings between usual and high, as with garbage collection or a bad autoscaler."""
    period = float(rng.integers(4, 11))
    wave = np.sin(2.0 * np.pi * np.arange(service.steps) / period) > 0
    return _bent(service, latency=1.0 + _large(rng, 0.5, 1.0, 2.0) * wave * _after(service, onset))


def spikes(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Single steps, a third of them, are far too high."""
    hit = (rng.random(service.steps) < 0.33) * _after(service, onset)
    return _bent(service, latency=1.0 + _large(rng, 1.0, 2.0, 4.0) * hit)


def wilder(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """The same latency on average, but it varies far more."""
    return _bent(service, spread=_large(rng, 0.4, 0.7) * _after(service, onset))


def sawtooth(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """A leak that a restart empties again and again."""
    period = int(rng.integers(8, 20))
    tooth = ((np.arange(service.steps) - onset) % period) / period * _after(service, onset)
    size = _large(rng, 0.5, 1.0)
    return _bent(service, memory=1.0 + size * tooth, latency=1.0 + size * tooth)


def leak(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Memory that is never given back."""
    return _bent(service, memory=1.0 + _large(rng, 0.3, 0.6, 1.5) * _grown(service, onset))


def cpu_creep(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """CPU creeps up."""
    return _bent(service, cpu=1.0 + _large(rng, 0.4, 0.8) * _grown(service, onset))


def cpu_step(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Every request costs more CPU."""
    return _bent(service, cpu=1.0 + _large(rng, 0.25, 0.5, 1.0) * _after(service, onset))


def error_bursts(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Now and then a step in which many requests fail."""
    hit = (rng.random(service.steps) < 0.25) * _after(service, onset)
    return _bent(service, errors=_large(rng, 0.05, 0.2) * hit)


def error_ramp(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Errors creep up."""
    return _bent(service, errors=_large(rng, 0.02, 0.05) * _grown(service, onset))


def error_step(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """A part of the requests fails."""
    return _bent(service, errors=_large(rng, 0.005, 0.01, 0.03) * _after(service, onset))


def everything_a_little(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Latency, errors and CPU all rise by little."""
    after = _after(service, onset)
    return _bent(service, latency=1.0 + 0.15 * after, errors=0.003 * after, cpu=1.0 + 0.2 * after)


def nothing(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Nothing is wrong."""
    return _bent(service)


def loud(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Much noise that lasts: autocorrelation 0.6."""
    return _bent(replace(service, phi=0.6, noise=float(rng.uniform(0.1, 0.3)), cpu_noise=float(rng.uniform(0.04, 0.1))))


def pareto(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Steps of both arms that are far too slow, by a Pareto factor."""
    odd = [1.0 + (rng.random(service.steps) < 0.08) * rng.pareto(1.5, service.steps) for _ in range(2)]
    calm = quiet(service.steps)
    return replace(service, tailed=True), replace(calm, latency=odd[0]), replace(calm, latency=odd[1])


def daily(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Load rises and falls a lot, for both."""
    return _bent(replace(service, day=float(rng.uniform(0.5, 1.0)), queueing=float(rng.uniform(0.3, 1.0))))


def warm_up(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Cold caches and compilers at the start."""
    fade = np.exp(-np.arange(service.steps) / rng.uniform(2.0, 5.0))
    return _bent(service, latency=1.0 + rng.uniform(0.3, 2.0) * fade, cpu=1.0 + rng.uniform(0.3, 1.3) * fade)


def unlike_replicas(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Replicas that do not share their work: one costs far more or less CPU all the time, and both drift."""
    service = replace(service, load=0.01, day=0.0, noise=0.01, phi=0.9, cpu_noise=float(rng.uniform(0.1, 0.3)))
    return _bent(service, cpu=np.full(service.steps, float(np.exp(rng.normal(0.0, 0.4)))))


def blip(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """One to three bad steps, and it is over."""
    hit = np.zeros(service.steps)
    hit[onset : onset + int(rng.integers(1, 4))] = 1.0
    return _bent(service, latency=1.0 + rng.uniform(0.5, 3.0) * hit, errors=float(rng.choice([0.0, 0.03])) * hit)


def slower_node(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """A node that is a little slower, from the start."""
    one = np.ones(service.steps)
    return _bent(service, latency=one * (1.0 + rng.uniform(0.0, 0.03)), cpu=one * (1.0 + rng.uniform(0.0, 0.06)))


def shared_trouble(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """Something that happens to both arms for a while."""
    hit = _after(service, onset) - _after(service, onset + int(rng.integers(4, 20)))
    bends = {"latency": 1.0 + rng.uniform(0.5, 2.0) * hit, "errors": rng.uniform(0.0, 0.05) * hit}
    calm = quiet(service.steps)
    return service, replace(calm, **bends), replace(calm, **bends)


def better(rng: Rng, service: Service, onset: int) -> tuple[Service, Arm, Arm]:
    """The canary is faster and cheaper."""
    one = np.ones(service.steps)
    return _bent(service, latency=one * rng.uniform(0.5, 0.9), cpu=one * rng.uniform(0.6, 0.95))


HARMFUL: dict[str, Bend] = {
    f.__name__.replace("_", "-"): f
    for f in (
        *(latency_step, latency_ramp, tail_only, oscillation, spikes, wilder, sawtooth, leak, cpu_creep, cpu_step),
        *(error_bursts, error_ramp, error_step, everything_a_little),
    )
}
HEALTHY: dict[str, Bend] = {
    f.__name__.replace("_", "-"): f
    for f in (
        nothing,
        loud,
        pareto,
        daily,
        warm_up,
        blip,
        slower_node,
        unlike_replicas,
        shared_trouble,
        better,
    )
}
