"""``opsroom worker``: put the rooms together, serve the feed, end cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.domain.board import Mode
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
from opsroom.worker.gate_door import open_gates
from opsroom.worker.lifetime import after_last_viewer, until_signal, with_parent
from opsroom.worker.log import Counting, log_to
from opsroom.worker.metrics import exposition
from opsroom.worker.opening import open_feed
from opsroom.worker.score import Judging, Metrics
from opsroom.worker.work import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What one worker is told."""

    settings: Settings
    mode: str = Mode.OBSERVE.value
    listen: str
    """``unix:PATH``, ``HOST:PORT`` or, with ``tls``, ``https://HOST:PORT``."""
    group: str = ""
    """Whose members the unix socket serves besides this user."""
    tls: Path | None = None
    """Folder with ``tls.crt`` and ``tls.key``; callers then need a bearer token that the API server knows."""
    gates: str = ""
    """``HOST:PORT`` at which Flagger's webhooks are answered; empty: nowhere."""
    linger: float | None = None
    """End this many seconds after the last viewer left; None: never."""
    die_with_parent: bool = False
    journal: Path | None = None
    """Own journal file; None: the one in the state folder."""
    nice: int = 10
    """Added to the process's niceness: beside a person's keys the worker gives way."""
    parent: int = field(default_factory=os.getppid)


async def run_worker(
    options: WorkerOptions,
    *,
    metrics: Metrics | None = None,
    judge: Judging | None = None,
    opened: Callable[[str], None] | None = None,
) -> int:
    """Run one worker until it is told to end; 0.

    ``metrics`` and ``judge`` stand in for the real ones in tests; ``opened`` is called with the feed's address.

    Raises:
        ConfigError: the policy cannot be read.
        ListenError, UsageError: the feed cannot listen there.
    """
    if options.nice:
        os.nice(options.nice)
    name = hashlib.sha256(options.listen.encode()).hexdigest()[:12]
    handler, counting = log_to(paths.log_file(f"worker-{name}")), Counting()
    logging.getLogger().addHandler(counting)
    try:
        with until_signal() as stop:
            async with _feed(options, stop, metrics, judge, counting) as address:
                if opened is not None:
                    opened(address)
                await stop.wait()
        return 0
    finally:
        log.info("ended")
        for one in (handler, counting):
            logging.getLogger().removeHandler(one)
            one.close()


@contextlib.asynccontextmanager
async def _feed(
    options: WorkerOptions, stop: asyncio.Event, metrics: Metrics | None, judge: Judging | None, counting: Counting
) -> AsyncIterator[str]:
    published = Published()
    work = Work(options.settings, Mode(options.mode), options.journal, published, gates=bool(options.gates))
    tally = work.loop.situation.tally

    def told() -> str:
        tally.errors = counting.errors
        return exposition(published.room, published.rows(), tally, app.viewers, time.time())

    app = FeedApp(published, metrics=told)
    work.loop.tick()
    doors = []
    if options.gates:
        keeps = work.queueing.keeps
        doors.append(await open_gates(options.gates, work.outside, work.sharing, work.mode, tally.gates, keeps))
    door = await open_feed(
        app,
        options.listen,
        group=options.group,
        tls=options.tls,
        read_only=options.settings.read_only,
        reviewer=lambda: work.outside.reviewer,
        namespaces=lambda: options.settings.namespaces or {row.rollout.namespace for row in published.rows()},
    )
    doors.append(door)
    log.info("the feed is at %s, mode %s", door.address, work.mode.value)
    tasks = [asyncio.ensure_future(work.run(metrics, judge))]
    if options.die_with_parent:
        tasks.append(asyncio.ensure_future(with_parent(stop, options.parent)))
    if options.linger is not None:
        tasks.append(asyncio.ensure_future(after_last_viewer(stop, app, options.linger)))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        yield str(door.address)
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await work.close()
        for one in doors:
            await one.close()
