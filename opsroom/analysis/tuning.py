"""Constants of the method: few, each with a meaning, none of them a threshold that users were promised.

They were found by search on the development half of a public benchmark under a penalty for false alarms on simulated
autocorrelated noise, and cross-validated by kind of fault and by source (``tests/bench/judge``). What users may
change is in ``budget``; it must not be here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """What is believed of a metric before its first sample; all in natural log units."""

    scale: float
    """Standard deviation of one step's log-ratio, as a first guess."""
    floor: float
    """Noise is never taken for smaller than this."""
    phi: float
    """Autocorrelation from step to step, as a first guess."""
    warm: float
    """How much higher a healthy canary may start while caches and compilers warm up."""
    change: float
    """Smallest rise over its own past that counts as a change."""
    gated: bool = False
    """Level differences count only where both arms are seen to share the load."""


LATENCY = Family(scale=0.15, floor=0.01, phi=0.4, warm=1.12, change=0.049)
CPU = Family(scale=0.045, floor=0.033, phi=0.44, warm=0.7, change=0.15, gated=True)
MEMORY = Family(scale=0.024, floor=0.0092, phi=0.75, warm=0.0, change=0.43)
OTHER = Family(scale=0.15, floor=0.02, phi=0.4, warm=0.5, change=0.2)

FAMILIES = {
    "latency_p99": LATENCY,
    "latency_p95": LATENCY,
    "latency_p50": LATENCY,
    "cpu_usage": CPU,
    "memory_bytes": MEMORY,
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """Constants shared by all metrics."""

    bets: tuple[float, ...] = (0.25, 0.47, 1.34, 1.64)
    """Sizes of the shift, in standard deviations of one whitened step, that evidence is bet on."""
    clip: float = 2.24
    """One step's deviation is never taken for more than this many standard deviations …"""
    clip_slow: float = 4.42
    """… or this many where a step lasts five minutes: there, no blip lasts a whole step."""
    restart: float = 0.015
    """Prior probability, per step, that the harm begins just now."""
    full: float = 9.6
    """Evidence (nats) that a harm beginning now must gather to be believed."""
    hot_steps: float = 5.4
    """The fewest steps in which one ratio metric may gather it, so that no blip decides …"""
    hot_steps_slow: float = 1.13
    """… and the same at five-minute steps."""
    hot_errors: float = 2.5
    hot_errors_slow: float = 0.97
    phi_weight: float = 29.1
    phi_max: float = 0.63
    phi_bias: float = 1.2
    scale_weight: float = 3.14
    scale_gain: float = 1.13
    winsor: float = 1.8
    memory: float = 34.4
    """Steps that a recent mean remembers."""
    warm_steps: float = 3.43
    """Warm-up fades by 1/e in so many steps (a quarter of it at five-minute steps)."""
    pair_weight: float = 8.34
    pair_memory: float = 11.0
    pair_clip: float = 3.9
    share_prior: float = 0.087
    share_weight: float = 11.7
    share_low: float = 0.011
    share_width: float = 0.02
    wander_prior: float = 1.3
    wander_weight: float = 8.05
    wander_high: float = 0.68
    small_sample: float = 0.87
    tail_weight: float = 1.15
    change_penalty: float = 0.84
    spike_penalty: float = 0.7
    joint: float = 0.43
    joint_large: float = 0.65
    joint_steps: float = 1.16
    error_bets: tuple[float, ...] = (1.34, 2.78, 9.65, 37.1)
    error_memory: float = 11.5
    error_slack: float = 2.87
    dispersion: float = 1.01
    dispersion_weight: float = 3.62
    metrics: float = 3.5
    """Evidence is averaged over at least so many metrics."""
    roll_back: float = 2.9
    """Harm (nats) at which the score passes 0.8."""
    promote_early: float = -1.0
    promote_late: float = 0.3
    """Harm below which the score passes 0.2: when the watch is over, and a while later."""
    patience_steps: float = 20.0
