"""What hits whole processes in a storm: kills, stops longer than a Lease, full disks, clocks that are set."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.faults.stage import Player
from tests.faults.watcher import Watcher
from tests.faults.weather import Blow, Weather

LOOKS = 0.5


class Blows:
    """Deals the blows of a schedule; ``stored`` tells how many deeds there were, which some blows wait for."""

    def __init__(self, weather: Weather, watchers: Sequence[Watcher], stored: Callable[[], int]) -> None:
        self._weather = weather
        self._watchers = watchers
        self._stored = stored
        self.dealt: Counter[str] = Counter()
        """How many of each kind there were."""

    async def run(self) -> None:
        """One after another, each at its time."""
        for blow in self._weather.schedule.blows:
            await asyncio.sleep(max(0.0, blow.at - self._weather.now))
            while self._stored() < blow.deeds:  # noqa: ASYNC110 - the proxies set no event
                await asyncio.sleep(LOOKS)
            await self._deal(blow, self._victim(blow))

    def _victim(self, blow: Blow) -> Player:
        for watcher in self._watchers:
            me = watcher.room is not None and watcher.room.decider.me
            if me == blow.holder:
                return watcher.player
        return self._watchers[0].player

    async def _deal(self, blow: Blow, player: Player) -> None:
        print(f"{self._weather.now:7.1f} s  {blow.what} {player.name}", file=sys.stderr, flush=True)  # noqa: T201
        self.dealt[blow.what] += 1
        if blow.what == "kill":
            player.kill()
            player.start()
            return
        with contextlib.ExitStack() as afterwards:
            if blow.what == "full":
                player.disk(full=True)
                afterwards.callback(player.disk, full=False)
            elif blow.what == "clock":
                player.set_clock(blow.skew)
                afterwards.callback(player.set_clock, 0.0)
            else:
                assert player.process is not None
                player.stopped_until = time.time() + blow.seconds
                player.process.send_signal(signal.SIGSTOP)
                afterwards.callback(player.process.send_signal, signal.SIGCONT)
            await asyncio.sleep(blow.seconds)
