"""The queue's commands on a cluster that holds at admission, with nobody there to decide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 40.0


class Cluster:
    """A simulated cluster whose deploys are held, and an empty home to look at it from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = ["sim", "--seed", "3", "--hold", "--change-rate", "300", "--dir", str(folder / "sim")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "opsroom", *words, "--die-with-parent"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        said = dict(self.process.stdout.readline().strip().split("=", 1) for _ in range(2))
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(run),
            "KUBECONFIG": said["KUBECONFIG"],
            "OPSROOM_PROMETHEUS": said["PROMETHEUS_URL"],
        }
        self.socket = f"unix:{run}/observer.sock"
        self.observer = subprocess.Popen(
            [sys.executable, "-m", "opsroom", "worker", "--listen", self.socket, "--die-with-parent"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "opsroom", *words, "--feed", self.socket],
            capture_output=True,
            text=True,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )

    def picture(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("ls", "-o", "json").stdout or '{"rows": []}')
        return found

    def held(self) -> list[str]:
        rows = (row["rollout"] for row in self.picture()["rows"] if row["rollout"].get("held"))
        return [f"{rollout['namespace']}/{rollout['name']}" for rollout in rows]

    def close(self) -> None:
        for process in (self.observer, self.process):
            process.terminate()
            process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    world = Cluster(tmp_path_factory.mktemp("held"))
    try:
        yield world
    finally:
        world.close()


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def test_what_is_held_with_nobody_there_is_said_shown_and_released_by_name(cluster: Cluster) -> None:
    until(lambda: len(cluster.held()) >= 2)
    said = cluster.run("ls").stdout.splitlines()[0]
    assert "held and nobody decides here: opsroom release --all" in said
    queue = cluster.run("queue", "ls").stdout
    assert "waits for whoever decides here to release it" in queue
    assert "deploybot" in queue

    name = cluster.held()[0]
    asked = cluster.run("release", name)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    done = cluster.run("release", name, "--yes", "--reason", "a test")
    assert done.returncode == 0, done.stderr
    assert "Done: release" in done.stdout
    until(lambda: name not in cluster.held())
    again = cluster.run("release", name, "--yes")
    assert again.returncode == 1
    assert "is not held" in again.stderr


def test_a_person_holds_a_canary_and_ci_waits_in_vain(cluster: Cluster) -> None:
    def moving() -> list[str]:
        rows = (row["rollout"] for row in cluster.picture()["rows"])
        return [f"{r['namespace']}/{r['name']}" for r in rows if r["phase"] == "paused" and not r.get("held")]

    until(lambda: bool(moving()))
    name = moving()[0]
    assert cluster.run("hold", name, "--yes", "--reason", "look first").returncode == 0
    until(lambda: name in cluster.held())
    again = cluster.run("hold", name, "--yes")
    assert (again.returncode, "is held already" in again.stderr) == (1, True)
    assert "holds it, and a person has to release it" in cluster.run("queue", "ls").stdout
    waited = cluster.run("wait", name, "--timeout", "1s")
    assert waited.returncode == 1
    assert "the time is over" in waited.stderr
    assert "number " in waited.stderr


def test_a_freeze_is_seen_by_everybody_and_ends(cluster: Cluster) -> None:
    assert cluster.run("freeze", "--reason", "a test").returncode == 0
    until(lambda: "FREEZE by" in cluster.run("ls").stdout.splitlines()[0])
    assert cluster.run("thaw").stdout == "Thawed: automatic deeds go on.\n"
    assert cluster.run("thaw").stdout == "Nothing was frozen.\n"
    until(lambda: "FREEZE" not in cluster.run("ls").stdout.splitlines()[0])


def test_switched_off_everything_goes_on_and_nothing_is_held_any_more(cluster: Cluster) -> None:
    assert cluster.run("queue", "pause").returncode == 0
    until(lambda: cluster.run("queue", "ls").stdout.startswith("queue paused"))
    off = cluster.run("queue", "off", "--yes")
    assert off.returncode == 0, off.stdout + off.stderr
    assert "The queue is off" in off.stdout
    until(lambda: cluster.held() == [])
    assert cluster.run("release", "--all", "--yes").stdout == "Nothing is held.\n"
    assert cluster.run("queue", "on").returncode == 0
    until(lambda: cluster.run("queue", "ls").stdout.startswith("queue running"))


@pytest.mark.parametrize("words", [["release"], ["release", "x", "--all"], ["wait", "x", "--timeout", "soon"]])
def test_what_makes_no_sense_is_refused(cluster: Cluster, words: list[str]) -> None:
    assert cluster.run(*words).returncode == 2


def test_read_only_switches_nothing(cluster: Cluster) -> None:
    assert cluster.run("queue", "off", "--yes", "--read-only").returncode == 4
    assert cluster.run("freeze", "--read-only").returncode == 4
