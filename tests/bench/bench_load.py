# ruff: noqa: T201, ASYNC110, ASYNC220, PERF401 - a bench prints its figures and polls
"""Load: a flood of watch events, and fifty viewers of one feed of whom some do not read. Figures only.

Run by hand: ``python -m pytest -s tests/bench/bench_load.py`` (``LOAD_SECONDS`` sets the length, 20 by default; a
minute for the record). Servers are processes of their own, so that their cost does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from opsroom.domain.board import Room, Row
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.feed.address import parse
from opsroom.feed.client import FeedClient
from opsroom.feed.listening import listen
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.sources.cluster import Cluster

SECONDS = float(os.environ.get("LOAD_SECONDS", "20"))
RATE = 2_000
PODS = 3_000
VIEWERS, SLOW = 50, 10
ROWS = 500

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


def resident() -> float:
    """MB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pod(number: int, version: int) -> dict[str, Any]:
    """A pod as a status update brings it; its version says when it was sent."""
    owner = {"kind": "ReplicaSet", "name": "web-1", "uid": "rs-1", "controller": True, "apiVersion": "apps/v1"}
    status = {
        "name": "app",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}},
    }
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": f"web-1-{number}",
            "namespace": "shop",
            "uid": f"pod-{number}",
            "resourceVersion": str(version),
            "labels": {"app": "web", "pod-template-hash": "1"},
            "ownerReferences": [owner],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:{n}": {} for n in range(40)}}],
        },
        "spec": {
            "containers": [
                {"name": "app", "image": "web:1", "env": [{"name": f"V{n}", "value": "x"} for n in range(10)]}
            ]
        },
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


async def serve() -> None:
    """An API server that floods whoever watches pods; every list is empty but that of pods."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                if "watch=1" in target:
                    writer.write(
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                    )
                    if "/pods" in target:
                        await flood(writer)
                    await asyncio.Event().wait()
                items = [pod(n, 1) for n in range(PODS)] if "/pods" in target else []
                body = (
                    {"major": "1"} if "/version" in target else {"metadata": {"resourceVersion": "1"}, "items": items}
                )
                data = json.dumps(body).encode()
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def flood(writer: asyncio.StreamWriter) -> None:
    made = [json.dumps({"type": "MODIFIED", "object": pod(n, 0)}).replace('"0"', '"%d"', 1) for n in range(PODS)]
    begun, sent = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - begun) * RATE)
        for _ in range(due - sent):
            sent += 1
            line = (made[sent % PODS] % (time.time_ns() // 1000) + "\n").encode()
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await writer.drain()
        await asyncio.sleep(0.01)


def test_a_minute_of_two_thousand_events_a_second() -> None:
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    try:
        figures = asyncio.run(flooded(port))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    print("\nwatch flood:", json.dumps(figures))


async def flooded(port: int) -> dict[str, float]:
    async with Connection(Endpoint(host=f"http://127.0.0.1:{port}")) as connection:
        cluster = Cluster(Reader(connection), (), time.time)
        task = asyncio.ensure_future(cluster.run())
        while not cluster.listed:
            await asyncio.sleep(0.05)
        await asyncio.sleep(2.0)
        mirror = cluster._mirrors["pods", ""]
        before, cpu, begun = resident(), time.process_time(), time.monotonic()
        lags, loop_lags = [], []
        while time.monotonic() - begun < SECONDS:
            asked = time.monotonic()
            await asyncio.sleep(0.1)
            loop_lags.append(time.monotonic() - asked - 0.1)
            lags.append(time.time() - int(mirror._version) / 1e6)
        took = time.monotonic() - begun
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        lags.sort()
        return {
            "events_per_s": RATE,
            "seconds": round(took, 1),
            "cpu_share": round((time.process_time() - cpu) / took, 3),
            "behind_p50_ms": round(lags[len(lags) // 2] * 1000, 1),
            "behind_worst_ms": round(lags[-1] * 1000, 1),
            "loop_worst_ms": round(max(loop_lags) * 1000, 1),
            "grown_MB": round(resident() - before, 1),
        }


def row(number: int, turn: int) -> Row:
    """A row that changes with ``turn``."""
    return Row(
        rollout=Rollout(
            uid=Uid(f"uid-{number}"),
            name=f"service-{number}",
            namespace=f"team-{number % 20}",
            engine=Engine.ARGO,
            shape=Shape.CANARY,
            phase=Phase.PROGRESSING,
            weight=turn % 100,
        ),
        scores=tuple(round((turn + n) % 100 / 100, 2) for n in range(60)),
    )


def test_fifty_viewers_of_whom_ten_do_not_read(tmp_path: Path) -> None:
    print("\nviewers:", json.dumps(asyncio.run(viewed(tmp_path))))


async def viewed(folder: Path) -> dict[str, float]:
    published = Published()
    app = FeedApp(published, metrics=lambda: "")
    address = f"unix:{folder}/feed.sock"
    published.publish(Room(at=time.time()), [row(n, 0) for n in range(ROWS)])
    door = await listen(app, parse(address))
    viewers = subprocess.Popen([sys.executable, __file__, "view", address], stdout=subprocess.PIPE, text=True)
    asleep = [await _never_reads(f"{folder}/feed.sock") for _ in range(SLOW)]
    assert viewers.stdout is not None
    while app.viewers < VIEWERS:
        await asyncio.sleep(0.1)
    before, cpu, begun, turn, slow = resident(), time.process_time(), time.monotonic(), 0, 0.0
    while time.monotonic() - begun < SECONDS:
        turn += 1
        at = time.monotonic()
        published.publish(
            Room(at=time.time()), [row(n, turn if n % 5 == turn % 5 else turn // 5 * 5) for n in range(ROWS)]
        )
        await asyncio.sleep(0.2)
        slow = max(slow, time.monotonic() - at - 0.2)
    share = (time.process_time() - cpu) / (time.monotonic() - begun)
    grown = resident() - before
    told = json.loads(await asyncio.to_thread(viewers.stdout.readline))
    viewers.wait()
    viewers.stdout.close()
    for one in asleep:
        one.close()
    await door.close()
    return {
        "viewers": VIEWERS,
        "asleep": SLOW,
        "rows": ROWS,
        "cpu_share": round(share, 3),
        "publisher_worst_wait_ms": round(slow * 1000, 1),
        "grown_MB": round(grown, 1),
        **told,
    }


async def _never_reads(path: str) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(path)
    line.sendall(b"GET /feed HTTP/1.1\r\nhost: x\r\n\r\n")
    return line


async def view(address: str) -> None:
    """Forty viewers that read; says how late the pictures were."""
    late: list[float] = []

    async def one() -> None:
        client = FeedClient(address)
        async for _ in client:
            if client.board.room is not None:
                late.append(time.time() - client.board.room.at)

    tasks = [asyncio.ensure_future(one()) for _ in range(VIEWERS - SLOW)]
    await asyncio.sleep(SECONDS)
    for task in tasks:
        task.cancel()
    late.sort()
    figures = {"frames": len(late), "late_p50_ms": round(late[len(late) // 2] * 1000, 1)}
    print(json.dumps({**figures, "late_p99_ms": round(late[len(late) * 99 // 100] * 1000, 1)}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else view(sys.argv[2]))
