"""Report the judge's figures on labelled case files; run by hand.

    python tests/bench/judge/report.py [--policy end|live] FILE.jsonl[.gz] ...

The files are lines of ``opsroom.analysis.outcomes``. Under ``end`` the first score above 0.8 rolls back, else the last
one decides; under ``live`` the first score past either threshold does. Per 1000 rollouts, 5 % of them bad.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsroom.analysis.judge import Judge
from opsroom.analysis.outcomes import Outcome, read_outcomes, windows
from opsroom.analysis.protocol import length

BAD_SHARE = 0.05


@dataclass(frozen=True)
class Fate:
    """What a policy made of one rollout."""

    outcome: Outcome
    decision: str
    step: int

    @property
    def early(self) -> bool:
        """Rolled back before the harm began."""
        return self.outcome.regressed and self.decision == "rollback" and self.step < (self.outcome.onset or 0)


def fate(outcome: Outcome, scores: NDArray[np.float64], policy: str) -> Fate:
    """Follow one rollout through its scores."""
    for t, score in enumerate(scores):
        if score > 0.8:
            return Fate(outcome, "rollback", t)
        if policy == "live" and score < 0.2:
            return Fate(outcome, "promote", t)
    promoted = len(scores) > 0 and scores[-1] < 0.2
    return Fate(outcome, "promote" if promoted else "undecided", len(scores) - 1)


def row(name: str, fates: list[Fate]) -> str:
    """One line of the table."""
    good = [f for f in fates if not f.outcome.regressed]
    bad = [f for f in fates if f.outcome.regressed]
    found = [f for f in bad if f.decision == "rollback" and not f.early]
    steps = [f.step - (f.outcome.onset or 0) + 1 for f in found]

    def part(some: list[Fate], decision: str) -> float:
        return sum(f.decision == decision for f in some) / len(some) if some else float("nan")

    detected = len(found) / len(bad) if bad else float("nan")
    wait = float(np.median(steps)) if steps else float("nan")
    return (
        f"{name[:34]:34}{len(fates):5d}{100 * part(good, 'rollback'):9.1f}{100 * part(good, 'undecided'):9.1f}"
        f"{100 * detected:9.1f}{100 * part(bad, 'promote'):9.1f}{100 * part(bad, 'undecided'):9.1f}{wait:9.1f}"
    )


def summary(fates: list[Fate]) -> str:
    """Interventions, bad promotions and cost per 1000 rollouts."""
    good = [f for f in fates if not f.outcome.regressed]
    bad = [f for f in fates if f.outcome.regressed]
    if not good or not bad:
        return "(needs healthy and regressed cases for the figures per 1000)\n"
    stopped = sum(f.decision != "promote" for f in good) / len(good)
    asked = sum(f.decision == "undecided" or f.early for f in bad) / len(bad)
    missed = sum(f.decision == "promote" for f in bad) / len(bad)
    interventions = 1000 * ((1 - BAD_SHARE) * stopped + BAD_SHARE * asked)
    promotions = 1000 * BAD_SHARE * missed
    return (
        f"interventions {interventions:.0f}   bad promotions {promotions:.1f}"
        f"   cost {interventions + 10 * promotions:.0f}\n"
    )


def main(argv: list[str]) -> int:
    """Judge, follow, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--policy", choices=["end", "live"], default="end")
    options = parser.parse_args(argv)
    judge, fates, steps, spent = Judge(), [], 0, 0.0
    for members, window in windows(read_outcomes(options.files)):
        started = time.process_time()
        scores = judge.scores(window).score
        spent += time.process_time() - started
        for outcome, course in zip(members, scores, strict=True):
            fates.append(fate(outcome, course[: length(outcome)], options.policy))
            steps += length(outcome)
    groups: dict[str, list[Fate]] = defaultdict(list)
    for one in fates:
        groups[f"source {one.outcome.origin}"].append(one)
        groups[f"{one.outcome.label[:4]} {one.outcome.kind}"].append(one)
    head = f"{'':34}{'n':>5}" + "".join(
        f"{h:>9}" for h in ("false rb", "undec ok", "detect", "missed", "undec", "steps50")
    )
    lines = [head, row("all", fates), *(row(name, some) for name, some in sorted(groups.items()))]
    sys.stdout.write(f"policy {options.policy}: {summary(fates)}")
    sys.stdout.write(f"{steps / max(spent, 1e-9):.0f} case-steps per CPU second without reading\n")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
