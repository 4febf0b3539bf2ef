"""The running simulator: servers, the second hand of the world, signals, and the parent's life.

`main` parses, this runs. It knows the world and the two applications; nothing of ours outside the simulator.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from opsroom.simulator.kube.access import Auth
from opsroom.simulator.kube.app import kube_app
from opsroom.simulator.kube.kubeconfig import write_kubeconfig
from opsroom.simulator.kube.pods import LogSource
from opsroom.simulator.prometheus.http import prometheus_app
from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.serving import LoopbackServer
from opsroom.simulator.world.world import World

REACTION = 0.05
_PARENT_CHECK = 0.5


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """What the command line asked for; `truth` and `folder` are paths, `change_rate` is in percent."""

    seed: int = 7
    services: int = 12
    change_rate: float = 100.0
    truth: str | None = None
    port_kube: int = 0
    port_prometheus: int = 0
    folder: str | None = None
    gates: str = ""  # base URL of what answers the gates of Flagger's Canaries
    hold: bool = False  # the hold at admission is in force
    wave: int = 0  # releases that come at once after a minute
    parent: int | None = None  # end when this is no longer the parent's process id


@dataclass(frozen=True, slots=True)
class Running:
    """Where the simulator answers; `broken` is set when the world stood still by a mistake of ours."""

    kubeconfig: Path
    kube: str
    prometheus: str
    broken: asyncio.Event


async def run_simulator(options: SimulatorOptions) -> None:
    """Serve until a signal or the parent's end; raises OSError for ports, files and folders it cannot have."""
    ended = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        running.add_signal_handler(number, ended.set)
    async with simulator(options) as it:
        print(f"KUBECONFIG={it.kubeconfig}", flush=True)  # noqa: T201 - scripts read these two lines
        print(f"PROMETHEUS_URL={it.prometheus}\nOPSROOM_PROMETHEUS={it.prometheus}", flush=True)  # noqa: T201
        while not ended.is_set() and not it.broken.is_set() and options.parent in (None, os.getppid()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _PARENT_CHECK)


@contextlib.asynccontextmanager
async def simulator(options: SimulatorOptions) -> AsyncIterator[Running]:
    """A world that runs and answers inside the `async with`; raises at its end what broke the world, if it did."""
    truth = None if options.truth is None else Path(options.truth)
    world = World(
        options.seed,
        options.services,
        options.change_rate,
        time.time(),
        truth,
        options.gates,
        hold=options.hold,
        wave=options.wave,
    )
    auth = Auth()
    with contextlib.ExitStack() as stack:
        folder = _folder(options, stack)
        kube = LoopbackServer(kube_app(world.store, auth, _logs(world)), options.port_kube)
        prometheus = LoopbackServer(
            prometheus_app(Engine(world.tsdb), world.scraper, world.clock), options.port_prometheus
        )
        world.clock.release()
        world.tick()
        gc.freeze()
        broken = asyncio.Event()
        tasks = [asyncio.create_task(_second_hand(world)), asyncio.create_task(_controllers(world))]
        for task in tasks:
            task.add_done_callback(lambda _: broken.set())
        try:
            await kube.start()
            await prometheus.start()
            path = write_kubeconfig(folder / "kubeconfig", kube.port)
            stack.callback(path.unlink, missing_ok=True)
            yield Running(path, kube.url, prometheus.url, broken)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(kube.stop(), prometheus.stop(), world.cluster.flagger.close())
        for task in tasks:
            if not task.cancelled() and (mistake := task.exception()) is not None:
                raise mistake


def _folder(options: SimulatorOptions, stack: contextlib.ExitStack) -> Path:
    if options.folder is not None:
        chosen = Path(options.folder)
        chosen.mkdir(parents=True, exist_ok=True)
        return chosen
    made = Path(tempfile.mkdtemp(prefix="opsroom-sim-"))
    stack.callback(shutil.rmtree, made, ignore_errors=True)
    return made


async def _second_hand(world: World) -> None:
    """One tick at each whole second; a tick that comes too late is left out, not made up for."""
    while True:
        await asyncio.sleep(1.0 - time.time() % 1.0)
        world.tick()


async def _controllers(world: World) -> None:
    """Let controllers answer writes within `REACTION` seconds and keep their own appointments."""
    while True:
        await asyncio.sleep(REACTION)
        due = world.loop.next_due
        if due is not None and due <= world.clock():
            world.loop.run(world.clock())


def _logs(world: World) -> LogSource:
    def lines(
        namespace: str, pod: str, container: str, *, since: float | None, tail: int | None, previous: bool
    ) -> Iterable[tuple[float, str]]:
        if previous:
            return ()
        return world.traffic.log_lines(namespace, pod, since or 0.0, 500 if tail is None else tail)

    return lines
