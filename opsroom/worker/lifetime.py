"""When the worker ends: by a signal, with its parent, or some time after its last viewer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator

from opsroom.feed.server import FeedApp

LOOK_SECONDS = 0.5


@contextlib.contextmanager
def until_signal() -> Iterator[asyncio.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set while the block runs."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    installed = []
    for number in numbers:
        # Outside the main thread (tests) there are no signals to take.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, stop.set)
            installed.append(number)
    try:
        yield stop
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


async def with_parent(stop: asyncio.Event, parent: int) -> None:
    """Stop when the process ``parent`` is no longer our parent: ``kill -9`` tells its children nothing else."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel sets no event
        await asyncio.sleep(LOOK_SECONDS)
    stop.set()


async def after_last_viewer(stop: asyncio.Event, app: FeedApp, linger: float) -> None:
    """Stop when nobody has watched for ``linger`` seconds."""
    began = time.monotonic()
    while app.viewers or time.monotonic() - (app.last_left or began) < linger:  # noqa: ASYNC110 - a time, not an event
        await asyncio.sleep(LOOK_SECONDS)
    stop.set()
