"""From harm to a score, and when a score may fall below one half.

The thresholds 0.2 and 0.8 are promised to users; here the evidence is mapped onto them. Two questions, not one: harm
must be shown to pass 0.8, and safety must be earned to pass 0.2: by watching long enough and finding little. Until
the watch is over the score cannot pass 0.2, however quiet it is. It must not know metrics.
"""

from __future__ import annotations

import math

import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.guards import CERTAIN
from opsroom.analysis.harm import Harm
from opsroom.analysis.stream import Stream
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Flags, Floats

ENOUGH_DATA = 0.5
"""Part of the watch that must have samples before anything is promoted."""
ENOUGH_REQUESTS = 15.0
"""Requests that a counted canary must have served before it is promoted."""
OVERWHELMING = 8.0
"""Nats above the threshold at which withheld evidence of a later change stops a promotion, though it cannot roll
back."""
HISTORY = 1.0
"""Nats more that are asked where the baseline is history."""
LOGIT = math.log(4.0)
"""logit(0.8) = -logit(0.2)."""
EARNED = 0.25
"""What the score may fall by below one half while the watch lasts."""


def watch_steps(budget: Budget, step: float) -> int:
    """Steps that a canary is watched before it may be promoted."""
    return int(np.clip(math.ceil(budget.watch_seconds / step), *budget.watch_steps))


def low_mark(stream: Stream, need: int, tuning: Tuning) -> Floats:
    """Harm (nats) below which the score passes 0.2 once the watch is over; it rises with patience, (R,)."""
    late = np.clip((stream.elapsed - need) / tuning.patience_steps, 0.0, 1.0)
    found: Floats = tuning.promote_early + late * (tuning.promote_late - tuning.promote_early)
    return found


def score(
    stream: Stream,
    harm: Harm,
    need: int,
    roll_back: float,
    tuning: Tuning,
    concurrent: Flags | None = None,
) -> Floats:
    """Scores (R,) after the stream's last step; NaN before the first sample.

    ``need`` is the watch in steps, ``roll_back`` in nats. Where the baseline is history (``concurrent`` False) more
    is asked: for harm and for safety.
    """
    history = np.zeros(len(stream.elapsed)) if concurrent is None else np.where(concurrent, 0.0, HISTORY)
    high = roll_back + history
    low = low_mark(stream, need, tuning) - 0.5 * history
    known = np.maximum(harm.total, stream.restarts.harm())
    middle, half = 0.5 * (high + low), 0.5 * (high - low)
    with np.errstate(over="ignore"):
        found = 1.0 / (1.0 + np.exp(-LOGIT * (known - middle) / half))
    floor = np.where(stream.elapsed < need, 0.5 - EARNED * np.minimum(stream.elapsed / need, 1.0), 0.0)
    if (stream.elapsed >= need).any():  # before that the floor is higher anyway
        floor = np.where(_unproven(stream, harm, need, roll_back), np.maximum(floor, 0.5 - EARNED), floor)
    found = np.maximum(found, floor)
    return np.where(stream.seen | (stream.restarts.harm() >= CERTAIN), found, np.nan)


def _unproven(stream: Stream, harm: Harm, need: int, roll_back: float) -> Flags:
    """Whom nothing accuses but nothing acquits either."""
    few = stream.steps < ENOUGH_DATA * need
    counted = stream.counts.requests > 0
    starved = counted & (stream.counts.steps > 0) & (stream.counts.requests < ENOUGH_REQUESTS)
    # The score must not contradict the interval that a person reads beside it.
    withheld = (harm.withheld > roll_back + OVERWHELMING) & stream.came_later()
    doubtful = stream.ratios.shown_worse() | withheld | (stream.restarts.excess() >= 1.5)
    found: Flags = few | starved | doubtful | stream.traffic.none() | stream.traffic.lost()
    return found


def guard_of(stream: Stream, row: int) -> str:
    """Name of the guard that speaks about one rollout; empty when none does."""
    if stream.restarts.harm()[row] >= CERTAIN:
        return "crash_loop"
    if stream.traffic.lost()[row]:
        return "no_traffic"
    return ""
