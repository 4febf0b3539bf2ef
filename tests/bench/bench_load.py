# ruff: noqa: T201, ASYNC110 - a bench prints its figures and polls
"""Load: a flood of watch events, ten thousand rollouts, fifty viewers of one feed of whom some do not read.

Figures only. Run by hand: ``python -m pytest -s tests/bench/bench_load.py`` (``LOAD_SECONDS`` sets the length, 20 by
default; a minute for the record).
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.loaded_worker import Loaded, loaded, process, watch

SECONDS = float(os.environ.get("LOAD_SECONDS", "20"))
VIEWERS, ASLEEP = 50, 10

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]


async def measured(worker: Loaded, seconds: float) -> dict[str, float]:
    """What the worker did for so long while one viewer looked."""
    before, cpu, begun, told = worker.resident(), worker.cpu(), time.monotonic(), await worker.metrics()
    seen = await watch(worker.address, seconds)
    took, after = time.monotonic() - begun, await worker.metrics()
    ticks = after["opsroom_ticks_total"] - told["opsroom_ticks_total"]
    return {
        **seen.figures(),
        "worker_cpu_share": round((worker.cpu() - cpu) / took, 3),
        "worker_MB_before": round(before, 1),
        "worker_MB_after": round(worker.resident(), 1),
        "tick_mean_ms": round((after["opsroom_tick_seconds_total"] - told["opsroom_tick_seconds_total"]) / ticks * 1e3),
        "tick_worst_ms": round(after["opsroom_tick_seconds_max"] * 1e3),
    }


def test_a_minute_of_two_thousand_events_a_second(tmp_path: Path) -> None:
    async def flood() -> None:
        async with loaded(tmp_path, rollouts=500, running=100, events=2000.0) as worker:
            print("\n2,000 events/s:", json.dumps(await measured(worker, SECONDS)))

    asyncio.run(flood())


def test_ten_thousand_rollouts_with_a_board(tmp_path: Path) -> None:
    async def many() -> None:
        begun = time.monotonic()
        async with loaded(tmp_path, rollouts=10_000, running=500, events=200.0) as worker:
            ready = time.monotonic() - begun
            with board(worker.address) as drawn:
                figures = await measured(worker, SECONDS)
                print("\n10,000 rollouts:", json.dumps({"ready_s": round(ready, 1), **figures, **drawn()}))

    asyncio.run(many())


def test_fifty_viewers_of_whom_ten_do_not_read(tmp_path: Path) -> None:
    async def crowd() -> None:
        async with loaded(tmp_path, rollouts=1_000, running=200, events=500.0) as worker:
            print("\none viewer:", json.dumps(await measured(worker, SECONDS)))
            asleep = [never_reads(worker.address) for _ in range(ASLEEP)]
            with process("tests.bench.crowd", worker.address, str(VIEWERS - ASLEEP - 1)):
                while (await worker.metrics())["opsroom_feed_viewers"] < VIEWERS - 1:
                    await asyncio.sleep(0.2)
                figures = await measured(worker, SECONDS)
                print(f"{VIEWERS} viewers, {ASLEEP} asleep:", json.dumps(figures))
            for one in asleep:
                one.close()

    asyncio.run(crowd())


def never_reads(address: str) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(address.removeprefix("unix:"))
    line.sendall(b"GET /feed HTTP/1.1\r\nhost: x\r\n\r\n")
    return line


@contextmanager
def board(address: str) -> Iterator[Callable[[], dict[str, float]]]:
    """The board itself, in a terminal of 200 x 60 that takes everything; gives a function that tells its figures."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    written = [0]

    def drain() -> None:
        try:
            while data := os.read(ours, 65536):
                written[0] += len(data)
        except OSError:
            return

    words = [sys.executable, "-m", "opsroom", "--feed", address]
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as shown:
        os.close(theirs)
        threading.Thread(target=drain, daemon=True).start()
        one, begun = Loaded(shown.pid, address), time.monotonic()

        def figures() -> dict[str, float]:
            took = time.monotonic() - begun
            return {
                "board_MB": round(one.resident(), 1),
                "board_cpu_share": round(one.cpu() / took, 3),
                "board_bytes_per_s": round(written[0] / took),
            }

        try:
            yield figures
        finally:
            shown.kill()
    os.close(ours)
