"""All that one worker knows, between two ticks."""

from __future__ import annotations

from dataclasses import dataclass, field

from opsroom.control.memory import Memory
from opsroom.domain.rollout import Uid
from opsroom.worker.course import Course
from opsroom.worker.deeds import Deeds
from opsroom.worker.metrics import Tally

INTERVAL = 2.0
"""Seconds between two pictures when nothing happens."""

JOURNAL = "journal"
"""Name of the trouble that lines cannot be written."""

JUDGE = "score"
"""Name under which the judge is a source like any other: what it said last has an age, too."""


@dataclass(slots=True)
class Situation:
    """All that this worker knows."""

    courses: dict[Uid, Course] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    deeds: Deeds = field(default_factory=Deeds)
    tally: Tally = field(default_factory=Tally)
    metrics_error: str = ""
    judged: float | None = None
    """When the judge last looked at everything that is under way, by the sources' clock."""
    troubles: dict[str, str] = field(default_factory=dict)
    """Errors of the worker's own sources (``journal``), by name."""
