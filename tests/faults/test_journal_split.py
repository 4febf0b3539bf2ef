"""Two deciders and two journals after a split: one deed is done once, and both journals tell it alike and hold."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from opsroom.delivery.deliver import deliver
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry, Journal, merged, read, verify
from opsroom.delivery.settle import FOUND_DONE, open_deeds, settle
from opsroom.domain.deed import Deed, DeedState, Intent, Verb
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from tests.faults.acting import PATIENCE, intent
from tests.faults.proxy import FaultProxy, server_of
from tests.faults.record import Record
from tests.faults.stage import Sim
from tests.faults.weather import Kind, Schedule, Side, Weather


class Decider:
    """One worker's hands: its own way to the API server, its own journal and clock."""

    def __init__(self, name: str, connection: Connection, weather: Weather, record: Record, folder: Path) -> None:
        self.weather, self.record = weather, record
        self.ahead = 0.0
        """Seconds by which its clock is wrong."""
        self.journal = Journal(folder / f"worker-{name}.jsonl", name)
        self.hands = Hands(Reader(connection), Writer(connection), self.journal, now=self.now, patience=PATIENCE)

    def now(self) -> float:
        """Its wall clock."""
        return time.time() + self.ahead

    async def deliver(self, wish: Intent, fencing: int, patience: float = PATIENCE) -> Deed:
        """Carry out ``wish`` as an automatic deed; its last state."""
        mine = msgspec.structs.replace(
            wish, id=uuid.uuid4().hex, actor=self.journal.writer, at=self.now(), automatic=True, fencing=fencing
        )
        carried = deliver(mine, replace(self.hands, patience=patience))
        return [deed async for deed in carried][-1]

    @property
    def stored(self) -> int:
        """Writes of the target that the server took from it."""
        return sum(call.method == "PATCH" and 200 <= call.upstream < 300 for call in self.record.calls)


@asynccontextmanager
async def decider(name: str, sim: Sim, folder: Path) -> AsyncIterator[Decider]:
    weather, record = Weather(Schedule(seed=1, seconds=0)), Record()
    proxy = FaultProxy(name, Side.KUBE, server_of(sim.kubeconfig), weather, record)
    await proxy.start()
    try:
        async with Connection(Endpoint(host=proxy.url)) as connection:
            yield Decider(name, connection, weather, record, folder)
    finally:
        await proxy.stop()


def cut_after_the_first_line(decider: Decider) -> None:
    """Let nothing of it through any more as soon as it has written its line."""
    write = decider.journal.write

    def split(entry: Entry) -> None:
        write(entry)
        decider.weather.add(Kind.REFUSE)

    decider.journal.write = split  # type: ignore[method-assign]


@pytest.mark.timeout(300)
def test_a_deed_that_both_sides_of_a_split_begin_is_done_once_and_told_alike(quiet_sim: Sim, tmp_path: Path) -> None:
    wish = intent(quiet_sim, Verb.ROLL_BACK)
    folder = tmp_path / "opsroom" / "journal"

    async def run() -> None:
        async with decider("old", quiet_sim, folder) as old, decider("new", quiet_sim, folder) as new:
            old.ahead = 3600.0
            cut_after_the_first_line(old)
            cut_off = await old.deliver(wish, fencing=3, patience=0.5)
            assert cut_off.state is DeedState.UNKNOWN
            assert (await new.deliver(wish, fencing=4)).state is DeedState.DONE
            old.weather.clear()
            # The other side is back, knows nothing of its successor's deed, and finds its own one open.
            (left,) = open_deeds(read(old.journal.path), old.now())
            told = [deed async for deed in settle(left, old.hands)][-1]
            assert (told.state, told.detail) == (DeedState.DONE, FOUND_DONE)
            again = await old.deliver(wish, fencing=3)
            assert again.state is DeedState.REFUSED
            assert (old.stored, new.stored) == (0, 1)

    asyncio.run(run())
    files = sorted(folder.glob("*.jsonl"))
    assert [verify(file) for file in files] == [[], []]
    last = {entry.deed.intent.id: entry.deed for entry in merged(files) if entry.deed is not None}
    done = {deed.intent.fencing: deed.detail for deed in last.values() if deed.state is DeedState.DONE}
    assert done == {3: FOUND_DONE, 4: ""}, "both journals say that it is done, and only one that it has done it"
    held = subprocess.run(
        [sys.executable, "-m", "opsroom", "journal", "--verify"],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert held.stdout.count("holds") == 2
