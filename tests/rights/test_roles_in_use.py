"""Each printed role at work on a cluster with RBAC on: everything needed is granted, everything granted is used."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsroom.kube.connection import connect
from tests.rights.stage import (
    WORKER,
    Judge,
    at_work,
    beside_the_worker,
    condemned,
    free_port,
    in_the_queue,
    new_versions_for_canaries,
    quarantine,
)


def test_the_worker_that_acts_uses_every_right_it_is_granted_and_needs_no_other(
    open_cluster: Any, record: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        gates = f"127.0.0.1:{free_port()}"
        async with open_cluster(seed=7, services=24, change_rate=600.0, gates=f"http://{gates}/opsroom") as cluster:
            documents = rights.manifest("worker --mode auto --gates --prometheus kube:opsroom/prometheus:9090")
            await cluster.apply(documents + rights.manifest("hold"))
            await in_the_queue(cluster)
            await new_versions_for_canaries(cluster)
            kubeconfig = cluster.kubeconfig(WORKER, "system:serviceaccounts")
            wanted, judge = rights.granted(documents), Judge(await condemned(cluster))
            async with (
                await connect(str(kubeconfig)) as connection,
                at_work(kubeconfig, cluster, tmp_path, "auto", judge=judge, gates=gates),
            ):
                await beside_the_worker(connection)
                await until(lambda: wanted <= record.used(WORKER), lambda: wanted - record.used(WORKER))

    asyncio.run(work())
    assert record.refusals(WORKER) == set()


def test_the_worker_that_advises_uses_every_right_it_is_granted_and_needs_no_other(
    open_cluster: Any, record: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_cluster(seed=7, services=24, change_rate=600.0) as cluster:
            documents = rights.manifest("worker --mode advise --prometheus kube:opsroom/prometheus:9090")
            await cluster.apply(documents + rights.manifest("hold") + [quarantine(await condemned(cluster))])
            await new_versions_for_canaries(cluster)
            kubeconfig = cluster.kubeconfig(WORKER, "system:serviceaccounts")
            wanted, judge = rights.granted(documents), Judge(await condemned(cluster))
            async with (
                await connect(str(kubeconfig)) as connection,
                at_work(kubeconfig, cluster, tmp_path, "advise", judge=judge),
            ):
                await beside_the_worker(connection)
                await until(lambda: wanted <= record.used(WORKER), lambda: wanted - record.used(WORKER))

    asyncio.run(work())
    assert record.refusals(WORKER) == set()


@pytest.mark.parametrize(("role", "user"), [("worker", WORKER), ("wall", "system:serviceaccount:opsroom:opsroom-wall")])
def test_who_only_looks_uses_every_right_it_is_granted_and_needs_no_other(
    role: str, user: str, open_cluster: Any, record: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    wall = role == "wall"

    async def work() -> None:
        async with open_cluster(seed=7, services=8) as cluster:
            documents = rights.manifest(f"{role} --prometheus kube:opsroom/prometheus:9090")
            await cluster.apply(documents + rights.manifest("hold"))
            kubeconfig = cluster.kubeconfig(user)
            wanted = rights.granted(documents)
            async with (
                await connect(str(kubeconfig)) as connection,
                at_work(kubeconfig, cluster, tmp_path, "observe", read_only=wall) as client,
            ):
                await beside_the_worker(connection, asks=not wall)
                await until(lambda: wanted <= record.used(user), lambda: wanted - record.used(user))
                await until(lambda: client.board.rows)

    asyncio.run(work())
    assert record.refusals(user) == set()
    if wall:
        assert {verb for _, _, verb, _ in record.used(user)} == {"get", "list", "watch"}
