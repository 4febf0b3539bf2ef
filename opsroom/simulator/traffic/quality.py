"""What a new version is worth: healthy, or one hidden fault, drawn by seed.

The sizes follow the benchmark's terms: nothing below latency +10 %, errors +0.2 points, CPU +20 %; small, medium
and large a third each. Pure: the same generator state gives the same quality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Fault(StrEnum):
    """The kinds of behaviour a version can have."""

    NONE = "none"
    IMPROVED = "improved"
    BLIP = "blip"
    LATENCY = "latency"
    ERRORS = "errors"
    CPU = "cpu"
    RAMP = "ramp"
    LEAK = "leak"
    CRASH_LOOP = "crash-loop"
    NO_TRAFFIC = "no-traffic"


class Size(StrEnum):
    """How plain a fault is."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Truth(StrEnum):
    """What the right end of a rollout is. Nobody can know a version that gets no requests."""

    HEALTHY = "healthy"
    BAD = "bad"
    UNKNOWABLE = "unknowable"


@dataclass(frozen=True, slots=True)
class Quality:
    """The hidden quality of one version.

    `effect`: latency, CPU (and ramp, blip, improved): the factor reached; errors: the share of requests that fails in
    addition; leak: the part of the memory limit lost a minute; else 0. `onset` is in seconds after the first pod is
    ready; `duration` is how long a blip lasts, how long a ramp rises, how long a crashing pod lives.
    """

    fault: Fault = Fault.NONE
    size: Size | None = None
    effect: float = 0.0
    onset: float = 0.0
    duration: float = 0.0

    @property
    def truth(self) -> Truth:
        """What a grader counts it as."""
        if self.fault in (Fault.NONE, Fault.IMPROVED, Fault.BLIP):
            return Truth.HEALTHY
        return Truth.UNKNOWABLE if self.fault is Fault.NO_TRAFFIC else Truth.BAD


HEALTHY = Quality()

_GOOD_KINDS = {Fault.NONE: 0.80, Fault.BLIP: 0.12, Fault.IMPROVED: 0.08}
_FAULTY_KINDS = {
    Fault.LATENCY: 0.26,
    Fault.ERRORS: 0.26,
    Fault.CPU: 0.18,
    Fault.RAMP: 0.10,
    Fault.LEAK: 0.08,
    Fault.CRASH_LOOP: 0.07,
    Fault.NO_TRAFFIC: 0.05,
}
# Lower and upper end of an effect, by fault and size, drawn evenly on a logarithmic scale of the excess.
EFFECTS: dict[Fault, dict[Size, tuple[float, float]]] = {
    Fault.LATENCY: {Size.SMALL: (1.10, 1.25), Size.MEDIUM: (1.25, 1.60), Size.LARGE: (1.60, 3.50)},
    Fault.RAMP: {Size.SMALL: (1.30, 1.50), Size.MEDIUM: (1.50, 2.00), Size.LARGE: (2.00, 4.00)},
    Fault.CPU: {Size.SMALL: (1.20, 1.35), Size.MEDIUM: (1.35, 1.70), Size.LARGE: (1.70, 2.50)},
    Fault.ERRORS: {Size.SMALL: (0.002, 0.008), Size.MEDIUM: (0.008, 0.03), Size.LARGE: (0.03, 0.20)},
    Fault.LEAK: {Size.SMALL: (0.04, 0.08), Size.MEDIUM: (0.08, 0.16), Size.LARGE: (0.16, 0.40)},
}
_BLIP = (1.5, 3.0)
_IMPROVED = (0.70, 0.92)
# Seconds of one step of a judge at this world's pace; a blip lasts one to three.
_STEP = 2.0


def draw_quality(rng: np.random.Generator, fault_share: float = 0.35, horizon: float = 120.0) -> Quality:
    """Draw one version's quality; `fault_share` (0 to 0.5) of all versions are not healthy.

    `horizon` is how many seconds a canary is usually watched: onsets and ramps are
    placed by it. Raises ValueError for a share above one half.
    """
    if not 0 <= fault_share <= 0.5:
        raise ValueError("fault_share is between 0 and 0.5: at least half of all versions are healthy")
    if rng.random() < fault_share:
        return _draw_fault(rng, _choose(rng, _FAULTY_KINDS), horizon)
    kind = _choose(rng, _GOOD_KINDS)
    if kind is Fault.BLIP:
        onset = float(rng.uniform(0.1, 0.6)) * horizon
        return Quality(kind, None, float(rng.uniform(*_BLIP)), onset, _STEP * int(rng.integers(1, 4)))
    if kind is Fault.IMPROVED:
        return Quality(kind, None, float(rng.uniform(*_IMPROVED)))
    return HEALTHY


def _draw_fault(rng: np.random.Generator, kind: Fault, horizon: float) -> Quality:
    at_once = rng.random() < 0.6
    onset = 0.0 if at_once else float(rng.uniform(0.05, 0.4)) * horizon
    if kind is Fault.NO_TRAFFIC:
        return Quality(kind)
    if kind is Fault.CRASH_LOOP:
        return Quality(kind, None, 0.0, onset, float(rng.uniform(6.0, 15.0)))
    size = tuple(Size)[int(rng.integers(len(Size)))]
    base = 1.0 if kind in (Fault.LATENCY, Fault.RAMP, Fault.CPU) else 0.0
    low, high = EFFECTS[kind][size]
    excess = math.exp(rng.uniform(math.log(low - base), math.log(high - base)))
    rise = float(rng.uniform(0.3, 0.6)) * horizon if kind is Fault.RAMP else 0.0
    return Quality(kind, size, base + excess, onset, rise)


def _choose(rng: np.random.Generator, kinds: dict[Fault, float]) -> Fault:
    return list(kinds)[int(rng.choice(len(kinds), p=list(kinds.values())))]
