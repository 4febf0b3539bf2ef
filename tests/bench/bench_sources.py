"""What watching and measuring cost: figures only, nothing is asserted.

Run by hand: ``python -m pytest -s tests/bench/bench_sources.py``. Every measurement is a process of its own, so that
neither the other's modules nor its memory count; ratios of one run mean more than absolute figures.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

EVENTS = 5_000
KEPT = 10_000
SERIES, POINTS = 3_000, 60

pytestmark = pytest.mark.bench


def rollout_body(number: int) -> dict[str, object]:
    """An Argo Rollout of about 8 KB, as a cluster with server-side apply has them."""
    name, old, new = f"service-{number}", f"{number:08x}", f"{number + 1:08x}"
    managed = [
        {
            "manager": f"manager-{n}",
            "operation": "Update",
            "apiVersion": "argoproj.io/v1alpha1",
            "time": "2026-01-02T03:04:05Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {f"f:field-{k}": {f"f:inner-{j}": {} for j in range(6)} for k in range(9)},
        }
        for n in range(4)
    ]
    container = {
        "name": "app",
        "image": f"registry.example/team/{name}:v1.{number}",
        "env": [{"name": f"VARIABLE_{k}", "value": "some value"} for k in range(12)],
    }
    steps = [step for weight in (5, 20, 50) for step in ({"setWeight": weight}, {"pause": {"duration": "10m"}})]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": name,
            "namespace": f"team-{number % 40}",
            "uid": f"{number:08d}-0000-4000-8000-000000000000",
            "resourceVersion": str(1000 + number),
            "generation": 7,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"app.kubernetes.io/name": name, "team": f"team-{number % 40}", "tier": "one"},
            "annotations": {
                "rollout.argoproj.io/revision": "7",
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": container}),
            },
            "managedFields": managed,
        },
        "spec": {
            "replicas": 5,
            "strategy": {"canary": {"steps": steps, "stableService": f"{name}-s", "canaryService": f"{name}-c"}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
        "status": {
            "phase": "Paused",
            "message": "CanaryPauseStep",
            "observedGeneration": "7",
            "currentPodHash": new,
            "stableRS": old,
            "currentStepIndex": 1,
            "controllerPause": True,
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}],
            "replicas": 5,
            "updatedReplicas": 1,
            "availableReplicas": 5,
            "conditions": [
                {"type": type_, "status": "True", "reason": "Some", "message": f"words about {name}"}
                for type_ in ("Available", "Progressing", "Paused")
            ],
        },
    }


def matrix() -> bytes:
    """A range answer of ``SERIES`` × ``POINTS``."""
    result = [
        {
            "metric": {"namespace": f"team-{n % 40}", "rs": f"service-{n}-7fd94966c5"},
            "values": [[1_700_000_000 + 10 * k, f"{(n * 31 + k * 17) % 1000 / 7:.15g}"] for k in range(POINTS)],
        }
        for n in range(SERIES)
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


async def serve() -> None:
    """Answer a watch with ``EVENTS`` events and a range query with ``matrix``; print the port first."""
    lines = [json.dumps({"type": "MODIFIED", "object": rollout_body(number)}).encode() + b"\n" for number in range(500)]
    answer = matrix()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in fields if line[:15] == b"content-length:"), 0)
                await reader.readexactly(length)
                await (_watch(writer, lines) if b"watch=" in fields[0] else _whole(writer, answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _watch(writer: asyncio.StreamWriter, lines: list[bytes]) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(EVENTS):
        line = lines[number % len(lines)]
        writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _whole(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode())
    writer.write(answer)
    await writer.drain()


def official_watch(port: int) -> float:
    """CPU seconds of the official client for ``EVENTS`` events."""
    from kubernetes import client, watch

    configuration = client.Configuration(host=f"http://127.0.0.1:{port}")
    api = client.CustomObjectsApi(client.ApiClient(configuration))
    official: Any = watch
    began = time.process_time()
    for _ in official.Watch().stream(
        api.list_cluster_custom_object, "argoproj.io", "v1alpha1", "rollouts", timeout_seconds=60
    ):
        pass
    return time.process_time() - began


def our_watch(port: int) -> float:
    """CPU seconds of ours, up to the index."""
    from opsroom.kube.connection import Connection
    from opsroom.kube.endpoint import Endpoint
    from opsroom.kube.reader import Reader
    from opsroom.sources.argo_kinds import ArgoRollout
    from opsroom.sources.index import Index

    async def run() -> None:
        index = Index()
        async with Connection(Endpoint(host=f"http://127.0.0.1:{port}")) as connection:
            async for event in Reader(connection).watch("/rollouts", ArgoRollout, "1"):
                index.argo_changed(None, event.object)

    began = time.process_time()
    asyncio.run(run())
    return time.process_time() - began


def official_range(port: int) -> float:
    """CPU seconds of PrometheusConnect and ``float`` for one range query."""
    from datetime import UTC, datetime

    from prometheus_api_client import PrometheusConnect

    prometheus = PrometheusConnect(url=f"http://127.0.0.1:{port}")
    began = time.process_time()
    moment = datetime.fromtimestamp(1_700_000_000, UTC)
    for series in prometheus.custom_query_range("up", moment, moment, "10s"):
        for _, value in series["values"]:
            float(value)
    return time.process_time() - began


def our_range(port: int) -> float:
    """CPU seconds of ours for one range query, into the ring."""
    from opsroom.sources.asking import Address, RangeQueries
    from opsroom.sources.filling import fill
    from opsroom.sources.ring import Ring

    async def run() -> float:
        ranges = RangeQueries(Address(f"http://127.0.0.1:{port}"))
        ring = Ring(10.0, POINTS)
        ring.advance(170_000_000 + POINTS - 1)
        began = time.process_time()
        fill(ring, "up", 1.0, 170_000_000, await ranges.ask("up", "up", 0, 1, 10))
        spent = time.process_time() - began
        await ranges.aclose()
        return spent

    return asyncio.run(run())


def kept_mib() -> float:
    """Resident MiB that ``KEPT`` rollouts, kept and made into records, add."""
    from opsroom.kube.objects import decoder
    from opsroom.sources.argo_kinds import ArgoRollout
    from opsroom.sources.index import Index

    index, read = Index(), decoder(ArgoRollout)
    for number in range(200):
        read.decode(json.dumps(rollout_body(number)).encode())
    before = _resident()
    for number in range(KEPT):
        index.argo_changed(None, read.decode(json.dumps(rollout_body(number)).encode()))
    assert len(index.rollouts()) == KEPT
    return _resident() - before


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def measured(name: str, *arguments: str, runs: int = 3) -> float:
    """Median of what ``name`` returns, each time in a fresh process."""
    found = []
    for _ in range(runs):
        run = subprocess.run(
            [sys.executable, __file__, name, *arguments], capture_output=True, text=True, check=True, timeout=120
        )
        found.append(float(run.stdout))
    return sorted(found)[len(found) // 2]


def test_report() -> None:
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        try:
            theirs, ours = measured("official_watch", port), measured("our_watch", port)
            slow, fast = measured("official_range", port), measured("our_range", port)
        finally:
            server.kill()
    size = len(json.dumps(rollout_body(1)))
    sys.stdout.write(
        f"\nwatch, {EVENTS} events of {size} B: official {theirs / EVENTS * 1e6:.1f} us an event, "
        f"ours {ours / EVENTS * 1e6:.1f} us: x {ours / theirs:.3f} (limit 0.2)\n"
        f"range, {SERIES} x {POINTS}: official {slow * 1e3:.0f} ms, ours {fast * 1e3:.0f} ms: x {fast / slow:.2f} "
        f"(limit 0.5)\n"
        f"{KEPT} rollouts kept: {measured('kept_mib'):.1f} MiB (limit 40)\n"
    )


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        measure = globals()[sys.argv[1]]
        # The first time pays for modules that are loaded on use; memory is measured once.
        runs = [measure(*map(int, sys.argv[2:])) for _ in range(1 if measure is kept_mib else 2)]
        sys.stdout.write(f"{runs[-1]}\n")
