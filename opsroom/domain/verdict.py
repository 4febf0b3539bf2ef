"""What the judge says about one canary: a score, how sure it can be, and evidence a person can check.

The score is a promise to users: above 0.8 roll back, below 0.2 promote, else watch on. A score of None (state
UNKNOWN) is not in between: it says that nothing may be concluded, and why.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opsroom.domain.rollout import Uid

ROLL_BACK_ABOVE = 0.8
PROMOTE_BELOW = 0.2


class VerdictState(StrEnum):
    """What the score means at the default thresholds."""

    UNKNOWN = "unknown"
    UNDECIDED = "undecided"
    HEALTHY = "healthy"
    HARM = "harm"


class UnknownReason(StrEnum):
    """Why there is no score."""

    NO_DATA = "no_data"
    """No sample of the canary at all."""
    NO_BASELINE = "no_baseline"
    TOO_LITTLE_TRAFFIC = "too_little_traffic"
    TOO_FEW_STEPS = "too_few_steps"
    STALE = "stale"
    """The newest sample is too old."""
    SOURCE_DOWN = "source_down"
    """Prometheus does not answer."""
    NO_SOURCE = "no_source"
    """Nobody has said where Prometheus is."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one metric says. Ratios are canary / baseline; for ``error_rate`` effects are differences."""

    metric: str
    harm: float
    """Strength of the case for harm, 0..1."""
    effect: float | None = None
    """Best estimate of the ratio (latency, CPU, memory) or the difference (error rate)."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval around ``effect``."""
    canary: float | None = None
    baseline: float | None = None
    """Typical values over the time looked at, in the metric's own unit."""
    since: float | None = None
    """Epoch seconds since when the harm is seen; None when none is."""
    steps: int = 0
    """Steps with data on both arms."""
    requests: float | None = None
    """Requests of the canary that this rests on; None when nobody counted."""
    guard: str = ""
    """Name of the hard guard that spoke ("crash_loop", "no_traffic", …), empty for the statistics."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The judge's opinion of one canary at one moment."""

    uid: Uid
    at: float
    """Epoch seconds of the newest step that was used."""
    state: VerdictState
    score: float | None = None
    """0 (surely fine) … 1 (surely harmful); None exactly when ``state`` is UNKNOWN."""
    unknown: UnknownReason | None = None
    evidence: tuple[Evidence, ...] = ()
    """Strongest first."""
    steps: int = 0
    """Steps of the canary that were looked at."""
    decides_in: float | None = None
    """Expected seconds until a decision at the current traffic; None when nobody can tell."""
    shared: bool = False
    """Others degrade at the same moment: the change is probably not the cause."""
    concurrent: bool = True
    """False when the baseline is history instead of stable pods at the same minutes."""
