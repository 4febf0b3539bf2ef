"""``/metrics``: what this worker has seen and done, in the Prometheus text format.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). Written by hand: a client
library would keep a second copy of numbers that the worker has anyway.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from opsroom import __version__
from opsroom.domain.board import Room, Row
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.freshness import age

AUTOMATIC = (Verb.PROMOTE, Verb.PROMOTE_FULLY, Verb.ROLL_BACK, Verb.HOLD, Verb.RELEASE)
NO_DEEDS = {(verb.value, state.value): 0 for verb in AUTOMATIC for state in DeedState if state.settled}
"""Told from the start: Prometheus sees no increase in a counter that is born with its first count."""

HOUR = 3600.0

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Tally:
    """Counters that only grow."""

    ticks: int = 0
    """Those that follow a measurement, one a step."""
    tick_seconds: float = 0.0
    worst_tick: float = 0.0
    decisions: Counter[str] = field(default_factory=Counter)
    """By outcome; counted when it changes, not at each look."""
    deeds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By verb and last state."""
    source_errors: Counter[str] = field(default_factory=Counter)
    """Times a source went from answering to failing."""
    errors: int = 0
    """Lines of the log that tell of a mistake of ours."""
    gates: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Answers by gate and what was said (``yes``, or why not)."""
    promoted: int = 0
    rolled_back: int = 0
    flagged: int = 0
    ended: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=10_000))
    """When the changes of the last hour ended (epoch seconds), and whether they were promoted."""

    def end(self, promoted: bool, now: float) -> None:
        """Count one change that ended at ``now`` (epoch seconds)."""
        self.promoted += promoted
        self.rolled_back += not promoted
        self.ended.append((now, promoted))

    def hour(self, now: float) -> tuple[int, int]:
        """Changes promoted and rolled back within the hour before ``now`` (epoch seconds)."""
        while self.ended and now - self.ended[0][0] > HOUR:
            self.ended.popleft()
        good = sum(promoted for _, promoted in self.ended)
        return good, len(self.ended) - good

    def tick(self, seconds: float) -> None:
        """Count one tick that took so many seconds of CPU, with the judging before it."""
        self.ticks += 1
        self.tick_seconds += seconds
        self.worst_tick = max(self.worst_tick, seconds)


class _Add(Protocol):
    def __call__(self, name: str, kind: str, words: str, samples: Iterable[tuple[Labels, float]]) -> None: ...


def exposition(room: Room | None, rows: Iterable[Row], tally: Tally, viewers: int, now: float) -> str:
    """The whole text."""
    lines: list[str] = []

    def add(name: str, kind: str, words: str, samples: Iterable[tuple[Labels, float]]) -> None:
        lines.append(f"# HELP opsroom_{name} {words}")
        lines.append(f"# TYPE opsroom_{name} {kind}")
        lines.extend(f"opsroom_{name}{_labels(labels)} {value!r}" for labels, value in samples)

    add("build_info", "gauge", "The version that runs.", [((("version", __version__),), 1.0)])
    add("ticks_total", "counter", "Steps that were judged and decided on.", [((), float(tally.ticks))])
    add(
        "tick_seconds_total",
        "counter",
        "CPU seconds of judging, deciding and making the picture, once a step.",
        [((), tally.tick_seconds)],
    )
    add("tick_seconds_max", "gauge", "The most CPU seconds that took for one step.", [((), tally.worst_tick)])
    add("errors_total", "counter", "Mistakes of the worker itself; its log tells which.", [((), float(tally.errors))])
    add("feed_viewers", "gauge", "Viewers connected to the feed.", [((), float(viewers))])
    results = [
        ((("result", "promoted"),), float(tally.promoted)),
        ((("result", "rolled_back"),), float(tally.rolled_back)),
    ]
    add("results_total", "counter", "Changes that ended under the worker's eyes.", results)
    add("flags_total", "counter", "Rollouts flagged for a person.", [((), float(tally.flagged))])
    decisions = [((("outcome", outcome),), float(n)) for outcome, n in sorted(tally.decisions.items())]
    add("decisions_total", "counter", "Decisions that differ from the one before.", decisions)
    ended = {**NO_DEEDS, **tally.deeds}
    deeds = [((("verb", verb), ("state", state)), float(n)) for (verb, state), n in sorted(ended.items())]
    add("deeds_total", "counter", "Automatic deeds by the state they ended in.", deeds)
    gates = [((("gate", gate), ("answer", said)), float(n)) for (gate, said), n in sorted(tally.gates.items())]
    add("gate_answers_total", "counter", "Answers to Flagger's webhooks.", gates)
    if room is not None:
        _room(add, room, tally, now)
    _rows(add, list(rows))
    return "\n".join(lines) + "\n"


def _room(add: _Add, room: Room, tally: Tally, now: float) -> None:
    add("feed_age_seconds", "gauge", "Seconds since the last picture.", [((), max(0.0, now - room.at))])
    ages = [((("source", s.name),), seconds) for s in room.sources if (seconds := age(s.at, now)) is not None]
    add("source_age_seconds", "gauge", "Seconds since a source last answered.", ages)
    down = [((("source", s.name),), 1.0 if s.error else 0.0) for s in room.sources]
    add("source_down", "gauge", "1 while a source does not answer.", down)
    failed = {**{s.name: 0 for s in room.sources}, **tally.source_errors}
    errors = [((("source", name),), float(n)) for name, n in sorted(failed.items())]
    add("source_errors_total", "counter", "Times a source stopped answering.", errors)
    add("decides", "gauge", "1 while this worker holds the Lease.", [((), 1.0 if room.decider.me else 0.0)])
    add("frozen", "gauge", "1 while automatic deeds are frozen.", [((), 1.0 if room.freeze else 0.0)])


def _rows(add: _Add, rows: list[Row]) -> None:
    phases = Counter(row.rollout.phase.value for row in rows)
    add("rollouts", "gauge", "Rollouts by phase.", [((("phase", p),), float(n)) for p, n in sorted(phases.items())])
    flags = Counter(row.flag.reason.value for row in rows if row.flag is not None)
    add(
        "flagged",
        "gauge",
        "Rollouts that wait for a person.",
        [((("reason", r),), float(n)) for r, n in sorted(flags.items())],
    )
    scores = [
        (
            (("namespace", row.rollout.namespace), ("name", row.rollout.name), ("engine", row.rollout.engine.value)),
            score,
        )
        for row in rows
        if row.rollout.under_way and row.verdict is not None and (score := row.verdict.score) is not None
    ]
    add("score", "gauge", "0 surely fine ... 1 surely harmful, of each running canary.", scores)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
