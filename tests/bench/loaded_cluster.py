"""An API server and a Prometheus that are nothing but load: many Rollouts, and watches that never rest.

Run as a process (``python -m tests.bench.loaded_cluster ROLLOUTS RUNNING EVENTS``); it prints its port first. A
changed object's ``resourceVersion`` is the moment at which its event was due (epoch microseconds): whoever sees it
knows how late it is, and an event that had to wait in a socket counts from when it should have gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

PODS_EACH = 2
SHARES = {"pods": 0.8, "replicasets": 0.1, "rollouts": 0.1}
"""Of the events, by kind: as a cluster has them, where most news is about pods."""

METRICS = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kube_pod_container_status_restarts_total",
)
USUAL = {"increase": 300.0, "histogram": 0.2, "container_cpu": 0.3, "memory": 2e8, "restarts": 0.0}
"""What a query with that word in it answers, give or take a tenth."""


def meta(name: str, namespace: str, uid: str, **more: Any) -> dict[str, Any]:
    """Metadata of the usual size; most of it is what server-side apply leaves."""
    managed = [{"manager": "controller", "fieldsV1": {f"f:field-{k}": {"f:inner": {}} for k in range(40)}}]
    common = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": "1", "managedFields": managed}
    return {**common, "creationTimestamp": "2026-01-02T03:04:05Z", **more}


@dataclass(frozen=True)
class World:
    """So many Rollouts, of which the first ``running`` have a canary."""

    rollouts: int
    running: int

    def revisions(self) -> Iterator[tuple[int, str, int]]:
        """Rollout, hash and pods of each revision."""
        for number in range(self.rollouts):
            yield number, "stable", PODS_EACH
            if number < self.running:
                yield number, "canary", 1

    @cached_property
    def kinds(self) -> dict[str, list[dict[str, Any]]]:
        """All objects by kind."""
        made: dict[str, list[dict[str, Any]]] = {
            "rollouts": [self._rollout(number) for number in range(self.rollouts)],
            "replicasets": [],
            "pods": [],
        }
        for number, revision, pods in self.revisions():
            made["replicasets"].append(self._replica_set(number, revision, pods))
            made["pods"] += [self._pod(number, revision, one) for one in range(pods)]
        return made

    def _rollout(self, number: int) -> dict[str, Any]:
        steps = [step for weight in (5, 20, 50) for step in ({"setWeight": weight}, {"pause": {"duration": "10m"}})]
        status: dict[str, Any] = {"phase": "Healthy", "currentPodHash": "stable", "stableRS": "stable"}
        if number < self.running:
            pause = {"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}
            moving = {"phase": "Paused", "currentPodHash": "canary", "currentStepIndex": 1, "pauseConditions": [pause]}
            status |= {**moving, "controllerPause": True}
        counts = {"observedGeneration": "1", "replicas": PODS_EACH, "availableReplicas": PODS_EACH}
        template = {"spec": {"containers": [{"name": "app", "image": f"shop/service-{number}:2"}]}}
        return {
            "metadata": meta(f"service-{number}", f"team-{number % 40}", f"rollout-{number}", generation=1),
            "spec": {"replicas": PODS_EACH, "strategy": {"canary": {"steps": steps}}, "template": template},
            "status": {**status, **counts},
        }

    def _replica_set(self, number: int, revision: str, pods: int) -> dict[str, Any]:
        owner = {"kind": "Rollout", "name": f"service-{number}", "uid": f"rollout-{number}", "controller": True}
        labels = {"rollouts-pod-template-hash": revision, "app": f"service-{number}"}
        name = f"service-{number}-{revision}"
        template = {"spec": {"containers": [{"name": "app", "image": f"shop/service-{number}:2"}]}}
        return {
            "metadata": meta(name, f"team-{number % 40}", f"rs-{name}", labels=labels, ownerReferences=[owner]),
            "spec": {"replicas": pods, "template": template},
            "status": {"replicas": pods, "readyReplicas": pods, "availableReplicas": pods},
        }

    def _pod(self, number: int, revision: str, one: int) -> dict[str, Any]:
        set_ = f"service-{number}-{revision}"
        owner = {"kind": "ReplicaSet", "name": set_, "uid": f"rs-{set_}", "controller": True}
        name, labels = f"{set_}-{one:05}", {"rollouts-pod-template-hash": revision}
        state = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
        status = {"name": "app", "ready": True, "restartCount": 0, "state": state}
        container = {"name": "app", "image": "web:1", "env": [{"name": f"V{n}", "value": "x"} for n in range(10)]}
        return {
            "metadata": meta(name, f"team-{number % 40}", f"pod-{name}", labels=labels, ownerReferences=[owner]),
            "spec": {"containers": [container]},
            "status": {"phase": "Running", "containerStatuses": [status]},
        }


class Server:
    """Both protocols on one port."""

    def __init__(self, world: World, events: float) -> None:
        """``events``: a second, over all kinds."""
        self._world = world
        self._events = events
        self._random = random.Random(7)  # noqa: S311 - noise

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.lower().split("\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
                form = (await reader.readexactly(length)).decode()
                target = urlsplit(head.split(" ", 2)[1])
                asked = {name: values[0] for name, values in parse_qs(target.query or form).items()}
                kind = target.path.rpartition("/")[2]
                if asked.get("watch") == "1":
                    await self._watched(writer, kind)
                code, answer = self._answer(target.path, kind, asked)
                data = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {code} X\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        writer.close()

    def _answer(self, path: str, kind: str, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.startswith("/api/v1/query") or path.startswith("/api/v1/label"):
            return 200, {"status": "success", "data": self._data(path, asked)}
        if kind in ("rollouts", "replicasets", "pods", "deployments", "canaries", "events"):
            return 200, self._page(self._world.kinds.get(kind, []), asked)
        if kind.endswith("reviews"):
            return 201, {"status": {"allowed": True, "userInfo": {"username": "load"}}}
        if kind == "version":
            return 200, {"major": "1", "gitVersion": "v1.36.0"}
        return 404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"}

    def _page(self, items: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        start = int(asked.get("continue", "0"))
        end = start + int(asked.get("limit", "500"))
        more = {"continue": str(end)} if end < len(items) else {}
        return {"metadata": {"resourceVersion": "1", **more}, "items": items[start:end]}

    def _data(self, path: str, asked: dict[str, str]) -> Any:
        if path.endswith("/values"):
            return METRICS
        if path.endswith("/labels"):
            return ["namespace", "pod", "code", "container"]
        if path.endswith("/query"):
            now = time.time() // 10 * 10
            return {"resultType": "matrix", "result": [{"metric": {}, "values": [[now - 10, "1"], [now, "2"]]}]}
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        times = [start + step * n for n in range(int((end - start) / step) + 1)]
        return {"resultType": "matrix", "result": list(self._series(asked["query"], times))}

    def _series(self, query: str, times: list[float]) -> Iterator[dict[str, Any]]:
        usual = 0.0 if "5.." in query else next((value for word, value in USUAL.items() if word in query), 1.0)
        for number, revision, _ in self._world.revisions():
            if number < self._world.running:
                labels = {"namespace": f"team-{number % 40}", "rs": f"service-{number}-{revision}"}
                values = [[at, f"{usual * (0.9 + 0.2 * self._random.random()):.6g}"] for at in times]
                yield {"metric": labels, "values": values}

    async def _watched(self, writer: asyncio.StreamWriter, kind: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        rate = self._events * SHARES.get(kind, 0.0)
        if not rate or not self._world.kinds[kind]:
            await asyncio.Event().wait()
        lines = [_line(one) for one in self._world.kinds[kind]]
        begun, sent = time.time(), 0
        while True:
            due = int((time.time() - begun) * rate)
            for number in range(sent, due):
                line = lines[number % len(lines)] % int((begun + number / rate) * 1e6)
                writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            sent = due
            await writer.drain()
            await asyncio.sleep(0.01)


def _line(item: dict[str, Any]) -> bytes:
    """The event of ``item``, with a place for its version."""
    text = json.dumps({"type": "MODIFIED", "object": item}).replace("%", "%%")
    return text.replace('"resourceVersion": "1"', '"resourceVersion": "%d"', 1).encode() + b"\n"


async def serve(world: World, events: float) -> None:
    """Serve until killed; the port is the first line of output."""
    server = await asyncio.start_server(Server(world, events).accept, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(World(int(sys.argv[1]), int(sys.argv[2])), float(sys.argv[3])))
