"""A worker, a simulated cluster and its Flagger, over HTTP: one Canary goes on by its gate, another goes back."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsroom.delivery.doors import MERGE
from opsroom.domain.board import Row
from opsroom.domain.deed import DeedState, Effect
from opsroom.domain.rollout import Engine, Phase
from opsroom.kube.connection import connect
from opsroom.kube.writer import Writer
from opsroom.worker.course import PROMOTED

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Gated:
    """A simulated cluster whose Canaries ask at ``gates``."""

    kubeconfig: Path
    prometheus: str
    gates: str


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    folder = tmp_path_factory.mktemp("gated")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gates = f"127.0.0.1:{probe.getsockname()[1]}"
    # Hardly any deploys of its own: the test makes the two that it needs.
    words = ["--seed", "7", "--services", "12", "--change-rate", "0.1", "--gates", f"http://{gates}/opsroom"]
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom.simulator", *words, "--dir", str(folder), "--die-with-parent"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stdout is not None
    told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
    yield Gated(Path(told["KUBECONFIG"]), told["PROMETHEUS_URL"], gates)
    process.terminate()
    process.wait(60)
    process.stdout.close()


async def deploy(kubeconfig: Path, rows: list[Row]) -> None:
    """A new version of each Canary's target."""
    connection = await connect(str(kubeconfig), None)
    try:
        for row in rows:
            rollout = row.rollout
            path = f"/apis/apps/v1/namespaces/{rollout.namespace}/deployments/{rollout.stable_name}"
            notes = {"metadata": {"annotations": {"flagger.app/retry": "now"}}}
            await Writer(connection).patch(path, {"spec": {"template": notes}}, content_type=MERGE)
    finally:
        await connection.aclose()


def test_the_workers_decisions_open_gates_and_roll_back(gated: Gated, run_in_here: Any, fixed_judge: Any) -> None:
    async def run() -> None:
        async with run_in_here(gated.kubeconfig, gated.prometheus, "auto", fixed_judge, gates=gated.gates) as worker:
            board = worker.client.board

            def canaries() -> list[Row]:
                return [row for row in board.rows.values() if row.rollout.engine is Engine.FLAGGER]

            def ready() -> bool:
                room = board.room
                return room is not None and room.decider.gates and len(canaries()) == 2

            await worker.until(ready)
            good, bad = (row.rollout.uid for row in canaries())
            fixed_judge.scores |= {good: 0.05, bad: 0.95}
            await deploy(gated.kubeconfig, canaries())
            ways: dict[str, set[Effect | None]] = {good: set(), bad: set()}
            further = False

            def over() -> bool:
                nonlocal further
                for uid, seen in ways.items():
                    deed = board.rows[uid].deed
                    if deed is not None and deed.state is DeedState.DONE:
                        seen.add(deed.effect)
                row = board.rows[good]
                further = further or row.rollout.weight >= 50 or row.result == PROMOTED
                return ways == {good: {Effect.OPEN_GATE}, bad: {Effect.ASK_ROLL_BACK}} and further

            await worker.until(over)
            assert board.rows[bad].rollout.phase is Phase.ABORTED
            assert board.rows[bad].result == "rolled_back"
            assert board.rows[bad].rollout.weight == 0

    asyncio.run(run())
