"""Rollouts whose outcome is known: the judge's cases with labels, for learning and for the bench report.

One JSON object a line as in ``protocol``, with ``label`` (same, improved, regressed), ``onset`` (first bad step of a
regressed one), ``kind`` and ``source``; plain or gzipped. It must not judge.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from opsroom.analysis.protocol import Case, check, length, window_of
from opsroom.analysis.window import Window


class Outcome(Case):
    """A case and what became of it."""

    label: str = ""
    onset: int | None = None
    kind: str = ""
    source: str = ""

    @property
    def regressed(self) -> bool:
        """Was the canary worse?"""
        return self.label == "regressed"

    @property
    def origin(self) -> str:
        """First word of the source: what is held out together when learning is checked."""
        return (self.source.split() or ["unknown"])[0].lower()


def read_outcomes(paths: Iterable[Path]) -> list[Outcome]:
    """All labelled cases of the files.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line is no labelled case; the message names file and line.
    """
    found: list[Outcome] = []
    decoder = msgspec.json.Decoder(Outcome)
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    outcome = decoder.decode(line)
                    check(outcome)
                except (msgspec.DecodeError, ValueError) as problem:
                    raise ValueError(f"{path}:{number}: {problem}") from problem
                if outcome.label not in ("same", "improved", "regressed"):
                    raise ValueError(f"{path}:{number}: label must be same, improved or regressed")
                found.append(outcome)
    return found


def windows(outcomes: list[Outcome]) -> Iterator[tuple[list[Outcome], Window]]:
    """The outcomes in windows of equal metrics and step, shorter ones padded with gaps at the end."""
    groups: dict[tuple[float, tuple[str, ...]], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[(outcome.step_seconds, tuple(sorted(outcome.metrics)))].append(outcome)
    for (step, names), members in groups.items():
        members.sort(key=length)
        steps = length(members[-1])
        yield members, window_of(members, names, step, steps)
