"""The commands against the simulated cluster, as a person and a script would use them, with their own worker."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.simulated import Simulated, until


class Cluster(Simulated):
    """The commands start a worker of their own on it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "--seed", "3")

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first row for which ``holds``."""
        found: list[dict[str, Any]] = []

        def came() -> bool:
            found.extend(row for row in self.rows() if holds(row))
            return bool(found)

        until(came)
        return found[0]

    def close(self) -> None:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"HOME={self.folder}\0".encode() in environment:
                os.kill(int(entry.name), signal.SIGTERM)
        super().close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    world = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield world
    finally:
        world.close()


def paused(row: dict[str, Any]) -> bool:
    """A canary of a Rollout that waits at a step."""
    rollout = row["rollout"]
    return rollout["engine"] == "argo" and rollout["phase"] == "paused" and not row.get("flag")


def test_what_waits_for_a_person_is_found_by_exit_code_and_decided_with_one_word(cluster: Cluster) -> None:
    row = cluster.until(paused)
    name = f"{row['rollout']['namespace']}/{row['rollout']['name']}"

    refused = cluster.run("promote", name, "--yes")
    assert refused.returncode == 1
    assert "is not flagged" in refused.stderr

    assert cluster.run("flag", name, "--yes", "--reason", "a test").returncode == 0
    cluster.until(lambda other: other["rollout"]["uid"] == row["rollout"]["uid"] and other.get("flag") is not None)
    plain = cluster.run("--plain")
    assert plain.returncode == 0
    assert row["rollout"]["name"] in plain.stdout
    flagged = cluster.run("ls", "--flagged")
    assert flagged.returncode == 3
    assert row["rollout"]["name"] in flagged.stdout

    asked = cluster.run("rollback", name)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr

    done = cluster.run("rollback", name, "--yes", "--reason", "a test")
    assert done.returncode == 0, done.stderr
    assert "Done: roll back" in done.stdout
    back = ("aborted", "degraded", "healthy")
    cluster.until(lambda other: other["rollout"]["uid"] == row["rollout"]["uid"] and other["rollout"]["phase"] in back)

    journal = [json.loads(line) for line in cluster.run("journal", "-o", "json").stdout.splitlines()]
    states = [line["deed"]["state"] for line in journal if line["deed"]["intent"]["verb"] == "roll_back"]
    assert states == ["journalled", "done"]
    assert cluster.run("journal", "--verify").returncode == 0


def test_one_rollout_is_shown_with_its_evidence(cluster: Cluster) -> None:
    row = cluster.until(lambda row: bool(row["rollout"].get("canary")))
    shown = cluster.run("show", f"{row['rollout']['namespace']}/{row['rollout']['name']}")
    assert shown.returncode == 0
    for word in ("engine", "stable", "canary", "promote", "roll back"):
        assert word in shown.stdout


def test_the_inside_of_a_rollout_is_shown_without_its_secrets(cluster: Cluster) -> None:
    row = cluster.until(lambda row: bool(row["rollout"].get("canary")) and row["rollout"]["canary"].get("ready", 0) > 0)
    name = f"{row['rollout']['namespace']}/{row['rollout']['name']}"
    logs = json.loads(cluster.run("show", name, "--logs", "-o", "json").stdout)
    assert logs["canary"]["pods"]
    assert logs["canary"]["lines"]
    assert "error" not in logs["canary"]
    manifest = cluster.run("show", name, "--manifest")
    assert manifest.returncode == 0
    assert f"name: {row['rollout']['name']}" in manifest.stdout
    assert "managedFields" not in manifest.stdout


def test_an_unknown_name_is_one_sentence(cluster: Cluster) -> None:
    missing = cluster.run("show", "nothing-here")
    assert missing.returncode == 1
    assert missing.stderr == "opsroom: there is no rollout nothing-here. opsroom ls shows their names\n"


def test_read_only_does_nothing(cluster: Cluster) -> None:
    refused = cluster.run("rollback", "anything", "--yes", "--read-only")
    assert refused.returncode == 4


@pytest.mark.parametrize(
    ("changes", "code", "what"),
    [
        ({"KUBECONFIG": "/nowhere/config"}, 2, "/nowhere/config"),
        ({"OPSROOM_CONTEXT": "moon"}, 2, "moon"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_named(cluster: Cluster, changes: dict[str, str], code: int, what: str) -> None:
    run = cluster.run("ls", **changes)
    assert run.returncode == code
    assert what in run.stderr
    assert "Traceback" not in run.stderr
