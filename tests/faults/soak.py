"""The soak: real workers in mode auto on a random world, under random faults, held to what must never happen.

``python -m tests.faults.soak --seconds N --seed S`` prints the schedule first and one JSON line last; it exits 1 when
anything was wrong. The same seed and length give the same world, faults and blows (the machine's own timing differs).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.faults import invariants, secrets
from tests.faults.blows import LOOKS, Blows
from tests.faults.growth import Growth
from tests.faults.outcome import Result, judged
from tests.faults.proxy import server_of
from tests.faults.record import Record
from tests.faults.stage import Player, Sim, start_sim
from tests.faults.watcher import Watcher
from tests.faults.weather import Schedule, Weather, schedule


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
        self.players: list[Player] = []
        self.watchers: list[Watcher] = []

    async def run(self) -> Result:
        """Everything, from the first process to the last check."""
        sim = await asyncio.to_thread(start_sim, self.folder / "sim", self.plan.seed, self._services, self._rate)
        try:
            await self._play(sim)
        finally:
            sim.stop()
        fresh = invariants.FRESH if self._punctual else invariants.FRESH_WHEN_BUSY
        return judged(self.result, self.record, self.players, self.watchers, self.growth, fresh)

    async def _play(self, sim: Sim) -> None:
        self.players = [Player(name, self.folder / name, sim, self.weather, self.record) for name in self._names]
        self.watchers = [Watcher(player, self.weather, self.record, self._punctual) for player in self.players]
        self.growth = Growth(self.players, self.watchers, self.plan.seconds)
        dealer = Blows(self.weather, self.watchers, lambda: self._stored)
        self.weather.start()
        tasks: list[asyncio.Future[None]] = []
        try:
            await asyncio.to_thread(secrets.plant_in_cluster, server_of(sim.kubeconfig))
            for player in self.players:
                await player.open()
            tasks += [asyncio.ensure_future(watcher.run()) for watcher in self.watchers]
            blows = asyncio.ensure_future(dealer.run())
            tasks += [asyncio.ensure_future(self.growth.run()), blows]
            await asyncio.sleep(self.plan.seconds)
            limit = time.monotonic() + self._overtime
            while time.monotonic() < limit and not (blows.done() and self._enough()):  # noqa: ASYNC110 - many events
                await asyncio.sleep(LOOKS)
            for task in tasks:
                if task.done() and task.exception() is not None:
                    raise task.exception() or AssertionError
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for player in self.players:
                await player.close()
            self.result.blows = dict(dealer.dealt)
        if sim.process.poll() is not None:
            self.result.wrong.append("the simulated world ended: this run says nothing")

    @property
    def _stored(self) -> int:
        return sum(1 for act in invariants.acts(self.record.calls) if act.stored)

    def _enough(self) -> bool:
        return self._stored >= self._deeds and all(watcher.well for watcher in self.watchers)


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
