"""Looks at a worker's feed all the time and holds what it claims against what the proxies let through.

Ages must be true while a source is cut, an error must be said in time, and all must be fresh again ten seconds after
the last fault. It must not know how faults are made, only when they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import time
from dataclasses import dataclass, field

import msgspec

from opsroom.domain.board import Room
from opsroom.domain.freshness import SourceState
from opsroom.feed.client import FeedClient
from opsroom.feed.frames import Delta, Picture
from tests.faults import secrets
from tests.faults.record import Record
from tests.faults.stage import STEP, Player
from tests.faults.weather import Kind, Side, Weather

RECOVERY = 10.0
"""Seconds after the end of the last fault."""

SAID_WITHIN = {Kind.REFUSE: 9.0, Kind.EMPTY: 9.0, Kind.FREEZE: 15.0}
"""Seconds until an outage must be said: a look each five, five (Prometheus: ten) of patience, and a picture."""

BOOT = 9.0
"""Seconds a new worker may take before it owes anybody a picture."""

SILENT = 6.0
"""Seconds without anything from the feed, not even a beat."""

ON_THE_WAY = 2.0
"""Seconds from a picture's making to here at most, where no clock tells."""

SLACK = 1.0
LOOKS = 0.25


def hurry() -> float:
    """How much longer everything takes on a machine with more work than processors (1 to 3)."""
    return min(3.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def outages(weather: Weather, side: Side) -> list[tuple[float, float, Kind]]:
    """Times (since the start) in which nothing of ``side`` comes through at all, with their kind."""
    return [
        (fault.begin, fault.end, fault.kind)
        for fault in weather.schedule.faults
        if fault.side is side and fault.kind in SAID_WITHIN and fault.share >= 1.0 and not fault.only
    ]


def fair_since(weather: Weather, side: Side) -> float:
    """Seconds since the last fault of ``side`` ended; negative while one is on."""
    now = weather.now
    mine = [fault for fault in weather.schedule.faults if fault.side is side and fault.begin <= now]
    return min((now - fault.end for fault in mine), default=now)


@dataclass
class Watcher:
    """One viewer of one player's feed."""

    player: Player
    weather: Weather
    record: Record
    punctual: bool = True
    """Complain of what comes late; not on a machine that does other things meanwhile."""
    wrong: list[str] = field(default_factory=list)
    recovered: dict[Side, list[float]] = field(default_factory=lambda: {side: [] for side in Side})
    """Seconds from the end of a fault to a fresh source, for those that had been told as broken."""
    leaks: list[str] = field(default_factory=list)
    """Secrets in what the feed served, or on a command line."""
    room: Room | None = None
    well: bool = False
    """Every source was fresh and without error at the last look."""
    whole_since: float = 0.0
    """Epoch seconds at which the player's process was first seen well; 0: not yet."""
    _process: int = 0
    _broken: dict[Side, bool] = field(default_factory=dict)
    _said: set[tuple[object, ...]] = field(default_factory=set)
    _live: float = 0.0
    _shown: float = 0.0
    """When the room came."""

    async def run(self) -> None:
        """Watch until cancelled."""
        listening = asyncio.ensure_future(self._listen())
        try:
            for turn in itertools.count():
                await asyncio.sleep(LOOKS)
                self._look()
                if turn % 40 == 0 and self.player.process is not None:
                    self.leaks += secrets.leaks(secrets.visible_to_all(self.player.process.pid))
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def _listen(self) -> None:
        client = FeedClient(self.player.address)
        async for told in client:
            if isinstance(told, Picture | Delta):
                self.leaks += secrets.leaks([(f"the feed of {self.player.name}", msgspec.json.encode(told))])
                self._shown = time.time()
            self.room = client.board.room
            self._live = time.time()

    def _look(self) -> None:
        player, now = self.player, time.time()
        self.well, process = False, player.process
        if process is not None and process.poll() is not None:
            self._tell("exit", f"{player.name} ended by itself with {process.returncode}")
        if process is not None and process.pid != self._process:
            self._process, self.whole_since = process.pid, 0.0
        boot = BOOT * hurry()
        # After its clock was set it knows no age for a moment.
        resting = now < max(player.stopped_until, player.started, player.set_at) + boot
        if self.room is None or resting:
            self._broken.clear()
            return
        if self.punctual and now - self._live > SILENT * hurry():
            self._tell("silent", f"the feed of {player.name} is silent")
            return
        states = {state.name: self._here(state) for state in self.room.sources}
        for side in Side:
            if side.value in states:
                self._source(side, states[side.value], now)
            else:
                self._tell(f"absent {side}", f"{player.name} does not name its source {side}")
        self.well = all(side.value in states and self._fresh(states[side.value], now) for side in Side)
        if self.well and not self.whole_since:
            self.whole_since = now

    @property
    def knows_process(self) -> bool:
        """Whether ``whole_since`` is about the process that runs now."""
        return self.player.process is not None and self.player.process.pid == self._process

    def _here(self, state: SourceState) -> SourceState:
        """``state`` dated by this machine's clock: what a worker with another one says is an age."""
        if self.room is None or state.at is None or not self.player.skewed:
            return state
        return msgspec.structs.replace(state, at=self._shown - ON_THE_WAY - (self.room.at - state.at))

    def _fresh(self, state: SourceState, now: float) -> bool:
        limit = (2 * state.interval + 2.0) * hurry()
        return not state.error and state.at is not None and now - state.at <= limit

    def _source(self, side: Side, state: SourceState, now: float) -> None:
        truth = (self.record.good.get((self.player.name, side)) or [0.0])[-1]
        if state.at is not None and state.at > truth + SLACK:
            text = f"{self.player.name} claims news of {side} {state.at - truth:.1f} s after the last"
            self._tell(f"age {side} {truth}", text)
        for begin, end, kind in outages(self.weather, side):
            limit = begin + SAID_WITHIN[kind] * hurry() + (STEP if side is Side.PROMETHEUS else 0.0)
            # A worker that began in the middle of it has no older truth to lose.
            began = max(self.player.started, self.player.stopped_until) - (now - self.weather.now)
            late = self.punctual and limit < self.weather.now < end
            if late and began < begin and not state.error:
                self._tell(f"mute {side} {begin}", f"{self.player.name} says nothing of the {kind} of {side}")
        self._recovery(side, state, now)

    def _recovery(self, side: Side, state: SourceState, now: float) -> None:
        fair, fresh = fair_since(self.weather, side), self._fresh(state, now)
        if fair < 0:
            self._broken[side] = self._broken.get(side, False) or not fresh
            return
        if fresh and self._broken.get(side):
            self.recovered[side].append(round(fair, 2))
            self._broken[side] = False
        # Prometheus knows nothing of a time that has not come yet.
        owed = self.punctual and not self.player.skewed
        if owed and not fresh and fair > RECOVERY * hurry():
            text = (
                f"{self.player.name} has not recovered {side} {fair:.1f} s after the fault: {state.error or state.at}"
            )
            self._tell(f"late {side} {round(self.weather.now - fair)}", text)

    def _tell(self, key: str, text: str) -> None:
        if (key,) not in self._said:
            self._said.add((key,))
            self.wrong.append(f"[{self.weather.now:.1f} s] {text}")
