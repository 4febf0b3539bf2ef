"""``opsroom ls`` for people who may read little or nothing: what cannot be read is no empty list with a good exit."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opsroom.errors import NotPermitted
from tests.rights.stage import at_work

ANNA = "anna"


async def ls(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command itself, on the feed of the worker at work."""
    line = [sys.executable, "-m", "opsroom", "ls", *words, "--feed", f"unix:{folder}/worker.sock"]
    return await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True, check=False, timeout=60)


def test_two_namespaces_are_listed_without_the_right_to_list_namespaces(
    open_cluster: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_cluster(seed=7, services=24) as cluster:
            await cluster.apply(rights.manifest("operator --user anna -n payments -n search"))
            kubeconfig, spaces = cluster.kubeconfig(ANNA), ("payments", "search")
            async with at_work(kubeconfig, cluster, tmp_path, "observe", namespaces=spaces) as client:
                await until(lambda: {row.rollout.namespace for row in client.board.rows.values()} == set(spaces))
                told = await ls(tmp_path, "-o", "json")
            assert told.returncode == 0, told.stderr
            assert {row["rollout"]["namespace"] for row in json.loads(told.stdout)["rows"]} == set(spaces)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("spaces", "fix"), [((), "name the namespaces you may read with -n"), (("payments",), "Ask for that role")]
)
def test_who_may_read_nothing_is_told_so_and_by_the_exit_code(
    spaces: tuple[str, ...], fix: str, open_cluster: Any, until: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_cluster(seed=7, services=4) as cluster:
            kubeconfig = cluster.kubeconfig("nobody")
            async with at_work(kubeconfig, cluster, tmp_path, "observe", namespaces=spaces) as client:

                def refused() -> bool:
                    room = client.board.room
                    return room is not None and any("nobody needs list" in source.error for source in room.sources)

                await until(refused)
                told = await ls(tmp_path, "--flagged")
            assert told.returncode == NotPermitted.exit_code
            assert told.stdout == ""
            assert fix in told.stderr

    asyncio.run(work())
