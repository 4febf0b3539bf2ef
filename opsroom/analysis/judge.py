"""The judge: from a window of samples to a score for every step and a verdict for the last one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from opsroom.analysis.budget import Budget, Direction
from opsroom.analysis.counts import CountState, CountTuning
from opsroom.analysis.ratio import RatioState, RatioTuning
from opsroom.analysis.window import Floats, Pair, Window
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import (
    PROMOTE_BELOW,
    ROLL_BACK_ABOVE,
    Evidence,
    UnknownReason,
    Verdict,
    VerdictState,
)

PRIOR_SCALE = {
    "latency_p99": 0.15,
    "latency_p95": 0.12,
    "latency_p50": 0.08,
    "cpu_usage": 0.06,
    "memory_bytes": 0.02,
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """Constants of the method."""

    ratio: RatioTuning = field(default_factory=RatioTuning)
    count: CountTuning = field(default_factory=CountTuning)
    steps_short: float = 4.0
    steps_long: float = 2.5
    hold: float = 0.35


@dataclass(frozen=True, slots=True)
class Scores:
    """R × T scores, NaN where there is no opinion; ``harm`` and ``safety`` are what they are made of."""

    score: Floats


class Judge:
    """Judges canaries within a budget."""

    def __init__(self, budget: Budget | None = None, tuning: Tuning | None = None) -> None:
        self.budget = budget or Budget()
        self.tuning = tuning or Tuning()

    def scores(self, window: Window) -> Scores:
        """Score every step of every rollout; column t uses steps 0..t only."""
        rollouts, steps = window.shape
        ratios = [m for m in window.metrics if m not in ("error_rate", "restarts")]
        b, tn = self.budget, self.tuning
        bar = np.log(1000.0 / b.false_rollbacks)
        started = window.started if window.started is not None else np.zeros(rollouts, dtype=np.int64)
        x = np.full((steps, max(1, len(ratios)), rollouts), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            for i, m in enumerate(ratios):
                p = window.metrics[m]
                d = np.log(p.canary) - np.log(p.baseline)
                x[:, i, :] = (-d if b.margin(m).direction is Direction.DOWN else d).T
        x[~np.isfinite(x)] = np.nan
        early = np.arange(steps)[:, None] < started[None, :]
        x[np.broadcast_to(early[:, None, :], x.shape)] = np.nan
        margin = np.log1p(np.array([[b.margin(m).innocent] for m in ratios] or [[0.1]]))
        harmful = np.log1p(np.array([[b.margin(m).harmful] for m in ratios] or [[0.1]]))
        prior = np.array([[PRIOR_SCALE.get(m, 0.1)] for m in ratios] or [[0.1]])
        state = RatioState(margin, prior, rollouts, tn.ratio)
        count = CountState(b.error_points, rollouts, tn.count)
        kb, kc, nb, nc = counts_of(window)
        need = int(np.clip(np.ceil(b.watch_seconds / window.step), *b.watch_steps))
        slow = np.clip(np.log(window.step / 60.0) / np.log(5.0), 0, 1)
        cap = np.float64(bar / (tn.steps_short + slow * (tn.steps_long - tn.steps_short)))
        out = np.full((rollouts, steps), np.nan)
        seen = np.zeros(rollouts)
        weight = np.log(len(ratios) + 1)
        for t in range(steps):
            state.advance(x[t], cap)
            count.advance(kb[t], kc[t], nb[t], nc[t], cap)
            h = np.concatenate([state.harm(), count.harm()[None]], axis=0)
            total = np.logaddexp.reduce(h, axis=0) - weight
            seen += np.isfinite(x[t]).any(axis=0) | np.isfinite(kc[t])
            mean, se = state.effect()
            z = np.where(state.n > 2, (harmful - mean) / se, 9.0).min(axis=0)
            safe = np.clip(z / 2.0 + 0.3, 0, 1) * np.clip(seen / need, 0, 1)
            g = np.clip(total / bar, 0, 1.6)
            score = 0.5 + 0.3 * g - 0.31 * safe * np.clip(1 - g / tn.hold, 0, 1)
            out[:, t] = np.where(seen > 0, np.clip(score, 0, 1), np.nan)
        return Scores(out)

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        """The verdict on each rollout at the window's last step."""
        scores = self.scores(window).score
        at = float(window.times[-1]) if len(window.times) else now
        found = []
        for r, uid in enumerate(window.uids):
            s = float(scores[r, -1]) if scores.shape[1] else float("nan")
            concurrent = window.concurrent is None or bool(window.concurrent[r])
            if s != s:
                found.append(
                    Verdict(
                        uid=Uid(uid),
                        at=at,
                        state=VerdictState.UNKNOWN,
                        unknown=UnknownReason.NO_DATA,
                        concurrent=concurrent,
                    )
                )
                continue
            state = VerdictState.UNDECIDED
            if s > ROLL_BACK_ABOVE:
                state = VerdictState.HARM
            elif s < PROMOTE_BELOW:
                state = VerdictState.HEALTHY
            evidence = tuple(Evidence(metric=m, harm=0.0) for m in window.metrics)
            found.append(
                Verdict(uid=Uid(uid), at=at, state=state, score=s, evidence=evidence, concurrent=concurrent)
            )
        return found


def counts_of(window: Window) -> tuple[Floats, Floats, Floats, Floats]:
    """Errors and requests of both arms, each T × R; where nobody counted, from rates at a guessed number of requests."""
    rollouts, steps = window.shape
    gap = np.full((rollouts, steps), np.nan)
    requests = window.requests or Pair(gap, gap)
    nb = np.where(np.isfinite(requests.baseline), requests.baseline, 100.0)
    nc = np.where(np.isfinite(requests.canary), requests.canary, 100.0)
    if window.errors is not None:
        kb, kc = window.errors.baseline, window.errors.canary
    elif "error_rate" in window.metrics:
        rate = window.metrics["error_rate"]
        kb, kc = rate.baseline * nb, rate.canary * nc
    else:
        kb, kc = gap, gap
    return kb.T.copy(), kc.T.copy(), nb.T.copy(), nc.T.copy()
