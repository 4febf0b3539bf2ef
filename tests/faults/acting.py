"""Deeds by ``opsroom act`` as a process of its own, on Rollouts of a simulated world that wait for one."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import msgspec

from opsroom.domain.deed import Deed, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from tests.faults.proxy import server_of
from tests.faults.stage import Sim

PATIENCE = 90.0
"""Seconds; for a machine that does other things meanwhile."""

ROLLOUTS = "/apis/argoproj.io/v1alpha1/rollouts"


def paused(sim: Sim, taken: set[str]) -> dict[str, Any]:
    """A Rollout that waits at a pause and was not used yet."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        for item in httpx.get(server_of(sim.kubeconfig) + ROLLOUTS, timeout=PATIENCE).json()["items"]:
            status = item.get("status", {})
            uid = f"{item['metadata']['uid']} {status.get('currentPodHash')}"
            rests = status.get("pauseConditions") and not status.get("abort")
            timed = any(step.get("pause", {}).get("duration") for step in _steps(item))
            if rests and uid not in taken and status.get("stableRS") != status.get("currentPodHash") and not timed:
                taken.add(uid)
                return dict(item)
        time.sleep(0.1)
    raise AssertionError("no Rollout waits at a pause")


def _steps(item: dict[str, Any]) -> list[dict[str, Any]]:
    canary = item["spec"]["strategy"].get("canary") or {}
    index = item["status"].get("currentStepIndex", 0)
    return list(canary.get("steps", []))[index : index + 1]


TAKEN: set[str] = set()
"""uid and canary of what was used."""


def intent(sim: Sim, verb: Verb) -> Intent:
    """A person's wish for a Rollout that no test has used yet."""
    item = paused(sim, TAKEN)
    metadata, status = item["metadata"], item["status"]
    target = Target(
        uid=Uid(metadata["uid"]),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace=metadata["namespace"],
        name=metadata["name"],
    )
    seen = Precondition(canary_hash=status["currentPodHash"], step=status.get("currentStepIndex"))
    return Intent(id=uuid.uuid4().hex, verb=verb, target=target, precondition=seen, actor="me", at=time.time())


def command(sim: Sim, journal: Path) -> list[str]:
    """The command line of ``opsroom act``."""
    words = ["-m", "opsroom", "act", "--kubeconfig", str(sim.kubeconfig), "--journal", str(journal)]
    return [sys.executable, *words]


def start(sim: Sim, journal: Path) -> subprocess.Popen[bytes]:
    """``opsroom act``, waiting for its intent."""
    return subprocess.Popen(command(sim, journal), stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def act(sim: Sim, journal: Path, verb: Verb) -> list[Deed]:
    """Carry out such a wish at once; every state it was in."""
    process = start(sim, journal)
    told, _ = process.communicate(msgspec.json.encode(intent(sim, verb)) + b"\ngo\n", timeout=PATIENCE)
    return [msgspec.json.decode(line, type=Deed) for line in told.splitlines()]


def aborted(sim: Sim, wish: Intent) -> bool:
    """Whether the canary of ``wish`` was rolled back."""
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{wish.target.namespace}/rollouts/{wish.target.name}"
    found = httpx.get(server_of(sim.kubeconfig) + path, timeout=PATIENCE).json()
    return bool(found["status"].get("abort")) and found["status"]["currentPodHash"] == wish.precondition.canary_hash
