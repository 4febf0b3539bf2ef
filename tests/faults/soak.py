"""The soak: real workers in mode auto on a random world, under random faults, held to what must never happen.

``python -m tests.faults.soak --seconds N --seed S`` prints the schedule first and one JSON line last; it exits 1 when
anything was wrong. The same seed and length give the same world, faults and blows (the machine's own timing differs).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from opsroom.delivery.journal import read, verify
from opsroom.domain.deed import DeedState
from tests.faults import invariants, secrets
from tests.faults.proxy import server_of
from tests.faults.record import Record
from tests.faults.stage import STEP, Player, Sim, start_sim
from tests.faults.watcher import Watcher
from tests.faults.weather import Blow, Schedule, Side, Weather, schedule

SAMPLE = 2.0
SETTLED = 45.0
"""Seconds after its first whole picture in which a worker loads all it will load; memory counts from there."""

GROWTH = 25.0
"""MB that a worker may grow between then and its end, beside ``SLOPE``."""

SLOPE = 12.0
"""MB an hour."""

FILES = 80
"""Open files: six watches, some requests, viewers, the pool's idle connections."""


@dataclass
class Result:
    """What came of a run."""

    seed: int
    seconds: float
    wrong: list[str] = field(default_factory=list)
    requests: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    deeds: dict[str, int] = field(default_factory=dict)
    """Stored writes by verb."""
    ends: dict[str, int] = field(default_factory=dict)
    """Last states of automatic deeds in the journals."""
    recovered: dict[str, float] = field(default_factory=dict)
    """Slowest recovery a source, in seconds."""
    kills: int = 0
    stops: int = 0
    full: int = 0
    """Times that a disk was full."""
    clocks: int = 0
    """Times that a worker's wall clock was set."""
    transitions: int = 0
    memory: dict[str, list[float]] = field(default_factory=dict)
    """MB: first settled, last, growth an hour, by worker."""
    files: dict[str, int] = field(default_factory=dict)
    """Most open files, by worker."""
    world: str = ""


class Soak:
    """One run."""

    def __init__(
        self,
        plan: Schedule,
        folder: Path,
        *,
        rivals: bool,
        services: int,
        rate: float,
        deeds: int = 0,
        overtime: float = 0.0,
        punctual: bool = True,
    ) -> None:
        """A run of ``plan.seconds``, and of ``overtime`` seconds of fair weather more at most where it takes these to
        see ``deeds`` deeds and every source well again. ``punctual`` False: nothing is too late, but for the very end.
        """
        self.plan = plan
        self.folder = folder
        self.record = Record()
        self.weather = Weather(plan)
        self.result = Result(plan.seed, plan.seconds)
        self._services, self._rate = services, rate
        self._deeds, self._overtime, self._punctual = deeds, overtime, punctual
        self._names = ("one", "two") if rivals else ("one",)
        self._samples: dict[str, list[tuple[float, float]]] = {}
        self.players: list[Player] = []
        self.watchers: list[Watcher] = []

    async def run(self) -> Result:
        """Everything, from the first process to the last check."""
        sim = await asyncio.to_thread(start_sim, self.folder / "sim", self.plan.seed, self._services, self._rate)
        try:
            await self._play(sim)
        finally:
            sim.stop()
        self._check()
        return self.result

    async def _play(self, sim: Sim) -> None:
        self.players = [Player(name, self.folder / name, sim, self.weather, self.record) for name in self._names]
        self.watchers = [Watcher(player, self.weather, self.record, self._punctual) for player in self.players]
        self.weather.start()
        tasks: list[asyncio.Future[None]] = []
        try:
            await asyncio.to_thread(secrets.plant_in_cluster, server_of(sim.kubeconfig))
            for player in self.players:
                await player.open()
            tasks += [asyncio.ensure_future(watcher.run()) for watcher in self.watchers]
            blows = asyncio.ensure_future(self._blows())
            tasks += [asyncio.ensure_future(self._sample()), blows]
            await asyncio.sleep(self.plan.seconds)
            limit = time.monotonic() + self._overtime
            while time.monotonic() < limit and not (blows.done() and self._enough()):  # noqa: ASYNC110 - many events
                await asyncio.sleep(SAMPLE / 4)
            for task in tasks:
                if task.done() and task.exception() is not None:
                    raise task.exception() or AssertionError
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for player in self.players:
                await player.close()
        if sim.process.poll() is not None:
            self.result.wrong.append("the simulated world ended: this run says nothing")

    @property
    def _stored(self) -> int:
        return sum(1 for act in invariants.acts(self.record.calls) if act.stored)

    def _enough(self) -> bool:
        return self._stored >= self._deeds and all(watcher.well for watcher in self.watchers)

    async def _sample(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE)
            for player, watcher in zip(self.players, self.watchers, strict=True):
                since = max(player.stopped_until, watcher.whole_since)
                if (
                    watcher.knows_process
                    and watcher.whole_since
                    and time.time() - since > min(SETTLED, self.plan.seconds / 3)
                ):
                    key = f"{player.name}:{player.process.pid if player.process else 0}"
                    self._samples.setdefault(key, []).append((time.monotonic() - began, player.memory))
                most = max(self.result.files.get(player.name, 0), player.files)
                self.result.files[player.name] = most

    async def _blows(self) -> None:
        for blow in self.plan.blows:
            await asyncio.sleep(max(0.0, blow.at - self.weather.now))
            while self._stored < blow.deeds:  # noqa: ASYNC110 - the proxies set no event
                await asyncio.sleep(SAMPLE / 4)
            await self._blow(blow, self._victim(blow))

    def _victim(self, blow: Blow) -> Player:
        for watcher in self.watchers:
            me = watcher.room is not None and watcher.room.decider.me
            if me == blow.holder:
                return watcher.player
        return self.players[0]

    async def _blow(self, blow: Blow, player: Player) -> None:
        print(f"{self.weather.now:7.1f} s  {blow.what} {player.name}", file=sys.stderr, flush=True)  # noqa: T201
        if blow.what == "kill":
            self.result.kills += 1
            player.kill()
            player.start()
            return
        if blow.what in ("full", "clock"):
            await (self._full if blow.what == "full" else self._set_clock)(blow, player)
            return
        self.result.stops += 1
        assert player.process is not None
        player.stopped_until = time.time() + blow.seconds
        player.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(blow.seconds)
        finally:
            player.process.send_signal(signal.SIGCONT)

    async def _full(self, blow: Blow, player: Player) -> None:
        player.disk(full=True)
        try:
            await asyncio.sleep(blow.seconds)
        finally:
            player.disk(full=False)
            self.result.full += 1

    async def _set_clock(self, blow: Blow, player: Player) -> None:
        self.result.clocks += 1
        player.set_clock(blow.skew)
        try:
            await asyncio.sleep(blow.seconds)
        finally:
            player.set_clock(0.0)

    def _check(self) -> None:
        result, calls = self.result, self.record.calls
        found = invariants.acts(calls, [entry for player in self.players for entry in read(player.journal)])
        good = {player.name: self.record.good.get((player.name, Side.PROMETHEUS), []) for player in self.players}
        wrong = result.wrong
        for watcher in self.watchers:
            wrong += watcher.wrong
            wrong += sorted(set(watcher.leaks))
        wrong += invariants.deeds_twice(found) + invariants.without_precondition(found)
        fresh = invariants.FRESH if self._punctual else invariants.FRESH_WHEN_BUSY
        wrong += invariants.without_look(found, calls, fresh) + invariants.without_lease(found, calls)
        wrong += invariants.overlapping(calls) + invariants.in_a_drought(found, good, STEP)
        for player in self.players:
            self._journal(player, found)
            wrong += secrets.leaks(secrets.written(player.folder, player.planted))
        wrong += self._memory()
        wrong += [f"{name} had {count} files open" for name, count in result.files.items() if count > FILES]
        self._figures(found)

    def _journal(self, player: Player, found: list[invariants.Act]) -> None:
        faults = [fault for fault in verify(player.journal) if fault.kind != "torn" or not self.result.kills]
        self.result.wrong += [f"journal of {player.name}: {fault}" for fault in faults]
        entries = list(read(player.journal))
        self.result.wrong += invariants.on_stale_data(entries, STEP)
        self.result.wrong += invariants.without_journal(found, player.name, entries, player.skews)
        last = {entry.deed.intent.id: entry.deed for entry in entries if entry.deed is not None}
        for deed in last.values():
            name = f"{deed.state}:{deed.refusal}" if deed.refusal else deed.state.value
            self.result.ends[name] = self.result.ends.get(name, 0) + 1
            if deed.state is DeedState.UNKNOWN:
                self.result.ends[f"unknown:{deed.detail}"] = self.result.ends.get(f"unknown:{deed.detail}", 0) + 1
        trace = (player.state / "opsroom").glob("worker-*.log*")
        broken = sum(path.read_text(errors="replace").count('"level":"error"') for path in trace)
        if broken:
            self.result.wrong.append(f"{player.name} logged {broken} faults of its own: see its log")

    def _memory(self) -> list[str]:
        wrong = []
        for key, samples in self._samples.items():
            if len(samples) < 5:
                continue
            first, last = samples[0], samples[-1]
            grown, hours = last[1] - first[1], (last[0] - first[0]) / 3600
            slope = slope_of(samples) * 3600
            self.result.memory[key] = [round(first[1], 1), round(last[1], 1), round(slope, 1)]
            if grown > GROWTH + SLOPE * hours:
                wrong.append(f"{key} grew by {grown:.0f} MB in {hours * 60:.0f} min")
        return wrong

    def _figures(self, found: list[invariants.Act]) -> None:
        result = self.result
        result.requests = sum(self.record.methods.values())
        result.faults = dict(sorted(self.record.faults.items()))
        result.deeds = dict(Counter(act.verb for act in found if act.stored))
        result.transitions = sum(1 for one in zip(*_shifted(self.record), strict=False) if one[0] != one[1])
        for side in Side:
            times = [second for watcher in self.watchers for second in watcher.recovered[side]]
            result.recovered[side.value] = max(times, default=0.0)


def _shifted(record: Record) -> tuple[list[str], list[str]]:
    holders = [one.holder for one in invariants.holds(record.calls) if one.holder]
    return holders, holders[1:]


def slope_of(samples: list[tuple[float, float]]) -> float:
    """Least-squares slope of (x, y) pairs."""
    count = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / count, sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


async def soak(
    seed: int, seconds: float, folder: Path, *, rivals: bool = True, services: int = 24, rate: float = 600.0
) -> Result:
    """One run in ``folder``."""
    plan = schedule(seed, seconds, rivals=rivals)
    return await Soak(plan, folder, rivals=rivals, services=services, rate=rate).run()


def main() -> int:
    """By hand."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", type=int, default=24)
    parser.add_argument("--rate", type=float, default=600.0, help="percent of the usual number of deploys")
    parser.add_argument("--alone", action="store_true", help="one worker instead of two")
    parser.add_argument("--keep", action="store_true", help="leave the folder with journals and logs")
    given = parser.parse_args()
    plan = schedule(given.seed, given.seconds, rivals=not given.alone)
    print(msgspec.json.encode(plan).decode(), flush=True)  # noqa: T201 - the command's output
    folder = Path(tempfile.mkdtemp(prefix="opsroom-soak-"))
    run = Soak(plan, folder, rivals=not given.alone, services=given.services, rate=given.rate)
    result = asyncio.run(run.run())
    result.world = str(folder)
    print(msgspec.json.encode(result).decode(), flush=True)  # noqa: T201 - the command's output
    if not result.wrong and not given.keep:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
