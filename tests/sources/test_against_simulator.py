"""Cluster and metrics against the simulated world, over real HTTP and with the official clients."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from opsroom.domain.rollout import Rollout, Shape
from opsroom.errors import Conflict, Gone
from opsroom.kube.access import Access, whoami
from opsroom.kube.connection import connect
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.sources.aligned import Aligned, Look
from opsroom.sources.cluster import Cluster
from opsroom.sources.prometheus import Metrics
from opsroom.sources.queries import LATENCY_P99

World = tuple[subprocess.Popen[str], str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The simulator's process, its kubeconfig and its Prometheus."""
    folder: Path = tmp_path_factory.mktemp("world")
    command = (sys.executable, "-m", "opsroom.simulator", "--seed", "7", "--services", "9", "--dir", str(folder))
    with subprocess.Popen([*command, "--die-with-parent"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            kubeconfig = process.stdout.readline().strip().removeprefix("KUBECONFIG=")
            prometheus = process.stdout.readline().strip().removeprefix("PROMETHEUS_URL=")
            yield process, kubeconfig, prometheus
        finally:
            process.kill()


@asynccontextmanager
async def watched(kubeconfig: str) -> AsyncIterator[tuple[Cluster, Reader, Writer]]:
    async with await connect(kubeconfig) as connection:
        reader = Reader(connection)
        cluster = Cluster(reader, (), time.time, ping=0.2)
        task = asyncio.create_task(cluster.run())
        try:
            async with asyncio.timeout(20):
                while not cluster.listed:
                    await cluster.changed.wait()
                    cluster.changed.clear()
            yield cluster, reader, Writer(connection)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def first_canary(cluster: Cluster) -> Rollout:
    async with asyncio.timeout(30):
        while True:
            for rollout in cluster.rollouts():
                if rollout.under_way and rollout.canary is not None and rollout.canary.ready:
                    return rollout
            cluster.changed.clear()
            await cluster.changed.wait()


async def enough(metrics: Metrics, cluster: Cluster, uid: str) -> Aligned:
    """Look each half second, as a worker does, until that canary has three steps."""
    async with asyncio.timeout(30):
        while True:
            aligned = await metrics.fetch(cluster.rollouts(), Look(time.time(), 1.0, 20))
            if uid in aligned.uids:
                row = aligned.uids.index(uid)
                if np.isfinite(aligned.requests[1][row]).sum() >= 3:
                    return aligned
            await asyncio.sleep(0.5)


def test_a_canary_is_seen_and_measured_beside_its_baseline(world: World) -> None:
    _, kubeconfig, prometheus = world

    async def run() -> None:
        metrics = Metrics(prometheus)
        async with watched(kubeconfig) as (cluster, _, _):
            assert {one.shape for one in cluster.rollouts()} == {Shape.CANARY, Shape.PAIR, Shape.ROLLING}
            assert len(cluster.rollouts()) == 9
            canary = await first_canary(cluster)
            aligned = await enough(metrics, cluster, canary.uid)
        await metrics.aclose()
        row = aligned.uids.index(canary.uid)
        baseline, measured = aligned.metrics[LATENCY_P99]
        assert np.nanmin(baseline[row]) > 1.0
        assert np.nanmin(measured[row]) > 1.0
        assert (aligned.errors[0][row] >= 0).any()
        assert np.nanmax(aligned.metrics["error_rate"][1][row]) <= 1.0
        assert 0 < np.nanmean(aligned.metrics["cpu_usage"][0][row]) < 8
        assert aligned.started[row] >= len(aligned.times) - 20
        assert metrics.states()[0].error == ""
        assert cluster.states()[0].error == ""

    asyncio.run(run())


def test_we_are_known_may_act_and_are_told_of_conflicts(world: World) -> None:
    async def run() -> None:
        async with watched(world[1]) as (cluster, reader, writer):
            assert await whoami(writer)
            access = Access(writer)
            assert (await access.may("", "argoproj.io", "rollouts", "status", "patch")).allowed
            rollout = next(one for one in cluster.rollouts() if one.shape is Shape.CANARY)
            path = f"/apis/argoproj.io/v1alpha1/namespaces/{rollout.namespace}/rollouts"
            stale = {"metadata": {"resourceVersion": "1", "annotations": {"a": "b"}}}
            with pytest.raises(Conflict):
                await writer.patch(f"{path}/{rollout.name}", stale)
            with pytest.raises(Gone, match="does not exist"):
                await reader.get(f"{path}/nobody", dict)
            await writer.patch(f"{path}/{rollout.name}", {"metadata": {"labels": {"seen": "yes"}}})
            async with asyncio.timeout(10):
                while not any(one.labels.get("seen") == "yes" for one in cluster.rollouts()):
                    cluster.changed.clear()
                    await cluster.changed.wait()

    asyncio.run(run())


def test_a_world_that_ends_leaves_an_old_picture_and_two_sentences(world: World) -> None:
    process, kubeconfig, prometheus = world

    async def run() -> None:
        metrics = Metrics(prometheus, scrape=1.0)
        async with watched(kubeconfig) as (cluster, _, _):
            await metrics.fetch(cluster.rollouts(), Look(time.time(), 1.0, 20))
            before = metrics.states()[0].at
            process.kill()
            async with asyncio.timeout(20):
                while not cluster.states()[0].error:
                    cluster.changed.clear()
                    await cluster.changed.wait()
            await metrics.fetch(cluster.rollouts(), Look(time.time(), 1.0, 20))
            assert len(cluster.rollouts()) == 9
            assert "API server" in cluster.states()[0].error
            assert metrics.states()[0].error.startswith("No answer from Prometheus at 127.0.0.1:")
            assert metrics.states()[0].at == before
        await metrics.aclose()

    asyncio.run(run())
