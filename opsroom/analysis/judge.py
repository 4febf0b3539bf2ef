"""The judge: from a window of samples to a score for every step and a verdict for the last one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.calibration import Calibration, shipped
from opsroom.analysis.columns import columns
from opsroom.analysis.scoring import score, watch_steps
from opsroom.analysis.stream import Stream
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.verdicts import BLOCK, verdicts
from opsroom.analysis.window import Floats, Window
from opsroom.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Scores:
    """What the judge thinks of every step; R × T, NaN where it has no opinion."""

    score: Floats
    harm: Floats
    """Evidence for harm in nats, the stuff that scores are made of."""


def marked(tuning: Tuning, calibration: Calibration | None) -> Tuning:
    """``tuning`` with the learned marks, if there are any."""
    if calibration is None:
        return tuning
    return replace(
        tuning,
        roll_back=calibration.roll_back,
        promote_early=calibration.promote_early,
        promote_late=calibration.promote_late,
    )


class Judge:
    """Judges canaries within a budget; without a ``tuning`` by the marks that the package was shipped with."""

    def __init__(self, budget: Budget | None = None, tuning: Tuning | None = None) -> None:
        self.budget = budget or Budget()
        self.tuning = tuning or marked(Tuning(), shipped())

    @property
    def roll_back(self) -> float:
        """Nats of harm at which the score passes 0.8, for this budget of false rollbacks."""
        return self.tuning.roll_back + math.log(10.0 / self.budget.false_rollbacks)

    def open(self, metrics: tuple[str, ...], rollouts: int, step: float) -> Stream:
        """Fresh state for ``rollouts`` canaries that share metrics and step length (seconds)."""
        return Stream(metrics, rollouts, step, self.budget, self.tuning)

    def score(self, stream: Stream, step: float) -> Floats:
        """Scores (R,) after the stream's last step, which lasts ``step`` seconds."""
        return score(stream, stream.harm(), watch_steps(self.budget, step), self.roll_back, self.tuning)

    def scores(self, window: Window) -> Scores:
        """Score every step of every rollout; column t uses steps 0..t only."""
        rollouts, steps = window.shape
        found = np.full((steps, rollouts), np.nan)
        harms = np.full((steps, rollouts), np.nan)
        need = watch_steps(self.budget, window.step)
        for start in range(0, rollouts, BLOCK):
            part = slice(start, start + BLOCK)
            rows = window.part(part)
            stream = self.open(tuple(window.metrics), len(rows.uids), window.step)
            for t, column in enumerate(columns(rows, self.budget)):
                stream.advance(column)
                harm = stream.harm()
                harms[t, part] = harm.total
                found[t, part] = score(stream, harm, need, self.roll_back, self.tuning, rows.concurrent)
        return Scores(found.T, harms.T)

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        """The verdict on each rollout at the window's last step; ``now`` in epoch seconds tells what is stale."""
        return verdicts(self, window, now)
