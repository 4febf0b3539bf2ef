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


LATENCY = Family(scale=0.15, floor=0.01, phi=0.4, warm=0.76, change=0.12)
CPU = Family(scale=0.047, floor=0.033, phi=0.4, warm=0.8, change=0.11, gated=True)
MEMORY = Family(scale=0.03, floor=0.01, phi=0.5, warm=0.0, change=0.3)
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

    bets: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    """Sizes of the shift, in standard deviations of one whitened step, that evidence is bet on."""
    clip: float = 2.19
    """One step's deviation is never taken for more than this many standard deviations …"""
    clip_slow: float = 6.4
    """… or this many where a step lasts five minutes: there, no blip lasts a whole step."""
    restart: float = 0.015
    """Prior probability, per step, that the harm begins just now."""
    full: float = 12.0
    """Evidence (nats) that a harm beginning now must gather to be believed."""
    hot_steps: float = 5.4
    """The fewest steps in which one ratio metric may gather it, so that no blip decides …"""
    hot_steps_slow: float = 1.8
    """… and the same at five-minute steps."""
    hot_errors: float = 4.0
    """The fewest steps in which errors may gather it (they have no blips of one accident) …"""
    hot_errors_slow: float = 1.2
    """… and the same at five-minute steps."""
    phi_weight: float = 21.6
    """The first guess of the autocorrelation counts as so many steps."""
    phi_max: float = 0.63
    """It is never taken for more than this."""
    phi_bias: float = 1.0
    """Part of Kendall's correction for the mean being estimated."""
    scale_weight: float = 4.0
    """The first guess of the scale counts as so many steps …"""
    scale_gain: float = 1.28
    """… and later steps weigh this much more than in a plain mean, so that it is forgotten."""
    winsor: float = 1.8
    """One difference enters the scale as at most so many scales."""
    memory: float = 32.0
    """Steps that a recent mean remembers."""
    warm_steps: float = 4.09
    """Warm-up fades by 1/e in so many steps (a quarter of it at five-minute steps)."""
    pair_weight: float = 12.0
    """Full pairing is believed as after so many steps of evidence for it."""
    pair_memory: float = 15.5
    """Steps that the baseline's level remembers."""
    pair_clip: float = 3.0
    """Beyond so many standard deviations the baseline's movement is taken for shared at once."""
    lasting_pace: float = 0.3
    """So much of each step's deviation of the baseline enters what is taken for lasting …"""
    lasting_from: float = 1.5
    """… which begins to count beyond so many of its standard deviations, and one further on counts in full."""
    share_prior: float = 0.15
    """First guess of how far the arms share their load …"""
    share_weight: float = 8.0
    """… which counts as so many steps …"""
    share_low: float = 0.15
    """… and the correlations at which a level difference begins to count …"""
    share_width: float = 0.1
    """… and this much further on counts in full."""
    share_sure: float = 3.0
    """So many standard errors of a correlation are no chance."""
    wander_prior: float = 0.75
    """First guess of the autocorrelation where it is asked whether the level itself drifts …"""
    wander_weight: float = 10.0
    """… which counts as so many steps …"""
    wander_high: float = 0.5
    """… and the one below which it does not, so that a level counts whatever the correlation."""
    small_sample: float = 0.8
    """Part of the table's small-sample bias that is taken off."""
    tail_weight: float = 3.0
    """The table's tail counts as so many steps against the baseline's own."""
    change_penalty: float = 1.0
    """Nats that a change over the own past must bring more than a difference of level …"""
    spike_penalty: float = 0.7
    """… and single spikes."""
    joint: float = 0.5
    """Part of each metric's gain that goes into the bet on all of them."""
    joint_large: float = 0.6
    """Two metrics that exceed their margins by this much (log units) at one step …"""
    joint_steps: float = 1.5
    """… decide together in so many steps."""
    error_bets: tuple[float, ...] = (1.51, 2.91, 9.87, 32.0)
    """How many times likelier the canary is to fail, in the bets."""
    error_memory: float = 8.0
    """Steps that the recent error rates remember."""
    error_slack: float = 1.43
    """The innocent rise in points is granted as at most this factor on the rate."""
    dispersion: float = 1.3
    """First guess of how clumped errors are (1: not at all) …"""
    dispersion_weight: float = 6.0
    """… which counts as so many steps with errors."""
    metrics: float = 3.5
    """Evidence is averaged over at least so many metrics."""
    roll_back: float = 3.25
    """Harm (nats) at which the score passes 0.8."""
    promote_early: float = -0.5
    promote_late: float = 0.5
    """Harm below which the score passes 0.2: when the watch is over, and a while later."""
    patience_steps: float = 15.0
    """Steps that "a while" is."""
