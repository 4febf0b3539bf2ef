"""How much memory workers take and how many files they hold open, over a whole run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.faults.stage import Player
from tests.faults.watcher import Watcher

SAMPLE = 2.0
SETTLED = 45.0
"""Seconds after its first whole picture in which a worker loads all it will load; memory counts from there."""

GROWTH = 25.0
"""MB that a worker may grow between then and its end, beside ``SLOPE``."""

SLOPE = 12.0
"""MB an hour."""

FILES = 80
"""Open files: six watches, some requests, viewers, the pool's idle connections."""


class Growth:
    """Samples of every worker process; a process that was killed is another one afterwards."""

    def __init__(self, players: Sequence[Player], watchers: Sequence[Watcher], seconds: float) -> None:
        self._looked_at = tuple(zip(players, watchers, strict=True))
        self._settled = min(SETTLED, seconds / 3)
        self._samples: dict[str, list[tuple[float, float]]] = {}
        self.files: dict[str, int] = {}
        """Most open files, by worker."""

    async def run(self) -> None:
        """Look until it is cancelled."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE)
            for player, watcher in self._looked_at:
                since = max(player.stopped_until, watcher.whole_since)
                if watcher.knows_process and watcher.whole_since and time.time() - since > self._settled:
                    key = f"{player.name}:{player.process.pid if player.process else 0}"
                    self.note(key, time.monotonic() - began, player.memory)
                self.files[player.name] = max(self.files.get(player.name, 0), player.files)

    def note(self, process: str, at: float, memory: float) -> None:
        """One look: MB at so many seconds."""
        self._samples.setdefault(process, []).append((at, memory))

    @property
    def memory(self) -> dict[str, list[float]]:
        """MB: first settled, last, growth an hour, by process."""
        return {
            key: [round(samples[0][1], 1), round(samples[-1][1], 1), round(slope_of(samples) * 3600, 1)]
            for key, samples in self._told().items()
        }

    def wrong(self) -> list[str]:
        """Who grew or held more than anybody may."""
        found = [f"{name} had {count} files open" for name, count in self.files.items() if count > FILES]
        for key, samples in self._told().items():
            grown, hours = samples[-1][1] - samples[0][1], (samples[-1][0] - samples[0][0]) / 3600
            if grown > GROWTH + SLOPE * hours:
                found.append(f"{key} grew by {grown:.0f} MB in {hours * 60:.0f} min")
        return found

    def _told(self) -> dict[str, list[tuple[float, float]]]:
        """Those that lived long enough to say anything."""
        return {key: samples for key, samples in self._samples.items() if len(samples) >= 5}


def slope_of(samples: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of (x, y) pairs."""
    count = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / count, sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
