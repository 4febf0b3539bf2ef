"""`opsroom judge`: JSON Lines of cases in, scores out; the protocol of judge-bench.

One case a line, one line back a case, in any order. A case that cannot be read answers
``{"id": ..., "error": message}`` and the rest goes on. It must not know how a score is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec
import numpy as np

from opsroom.analysis.judge import Judge
from opsroom.analysis.window import Floats, Pair, Window

BATCH = 4096
MAX_STEPS = 100_000


class Arms(msgspec.Struct):
    """One series of both arms; null is a gap."""

    baseline: list[float | None]
    canary: list[float | None]


class Case(msgspec.Struct):
    """One rollout to judge."""

    id: str
    step_seconds: float
    metrics: dict[str, Arms]
    requests: Arms | None = None


class BadCase(ValueError):
    """A case that cannot be judged; the message says why."""


def run_judge(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Answer every case of ``stdin``; 0 when all were judged, 1 when some were bad."""
    decoder = msgspec.json.Decoder(Case)
    encoder = msgspec.json.Encoder()
    judge = Judge()
    bad = 0
    batch: list[Case] = []

    def flush() -> None:
        for case, scores in judged(judge, batch):
            stdout.write(encoder.encode({"id": case.id, "scores": scores}) + b"\n")
        batch.clear()

    for line in stdin:
        if not line.strip():
            continue
        try:
            case = decoder.decode(line)
            check(case)
        except (msgspec.DecodeError, BadCase, UnicodeDecodeError) as problem:
            bad += 1
            stdout.write(encoder.encode({"id": name_of(line), "error": str(problem)}) + b"\n")
            continue
        batch.append(case)
        if len(batch) >= BATCH:
            flush()
    flush()
    stdout.flush()
    return 1 if bad else 0


def name_of(line: bytes) -> str | None:
    """The id of a bad line, if it has one."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    name = found.get("id") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def length(case: Case) -> int:
    """Steps of the case."""
    return len(next(iter(case.metrics.values())).canary)


def check(case: Case) -> None:
    """Raise BadCase for what msgspec cannot see."""
    if not case.metrics:
        raise BadCase("no metrics")
    if not 0 < case.step_seconds < float("inf"):
        raise BadCase("step_seconds must be positive")
    steps = length(case)
    if steps > MAX_STEPS:
        raise BadCase(f"{steps} steps; at most {MAX_STEPS} can be judged")
    arms = [*case.metrics.items(), *([("requests", case.requests)] if case.requests else [])]
    for name, pair in arms:
        if len(pair.baseline) != steps or len(pair.canary) != steps:
            raise BadCase(f"{name}: series of different lengths")


def judged(judge: Judge, cases: list[Case]) -> Iterator[tuple[Case, list[float | None]]]:
    """Scores of each case; cases of one shape are judged together."""
    groups: dict[tuple[float, tuple[str, ...], int], list[Case]] = defaultdict(list)
    for case in cases:
        groups[(case.step_seconds, tuple(sorted(case.metrics)), length(case))].append(case)
    for (step, names, steps), members in groups.items():
        window = Window(
            uids=tuple(c.id for c in members),
            times=np.arange(steps) * step,
            step=step,
            metrics={m: pair((c.metrics[m] for c in members), steps) for m in names},
            requests=pair((c.requests for c in members), steps),
        )
        for case, row in zip(members, judge.scores(window).score.round(6).tolist(), strict=True):
            yield case, [None if s != s else s for s in row]


def pair(arms: Iterable[Arms | None], steps: int) -> Pair:
    """Arrays of one series over all cases; all NaN where a case has none."""
    gap = [None] * steps
    rows = [(a.baseline, a.canary) if a else (gap, gap) for a in arms]
    return Pair(array([b for b, _ in rows]), array([c for _, c in rows]))


def array(rows: list[list[float | None]] | list[list[None]]) -> Floats:
    """R × T floats, null as NaN."""
    return np.array(rows, dtype=np.float64)
