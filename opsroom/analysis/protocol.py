"""`opsroom judge`: JSON Lines of cases in, scores out; the protocol of judge-bench.

One case a line, one line back a case, in any order. A case that cannot be judged answers
``{"id": ..., "error": message}`` and the rest goes on. It must not know how a score is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import BinaryIO

import msgspec
import numpy as np

from opsroom.analysis.judge import Judge
from opsroom.analysis.window import MAX_STEPS, Floats, Pair, Window

BATCH_STEPS = 1_000_000
"""Case-steps judged together; bounds the memory whatever comes."""
MAX_STEP_SECONDS = 86_400.0
DECIMALS = 6


class Arms(msgspec.Struct):
    """One series of both arms; null is a gap."""

    baseline: list[float | None]
    canary: list[float | None]


class Case(msgspec.Struct):
    """One rollout to judge, as it stands on a line."""

    id: str
    step_seconds: float
    metrics: dict[str, Arms]
    requests: Arms | None = None


class BadCase(ValueError):
    """A case that cannot be judged; the message says why."""


def run_judge(stdin: BinaryIO, stdout: BinaryIO, judge: Judge | None = None) -> int:
    """Answer every line of ``stdin`` on ``stdout``; returns 0: a bad case is an answer, not a failure."""
    decoder, encoder = msgspec.json.Decoder(Case), msgspec.json.Encoder()
    judge = judge or Judge()
    batch: list[Case] = []
    waiting = 0
    for line in stdin:
        if not line.strip():
            continue
        try:
            case = decoder.decode(line)
            check(case)
        except (msgspec.DecodeError, BadCase, UnicodeDecodeError, RecursionError) as problem:
            stdout.write(encoder.encode({"id": name_of(line), "error": str(problem)}) + b"\n")
            continue
        batch.append(case)
        waiting += length(case)
        if waiting >= BATCH_STEPS:
            answer(judge, batch, encoder, stdout)
            batch, waiting = [], 0
    answer(judge, batch, encoder, stdout)
    stdout.flush()
    return 0


def answer(judge: Judge, cases: list[Case], encoder: msgspec.json.Encoder, stdout: BinaryIO) -> None:
    """Write one line a case."""
    lines = [encoder.encode({"id": case.id, "scores": scores}) for case, scores in judged(judge, cases)]
    if lines:
        stdout.write(b"\n".join(lines) + b"\n")


def name_of(line: bytes) -> str | None:
    """The id of a bad line, where it has one."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    name = found.get("id") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def length(case: Case) -> int:
    """Steps of the case."""
    return len(next(iter(case.metrics.values())).canary)


def check(case: Case) -> None:
    """Raise BadCase for what the types cannot say."""
    if not case.metrics:
        raise BadCase("no metrics")
    if not 0 < case.step_seconds <= MAX_STEP_SECONDS:
        raise BadCase(f"step_seconds must be above 0 and at most {MAX_STEP_SECONDS:.0f}")
    steps = length(case)
    if steps > MAX_STEPS:
        raise BadCase(f"{steps} steps; at most {MAX_STEPS} can be judged")
    if "requests" in case.metrics:
        raise BadCase("requests: they stand beside metrics, not among them")
    if "errors" in case.metrics and case.requests is None:
        raise BadCase("errors: counts of failed requests need requests; a rate is error_rate")
    arms = list(case.metrics.items())
    if case.requests is not None:
        arms.append(("requests", case.requests))
    for name, pair in arms:
        for side, values in (("baseline", pair.baseline), ("canary", pair.canary)):
            if len(values) != steps:
                raise BadCase(f"{name}.{side}: {len(values)} values, {steps} expected")
            if name == "error_rate" and any(v is not None and v > 1.0 for v in values):
                raise BadCase(f"{name}.{side}: a rate above 1 (rates are 0..1, not percent)")


def judged(judge: Judge, cases: list[Case]) -> Iterator[tuple[Case, list[float | None]]]:
    """Scores of each case; cases of one shape are judged together."""
    groups: dict[tuple[float, tuple[str, ...]], list[Case]] = defaultdict(list)
    for case in cases:
        groups[(case.step_seconds, tuple(sorted(case.metrics)))].append(case)
    for (step, names), members in groups.items():
        members.sort(key=length)
        steps = length(members[-1])
        window = window_of(members, names, step, steps)
        scores = judge.scores(window).score.round(DECIMALS)
        known = np.logical_and.reduce(np.isfinite(scores), axis=1)
        for case, row, whole in zip(members, scores.tolist(), known, strict=True):
            row = row[: length(case)]
            yield case, row if whole else [None if s != s else s for s in row]


def window_of(cases: Sequence[Case], names: Iterable[str], step: float, steps: int) -> Window:
    """Cases sorted by length, with the metrics ``names`` and steps of ``step`` seconds, as one window."""
    pairs = {m: pair((c.metrics[m] for c in cases), steps) for m in names}
    return Window(
        uids=tuple(c.id for c in cases),
        times=np.arange(steps, dtype=np.float64) * step,
        step=step,
        metrics={name: found for name, found in pairs.items() if name != "errors"},
        requests=pair((c.requests for c in cases), steps),
        errors=pairs.get("errors"),
    )


def pair(arms: Iterable[Arms | None], steps: int) -> Pair:
    """Arrays of one series over cases sorted by length; shorter ones padded, all gaps where a case has none."""
    base: list[list[float | None]] = []
    canary: list[list[float | None]] = []
    for case in arms:
        base.append(case.baseline if case else [])
        canary.append(case.canary if case else [])
    return Pair(array(base, steps), array(canary, steps))


def array(rows: list[list[float | None]], steps: int) -> Floats:
    """R × ``steps`` floats; null, and what is impossible for a measurement, is a gap."""
    found = np.full((len(rows), steps), np.nan)
    start = 0
    for size, same in groupby(rows, key=len):
        block = list(same)
        if size:
            found[start : start + len(block), :size] = np.array(block, dtype=np.float64)
        start += len(block)
    with np.errstate(invalid="ignore"):
        found[~(found >= 0.0) | np.isinf(found)] = np.nan
    return found
