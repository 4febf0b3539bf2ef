"""All metrics of a canary together: one figure for harm, in nats.

Evidence values are averaged, which needs no independence between metrics. One more row bets on all metrics at once
(several small rises together; two large ones at the same step decide sooner than one could). Where the arms are not
seen to share their load and the level itself drifts, a difference of level says nothing (replicas of one deployment
differ by half and more): there only the change row speaks, and the rest is reported as ``withheld``.
It must not know thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsroom.analysis.bets import grow, odds
from opsroom.analysis.counts import CountEvidence
from opsroom.analysis.ratio import RatioEvidence
from opsroom.analysis.tuning import Family, Tuning
from opsroom.analysis.window import Flags, Floats

WITHHELD = 12.0
"""Nats that a gated level may reach when its gate is fully open; far beyond any threshold."""
LATER = 2.0
"""So many times the smallest change is no drift of unlike replicas."""


@dataclass(frozen=True, slots=True)
class Harm:
    """Evidence for harm after one step; nats (R,), odds per row, averaged over ``share`` rows."""

    total: Floats
    withheld: Floats
    """What the total would be, had nothing been gated."""
    metric_odds: Floats
    """(M, R)."""
    error_odds: Floats
    joint_odds: Floats
    share: float

    @property
    def by_metric(self) -> Floats:
        """Nats of each metric, (M, R)."""
        return np.log(self.metric_odds)

    @property
    def by_errors(self) -> Floats:
        """Nats of the error counts, (R,)."""
        return np.log(self.error_odds)

    @property
    def joint(self) -> Floats:
        """Nats of the bet on all metrics at once, (R,)."""
        return np.log(self.joint_odds)


class JointEvidence:
    """Running state of the bet on all metrics at once, R rollouts."""

    __slots__ = ("_change", "_full", "_gated", "_most", "_tuning", "_wealth")

    def __init__(self, families: list[Family], rollouts: int, tuning: Tuning) -> None:
        self._tuning = tuning
        self._full = tuning.full
        self._most = tuning.full / 1.3
        self._change = np.array([f.change for f in families]).reshape(-1, 1)
        self._gated = np.array([f.gated for f in families], dtype=bool)
        self._wealth = np.zeros((len(tuning.bets), rollouts))

    def advance(self, ratios: RatioEvidence, counts: CountEvidence) -> None:
        """Play one step, after ``ratios`` and ``counts`` have taken it."""
        k = self._tuning
        gain = k.joint * (ratios.won.sum(axis=1) + counts.won)
        large = (np.clip((ratios.excess - k.joint_large) / 0.5, 0.0, 1.0) * ratios.ok).sum(axis=0)
        agree = np.clip(large - 1.0, 0.0, 1.0)
        gain += agree * np.maximum(self._full / k.joint_steps - gain, 0.0)
        seen = ratios.ok.any(axis=0) | counts.ok
        grow(self._wealth, np.clip(gain, -self._most, self._most), np.where(seen, k.restart, 0.0))

    def harm(self, ratios: RatioEvidence, counts: CountEvidence) -> Harm:
        """All evidence after the last step."""
        level, change = ratios.level(), ratios.change()
        errors, joint = counts.odds(), odds(self._wealth)
        share = max(self._tuning.metrics, len(level) + 0.5)
        free = np.maximum(level, change)
        withheld = total = np.log((free.sum(axis=0) + errors + joint) / share)
        if self._gated.any():
            gated = self._gated[:, None]
            bound = np.where(gated, np.exp(WITHHELD * self._gate(ratios) - 1.0), np.inf)
            free = np.maximum(np.minimum(level, bound), change)
            others = np.where(gated, 0.0, free).max(axis=0, initial=0.0)
            alone = np.maximum(others, errors) < 1.0
            joint = np.where(alone, np.minimum(joint, bound.min(axis=0)), joint)
            total = np.log((free.sum(axis=0) + errors + joint) / share)
        return Harm(total, withheld, free, errors, joint, share)

    def came_later(self, ratios: RatioEvidence) -> Flags:
        """Whether a gated level has clearly risen since the first steps, (R,).

        Replicas that are unlike are so from the start.
        """
        noise = ratios.noise
        later = noise.mean - noise.early > LATER * self._change
        return np.asarray((later & self._gated[:, None]).any(axis=0), dtype=np.bool_)

    def _gate(self, ratios: RatioEvidence) -> Floats:
        k = self._tuning
        sharing = np.clip((ratios.pairing.shared() - k.share_low) / k.share_width, 0.0, 1.0)
        steady = np.clip((k.wander_high - ratios.noise.wander()) / 0.15, 0.0, 1.0)
        found: Floats = np.maximum(sharing, steady)
        return found
