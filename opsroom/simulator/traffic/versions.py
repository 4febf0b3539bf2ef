"""What a version's hidden quality does to its pods at a moment: factors on latency, CPU, errors, memory.

Pure functions of quality and age; the noise of the world comes on top elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsroom.simulator.traffic.quality import Fault, Quality


@dataclass(frozen=True, slots=True)
class Effect:
    """What a version's pods suffer now; the defaults are those of a healthy one."""

    slower: float = 1.0
    hungrier: float = 1.0
    errors: float = 0.0
    # Part of the memory limit lost a second, and for how many seconds at most.
    leak: float = 0.0
    leaking_for: float = 0.0
    # Seconds that a container lives before it dies, 0 for one that does not.
    lifetime: float = 0.0
    # Part of its requests that reach it.
    reached: float = 1.0


NO_EFFECT = Effect()


def effect(quality: Quality, age: float) -> Effect:
    """The effect `age` seconds after the first pod of the version was ready."""
    if quality.fault is Fault.NO_TRAFFIC:
        return Effect(reached=0.0)
    since = age - quality.onset
    if since < 0 or quality.fault is Fault.NONE:
        return NO_EFFECT
    match quality.fault:
        case Fault.LATENCY | Fault.IMPROVED:
            return Effect(slower=quality.effect)
        case Fault.RAMP:
            return Effect(slower=1 + (quality.effect - 1) * min(1.0, since / quality.duration))
        case Fault.BLIP:
            return Effect(slower=quality.effect) if since < quality.duration else NO_EFFECT
        case Fault.ERRORS:
            return Effect(errors=quality.effect)
        case Fault.CPU:
            return Effect(hungrier=quality.effect)
        case Fault.LEAK:
            return Effect(leak=quality.effect / 60, leaking_for=since)
        case _:
            return Effect(lifetime=quality.duration)
