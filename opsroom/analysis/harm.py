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

from opsroom.analysis.bets import evidence, grow
from opsroom.analysis.counts import CountEvidence
from opsroom.analysis.ratio import RatioEvidence
from opsroom.analysis.tuning import Family, Tuning
from opsroom.analysis.window import Floats

WITHHELD = 12.0
"""Nats that a gated level may reach when its gate is fully open; far beyond any threshold."""


@dataclass(frozen=True, slots=True)
class Harm:
    """Evidence for harm after one step; arrays (R,) but ``by_metric`` (M, R)."""

    total: Floats
    withheld: Floats
    """What the total would be, had nothing been gated."""
    by_metric: Floats
    by_errors: Floats
    joint: Floats
    share: float
    """What evidence is averaged over."""


class JointEvidence:
    """Running state of the bet on all metrics at once, R rollouts."""

    __slots__ = ("_full", "_gated", "_most", "_tuning", "_wealth")

    def __init__(self, families: list[Family], rollouts: int, tuning: Tuning) -> None:
        self._tuning = tuning
        self._full = tuning.full
        self._most = tuning.full / 1.3
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
        level, change = ratios.level(), np.maximum(ratios.change(), ratios.spikes())
        errors, joint = counts.evidence(), evidence(self._wealth)
        free = np.maximum(level, change)
        if self._gated.any():
            gate = self._gate(ratios)
            bound = np.where(self._gated[:, None], -1.0 + WITHHELD * gate, np.inf)
            by_metric = np.maximum(np.minimum(level, bound), change)
            others = np.where(self._gated[:, None], -np.inf, by_metric).max(axis=0, initial=-np.inf)
            alone = np.maximum(others, errors) < 0.0
            lowest = np.where(self._gated[:, None], bound, np.inf).min(axis=0)
            bounded = np.where(alone, np.minimum(joint, lowest), joint)
        else:
            by_metric, bounded = free, joint
        return Harm(
            total=self._average(by_metric, errors, bounded),
            withheld=self._average(free, errors, joint),
            by_metric=by_metric,
            by_errors=errors,
            joint=bounded,
            share=self._share(by_metric),
        )

    def _gate(self, ratios: RatioEvidence) -> Floats:
        k = self._tuning
        sharing = np.clip((ratios.pairing.shared() - k.share_low) / k.share_width, 0.0, 1.0)
        steady = np.clip((k.wander_high - ratios.noise.wander()) / 0.15, 0.0, 1.0)
        found: Floats = np.maximum(sharing, steady)
        return found

    def _average(self, by_metric: Floats, errors: Floats, joint: Floats) -> Floats:
        rows = np.concatenate([by_metric, errors[None], joint[None]], axis=0)
        rows = np.exp(np.minimum(rows, 40.0))
        found: Floats = np.log(rows.sum(axis=0) / self._share(by_metric))
        return found

    def _share(self, by_metric: Floats) -> float:
        return max(self._tuning.metrics, len(by_metric) + 0.5)
