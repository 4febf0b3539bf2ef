"""Verdicts on the last step of a window: state, reason, evidence, expected time to decide, shared symptoms.

It must not know sources or what is decided on a verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.columns import columns
from opsroom.analysis.evidence import Onsets, Reasons
from opsroom.analysis.harm import Harm
from opsroom.analysis.scoring import ENOUGH_DATA, ENOUGH_REQUESTS, guard_of, low_mark, score, watch_steps
from opsroom.analysis.shared import START_STEPS, baseline_moved, together
from opsroom.analysis.stream import NOT_RATIOS, Stream, signs
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Floats, Window
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import (
    PROMOTE_BELOW,
    ROLL_BACK_ABOVE,
    Evidence,
    UnknownReason,
    Verdict,
    VerdictState,
)

BLOCK = 8192
"""Rollouts judged together: few enough to bound the memory, enough to keep numpy busy."""
FEW_STEPS = 3
"""Fewer steps than this tell nothing."""
STALE_STEPS = 4.0
STALE_GRACE = 60.0
"""A newest sample older than so many steps plus so many seconds is stale."""
SPEED_STEPS = 4
"""Steps over which the growth of harm is measured, to say when it will decide."""


class Settings(Protocol):
    """What verdicts need of a judge."""

    budget: Budget
    tuning: Tuning

    @property
    def roll_back(self) -> float:
        """Nats of harm at which the score passes 0.8."""
        ...

    def open(self, metrics: tuple[str, ...], rollouts: int, step: float) -> Stream:
        """Fresh state."""
        ...


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is known of one block after its last step."""

    stream: Stream
    harm: Harm
    onsets: Onsets
    scores: Floats
    speed: Floats
    last: Floats
    """Index of the newest step with a sample of both arms."""


def verdicts(judge: Settings, window: Window, now: float) -> list[Verdict]:
    """The verdict on each rollout at the last step of ``window``."""
    found: list[Verdict] = []
    for start in range(0, len(window.uids), BLOCK):
        found += _block(judge, window.part(slice(start, start + BLOCK)), now)
    return _with_shared(found, window)


def _block(judge: Settings, window: Window, now: float) -> list[Verdict]:
    judged = _run(judge, window)
    low = float(low_mark(judged.stream, watch_steps(judge.budget, window.step), judge.tuning).max(initial=0.0))
    sign = signs(tuple(window.metrics), judge.budget)
    reasons = Reasons(judged.stream, judged.harm, judged.onsets, sign, low, judge.roll_back)
    return [_verdict(judge, window, judged, reasons, row, now) for row in range(len(window.uids))]


def _run(judge: Settings, window: Window) -> _Judged:
    rollouts, steps = window.shape
    stream = judge.open(tuple(window.metrics), rollouts, window.step)
    onsets = Onsets(len(stream.metrics), rollouts)
    totals = np.zeros((steps + 1, rollouts))
    last = np.full(rollouts, np.nan)
    harm = stream.harm()
    for t, column in enumerate(columns(window, judge.budget)):
        before = stream.steps.copy()
        stream.advance(column)
        harm = stream.harm()
        onsets.advance(harm, t)
        totals[t + 1] = harm.total
        last[stream.steps > before] = t
    back = max(0, steps - SPEED_STEPS)
    speed = (totals[steps] - totals[back]) / max(steps - back, 1)
    need = watch_steps(judge.budget, window.step)
    found = score(stream, harm, need, judge.roll_back, judge.tuning, window.concurrent)
    return _Judged(stream, harm, onsets, found, speed, last)


def _verdict(judge: Settings, window: Window, judged: _Judged, reasons: Reasons, row: int, now: float) -> Verdict:
    stream = judged.stream
    concurrent = window.concurrent is None or bool(window.concurrent[row])
    last = judged.last[row]
    at = float(window.times[int(last)]) if math.isfinite(last) else now
    unknown = _unknown(judge, window, judged, row, now, at)
    if unknown is not None:
        return Verdict(
            uid=Uid(window.uids[row]),
            at=at,
            state=VerdictState.UNKNOWN,
            unknown=unknown,
            evidence=reasons.of(row, window),
            steps=int(stream.elapsed[row]),
            decides_in=_decides_in(judge, window, judged, row, None),
            concurrent=concurrent,
        )
    value = float(judged.scores[row])
    state = VerdictState.UNDECIDED
    if value > ROLL_BACK_ABOVE:
        state = VerdictState.HARM
    elif value < PROMOTE_BELOW:
        state = VerdictState.HEALTHY
    return Verdict(
        uid=Uid(window.uids[row]),
        at=at,
        state=state,
        score=value,
        evidence=reasons.of(row, window),
        steps=int(stream.elapsed[row]),
        decides_in=_decides_in(judge, window, judged, row, value),
        concurrent=concurrent,
    )


def _unknown(judge: Settings, window: Window, judged: _Judged, row: int, now: float, at: float) -> UnknownReason | None:
    stream = judged.stream
    if guard_of(stream, row) == "crash_loop":
        return None
    if not stream.seen[row]:
        names = [m for m in window.metrics if m not in NOT_RATIOS or m == "error_rate"]
        some = any(np.isfinite(window.metrics[m].canary[row]).any() for m in names)
        return UnknownReason.NO_BASELINE if some else UnknownReason.NO_DATA
    if now - at > STALE_STEPS * window.step + STALE_GRACE:
        return UnknownReason.STALE
    if stream.steps[row] < FEW_STEPS:
        return UnknownReason.TOO_FEW_STEPS
    if float(judged.scores[row]) > ROLL_BACK_ABOVE:
        return None
    need = watch_steps(judge.budget, window.step)
    if stream.elapsed[row] >= need:
        counted = stream.counts.steps[row] > 0
        if (counted and 0 < stream.counts.requests[row] < ENOUGH_REQUESTS) or stream.traffic.none()[row]:
            return UnknownReason.TOO_LITTLE_TRAFFIC
        if stream.steps[row] < ENOUGH_DATA * need:
            return UnknownReason.TOO_FEW_STEPS
    return None


def _decides_in(judge: Settings, window: Window, judged: _Judged, row: int, value: float | None) -> float | None:
    """Seconds until the score is expected past a threshold; 0 when it is, None when nobody can tell."""
    stream = judged.stream
    if not stream.seen[row]:
        return None
    if value is not None and (value > ROLL_BACK_ABOVE or value < PROMOTE_BELOW):
        return 0.0
    need = watch_steps(judge.budget, window.step)
    total, speed = float(judged.harm.total[row]), float(judged.speed[row])
    waits = []
    if speed > 0.05 and total > -1.0:
        waits.append((judge.roll_back - total) / speed)
    k = judge.tuning
    if total < k.promote_late and stream.elapsed[row] > 0 and not stream.traffic.none()[row]:
        coverage = float(stream.steps[row] / stream.elapsed[row])
        data = (ENOUGH_DATA * need - float(stream.steps[row])) / max(coverage, 0.01)
        served = float(stream.counts.requests[row])
        rate = served / float(stream.elapsed[row])
        traffic = (ENOUGH_REQUESTS - served) / rate if served > 0 else 0.0
        patience = max((total - k.promote_early) / (k.promote_late - k.promote_early), 0.0) * k.patience_steps
        wait = max(need + patience - float(stream.elapsed[row]), data, traffic)
        # With nothing left to wait for, something else stands in the way, and nobody can tell how long.
        waits += [wait] if wait > 0 else []
    return math.ceil(max(min(waits), 1.0)) * window.step if waits else None


def _with_shared(found: list[Verdict], window: Window) -> list[Verdict]:
    harmed = np.array([v.score is not None and v.score > 0.5 and _since(v) is not None for v in found])
    if not harmed.any():
        return found
    steps = np.array([_index(window, _since(v)) for v in found])
    started = window.started if window.started is not None else np.zeros(len(found), dtype=np.int64)
    shared = together(harmed, steps, started)
    for row in np.nonzero(harmed & ~shared & (steps > started + START_STEPS))[0]:
        shared[row] = _baseline_moved(found[row].evidence, window, int(row), int(steps[row]))
    return [msgspec.structs.replace(v, shared=True) if s else v for v, s in zip(found, shared, strict=True)]


def _since(verdict: Verdict) -> float | None:
    return next((e.since for e in verdict.evidence if e.since is not None), None)


def _index(window: Window, since: float | None) -> int:
    return 0 if since is None else int(np.searchsorted(window.times, since))


def _baseline_moved(evidence: tuple[Evidence, ...], window: Window, row: int, since: int) -> bool:
    name = next((e.metric for e in evidence if e.since is not None), None)
    if name is None or name not in window.metrics:
        return False
    pair = window.metrics[name]
    base, canary = pair.baseline[row], pair.canary[row]
    if name != "error_rate":
        with np.errstate(divide="ignore", invalid="ignore"):
            base, canary = np.log(base), np.log(canary)
    return baseline_moved(base, canary, since)
