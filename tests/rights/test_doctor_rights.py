"""``opsroom doctor`` under the credentials of roles: it says what each may and may not, and finds everybody's data."""

from __future__ import annotations

import asyncio
from typing import Any

from opsroom.cli.doctor_cluster import cluster_findings
from opsroom.cli.doctor_findings import Finding, Status
from opsroom.config.settings import Prometheus, Settings


async def findings(cluster: Any, kubeconfig: Any, *namespaces: str, **settings: Any) -> dict[str, Finding]:
    told: list[Finding] = []
    asked = Settings(
        kubeconfig=str(kubeconfig), namespaces=namespaces, prometheus=Prometheus(url=cluster.prometheus), **settings
    )
    await cluster_findings(asked, told.append)
    return {one.check: one for one in told}


def test_an_operator_of_one_namespace_is_told_what_is_there_and_nothing_is_missing(
    open_cluster: Any, rights: Any, record: Any
) -> None:
    async def ask() -> dict[str, Finding]:
        async with open_cluster(seed=7, services=12) as cluster:
            await cluster.apply(rights.manifest("operator --user anna -n payments") + rights.manifest("hold"))
            return await findings(cluster, cluster.kubeconfig("anna"), "payments")

    told = asyncio.run(ask())
    assert {one.status for name, one in told.items() if name.startswith("may")} == {Status.OK}
    assert told["who am I"].detail == "anna"
    assert told["hold at admission"].detail == "on"
    assert told["clock"].status is Status.OK
    assert told["engines"].detail == "Argo Rollouts, Flagger, Deployments"
    assert told["preset"].detail.startswith("http")
    assert "nobody" in told["decider"].detail
    assert record.refusals("anna") == set()


def test_who_may_nothing_is_told_what_to_ask_for(open_cluster: Any) -> None:
    async def ask() -> dict[str, Finding]:
        async with open_cluster(seed=7, services=4) as cluster:
            return await findings(cluster, cluster.kubeconfig("nobody"))

    told = asyncio.run(ask())
    assert told["may watch"].status is Status.FAIL
    assert "list+watch deployments, replicasets, pods, events, rollouts, canaries" in told["may watch"].detail
    assert told["may watch"].fix == "Ask for: opsroom manifest wall"
    assert told["may roll back"].status is Status.WARN
    assert "patch deployments, rollouts/status" in told["may roll back"].detail
    assert told["namespaces"].status is Status.WARN


def test_read_only_sends_no_reviews(open_cluster: Any, record: Any) -> None:
    async def ask() -> dict[str, Finding]:
        async with open_cluster(seed=7, services=4) as cluster:
            await cluster.apply([])
            return await findings(cluster, cluster.kubeconfig("anna"), read_only=True)

    told = asyncio.run(ask())
    assert told["rights"].status is Status.WARN
    assert "create" not in {asked.verb for name, asked in record.allowed + record.refused if name == "anna"}
