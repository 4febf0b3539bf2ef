"""One decider and nothing twice, with real processes: two workers on one cluster, and one killed in mid-deed."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from opsroom.delivery.journal import read, verify
from opsroom.domain.deed import Deed, DeedState, Verb

pytestmark = pytest.mark.timeout(400)

WORKER = Path(__file__).with_name("certain_worker.py")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/opsroom/leases/opsroom-decider"
POLICY = """step = 1.0
[[rows]]
min_seconds = 0.0
max_seconds = 600.0
[queue]
slots = 20
"""
PATIENCE = 90.0


def until(holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What ``holds`` gives as soon as it gives anything."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


@dataclass
class Cluster:
    """A simulated cluster whose deploys are held, and the workers on it."""

    folder: Path
    kubeconfig: str
    prometheus: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        server = yaml.safe_load(Path(self.kubeconfig).read_text())["clusters"][0]["cluster"]["server"]
        self.api = httpx.Client(base_url=server, timeout=60.0)
        (self.folder / "policy.toml").write_text(POLICY)

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        words = [self.kubeconfig, self.prometheus, f"unix:{self.folder}/{name}.sock", f"{self.folder}/policy.toml"]
        process = subprocess.Popen(
            [sys.executable, str(WORKER), *words, str(self.journal(name))],
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / name)},
        )
        self.workers.append(process)
        return process

    def journal(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def deeds(self, name: str) -> list[Deed]:
        return [entry.deed for entry in read(self.journal(name)) if entry.deed is not None]

    def lease(self) -> dict[str, Any]:
        answer = self.api.get(LEASE)
        spec: dict[str, Any] = answer.json()["spec"] if answer.status_code == 200 else {}
        return spec

    def holder(self) -> str:
        return str(self.lease().get("holderIdentity", ""))

    def hasten(self) -> None:
        """Let the Lease of a dead holder run out in a second: how long it lasts is tested with clocks elsewhere."""
        patch = {"spec": {"leaseDurationSeconds": 1}}
        self.api.patch(LEASE, json=patch, headers={"Content-Type": "application/merge-patch+json"})

    def close(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()
        self.api.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    words = ["--seed", "7", "--services", "16", "--change-rate", "600", "--hold", "--dir", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom.simulator", *words, "--die-with-parent"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
    world = Cluster(tmp_path, said["KUBECONFIG"], said["PROMETHEUS_URL"])
    try:
        yield world
    finally:
        world.close()
        process.terminate()
        process.wait(60)
        process.stdout.close()


def test_two_workers_on_one_cluster_act_as_one_and_the_next_takes_over(cluster: Cluster) -> None:
    processes = {name: cluster.worker(name) for name in ("ada", "bob")}

    def acting() -> str:
        return next(
            (name for name in processes if any(deed.state is DeedState.DONE for deed in cluster.deeds(name))), ""
        )

    first = until(acting)
    second = "bob" if first == "ada" else "ada"
    number, holder = cluster.lease()["leaseTransitions"], cluster.holder()
    assert {(deed.intent.actor, deed.intent.fencing) for deed in cluster.deeds(first)} == {(holder, number)}
    assert cluster.deeds(second) == []

    processes[first].kill()
    processes[first].wait()
    cluster.hasten()
    until(lambda: any(deed.state is DeedState.DONE for deed in cluster.deeds(second)))
    assert cluster.holder() != holder
    assert {(deed.intent.actor, deed.intent.fencing) for deed in cluster.deeds(second)} == {
        (cluster.holder(), number + 1)
    }
    by = f"{cluster.holder()}#{number + 1}"
    until(lambda: by in marks(cluster))

    processes[second].terminate()
    assert processes[second].wait(90) == 0
    assert cluster.holder() == ""
    assert_nothing_twice([*cluster.deeds(first), *cluster.deeds(second)])


def marks(cluster: Cluster) -> set[str]:
    """Who wrote last, of every workload."""
    found = set()
    for path in ("/apis/argoproj.io/v1alpha1/rollouts", "/apis/apps/v1/deployments"):
        for item in cluster.api.get(path).json()["items"]:
            found.add((item["metadata"].get("annotations") or {}).get("opsroom.dev/by", ""))
    return found


def test_a_worker_killed_in_mid_deed_again_and_again_does_nothing_twice_and_loses_nothing(cluster: Cluster) -> None:
    chance, known = random.Random(11), 0  # noqa: S311 - a reproducible walk
    for _ in range(5):
        process = cluster.worker("ada")
        known = until(partial(_begun, cluster, known))
        time.sleep(chance.uniform(0.0, 0.12))  # anywhere between the journal's line and the outcome
        process.kill()
        process.wait()
        cluster.hasten()
    cut_off = {deed.intent.id for deed in cluster.deeds("ada")}
    cluster.worker("ada")
    until(lambda: all(deed.state.settled for deed in _last(cluster) if deed.intent.id in cut_off))
    assert [fault.kind for fault in verify(cluster.journal("ada")) if fault.kind != "torn"] == []
    assert_nothing_twice(cluster.deeds("ada"))


def _begun(cluster: Cluster, more_than: int) -> int:
    """How many deeds were begun, if it is more than that."""
    found = sum(deed.state is DeedState.JOURNALLED for deed in cluster.deeds("ada"))
    return found if found > more_than else 0


def _last(cluster: Cluster) -> list[Deed]:
    """The last state of each deed."""
    return list({deed.intent.id: deed for deed in cluster.deeds("ada")}.values())


def assert_nothing_twice(deeds: list[Deed]) -> None:
    """No step of a canary was promoted by two deeds, and none was skipped, which is what a doubled request does."""
    last = {deed.intent.id: deed for deed in deeds}
    steps: dict[tuple[str, str], list[int | None]] = defaultdict(list)
    for deed in last.values():
        if deed.intent.verb is Verb.PROMOTE and deed.state is DeedState.DONE:
            seen = deed.intent.precondition
            steps[deed.intent.target.uid, seen.canary_hash].append(seen.step)
    assert steps or last
    for found in steps.values():
        assert len(set(found)) == len(found)
        ordered = sorted(step for step in found if step is not None)
        assert all(later - earlier == 2 for earlier, later in itertools.pairwise(ordered)), ordered
