"""What came of a run: its figures, and everything in it that must never happen."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from opsroom.delivery.journal import read, verify
from opsroom.domain.deed import DeedState
from tests.faults import invariants, secrets
from tests.faults.growth import Growth
from tests.faults.record import Record
from tests.faults.stage import STEP, Player
from tests.faults.watcher import Watcher
from tests.faults.weather import Side


@dataclass
class Result:
    """What came of a run."""

    seed: int
    seconds: float
    wrong: list[str] = field(default_factory=list)
    requests: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    blows: dict[str, int] = field(default_factory=dict)
    """To processes, by kind."""
    deeds: dict[str, int] = field(default_factory=dict)
    """Stored writes by verb."""
    ends: dict[str, int] = field(default_factory=dict)
    """Last states of automatic deeds in the journals."""
    recovered: dict[str, float] = field(default_factory=dict)
    """Slowest recovery a source, in seconds."""
    transitions: int = 0
    memory: dict[str, list[float]] = field(default_factory=dict)
    """MB: first settled, last, growth an hour, by process."""
    files: dict[str, int] = field(default_factory=dict)
    """Most open files, by worker."""
    world: str = ""


def judged(
    result: Result,
    record: Record,
    players: Sequence[Player],
    watchers: Sequence[Watcher],
    growth: Growth,
    fresh: float,
) -> Result:
    """``result`` with all that is found; a look may be ``fresh`` seconds old when a write rests on it."""
    calls, wrong = record.calls, result.wrong
    found = invariants.acts(calls, [entry for player in players for entry in read(player.journal)])
    good = {player.name: record.good.get((player.name, Side.PROMETHEUS), []) for player in players}
    for watcher in watchers:
        wrong += watcher.wrong
        wrong += sorted(set(watcher.leaks))
    wrong += invariants.deeds_twice(found) + invariants.without_precondition(found)
    wrong += invariants.without_look(found, calls, fresh) + invariants.without_lease(found, calls)
    wrong += invariants.overlapping(calls) + invariants.in_a_drought(found, good, STEP)
    for player in players:
        wrong += _of_one(player, found, result)
        wrong += secrets.leaks(secrets.written(player.folder, player.planted))
    wrong += growth.wrong()
    result.memory, result.files = growth.memory, growth.files
    result.requests = sum(record.methods.values())
    result.faults = dict(sorted(record.faults.items()))
    result.deeds = dict(Counter(act.verb for act in found if act.stored))
    holders = [one.holder for one in invariants.holds(calls) if one.holder]
    result.transitions = sum(before != after for before, after in itertools.pairwise(holders))
    for side in Side:
        result.recovered[side.value] = max((time for one in watchers for time in one.recovered[side]), default=0.0)
    return result


def _of_one(player: Player, found: list[invariants.Act], result: Result) -> list[str]:
    """What one worker's journal and log say against it; counts the ends of its deeds."""
    faults = [fault for fault in verify(player.journal) if fault.kind != "torn" or not result.blows.get("kill")]
    wrong = [f"journal of {player.name}: {fault}" for fault in faults]
    entries = list(read(player.journal))
    wrong += invariants.on_stale_data(entries, STEP)
    wrong += invariants.without_journal(found, player.name, entries, player.skews)
    last = {entry.deed.intent.id: entry.deed for entry in entries if entry.deed is not None}
    ends = Counter(result.ends)
    for deed in last.values():
        ends[f"{deed.state}:{deed.refusal}" if deed.refusal else deed.state.value] += 1
        if deed.state is DeedState.UNKNOWN:
            ends[f"unknown:{deed.detail}"] += 1
    result.ends = dict(ends)
    trace = (player.state / "opsroom").glob("worker-*.log*")
    broken = sum(path.read_text(errors="replace").count('"level":"error"') for path in trace)
    return wrong + ([f"{player.name} logged {broken} faults of its own: see its log"] if broken else [])
