"""The queue's commands on a cluster that holds at admission, with nobody there to decide."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.simulated import Simulated, until


class Cluster(Simulated):
    """Its deploys are held, and a worker watches that decides nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "--seed", "3", "--hold", "--change-rate", "300")
        self.socket = f"unix:{self.environment['XDG_RUNTIME_DIR']}/observer.sock"
        self.observer = subprocess.Popen(
            [sys.executable, "-m", "opsroom", "worker", "--listen", self.socket, "--die-with-parent"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return super().run(*words, "--feed", self.socket, **changes)

    def head(self) -> str:
        """The first line of ``ls``."""
        return self.run("ls").stdout.partition("\n")[0]

    def held(self) -> list[str]:
        rows = (row["rollout"] for row in self.rows() if row["rollout"].get("held"))
        return [f"{rollout['namespace']}/{rollout['name']}" for rollout in rows]

    def close(self) -> None:
        self.observer.terminate()
        self.observer.wait(60)
        super().close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    world = Cluster(tmp_path_factory.mktemp("held"))
    try:
        yield world
    finally:
        world.close()


def test_what_is_held_with_nobody_there_is_said_shown_and_released_by_name(cluster: Cluster) -> None:
    until(lambda: len(cluster.held()) >= 2)
    said = cluster.head()
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
        rows = (row["rollout"] for row in cluster.rows())
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
    until(lambda: "FREEZE by" in cluster.head())
    again = cluster.run("freeze", "--reason", "another").stdout
    assert again.endswith("already, until opsroom thaw. Your reason was added.\n"), again
    until(lambda: "a test; admin: another" in cluster.head())
    assert cluster.run("thaw").stdout == "Thawed: automatic deeds go on.\n"
    assert cluster.run("thaw").stdout == "Nothing was frozen.\n"
    until(lambda: "FREEZE" not in cluster.head())


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
