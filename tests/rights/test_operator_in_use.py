"""A person with the printed rights of an operator: every deed and every shared fact, and nothing beyond."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opsroom.cli.deeds import intent_for
from opsroom.delivery import queue_facts, shared
from opsroom.delivery.act import Setting, run_deed
from opsroom.delivery.doors import JSON_PATCH
from opsroom.delivery.engines import body
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Journal
from opsroom.domain.board import Row
from opsroom.domain.deed import Deed, DeedState, Refusal, Verb
from opsroom.domain.queue import QueueState
from opsroom.domain.rollout import Engine, Phase
from opsroom.feed.client import FeedClient
from opsroom.kube.access import may
from opsroom.kube.connection import Connection, connect
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.sources.pod_logs import pod_logs
from tests.rights.stage import at_work, beside_the_worker, in_the_queue, new_versions_for_canaries

ANNA = "anna"


class Person:
    """Deeds with one connection's credentials."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.reader, self.writer = Reader(connection), Writer(connection)
        self.folder = folder
        self.deeds: list[Deed] = []
        self._running: list[asyncio.Future[int]] = []

    async def does(self, row: Row, verb: Verb) -> Deed:
        """Begin a deed; what it was when it was accepted or refused."""
        told: list[Deed] = []
        answered = asyncio.Event()

        def emit(deed: Deed) -> None:
            told.append(deed)
            if deed.state not in (DeedState.JOURNALLED, DeedState.SENT):
                answered.set()

        async def connect() -> Hands:
            async def allowed(*question: str) -> Any:
                return await may(self.writer, *question)

            journal = Journal(self.folder / "anna.jsonl", ANNA)
            return Hands(self.reader, self.writer, journal, may=allowed, user=ANNA)

        intent = intent_for(row, verb, reason="", force=True, now=time.time())
        setting = Setting(connect=connect, emit=emit)
        self._running.append(asyncio.ensure_future(run_deed(intent, setting)))
        await asyncio.wait_for(answered.wait(), 20)
        return told[-1]

    async def did(self, client: FeedClient, holds: Callable[[Row], bool], verb: Verb) -> bool:
        """Whether a deed on the first such row was accepted; the world may have moved on before it came."""
        row = first(client, holds)
        return row is not None and (await self.does(row, verb)).state not in (DeedState.REFUSED, DeedState.FAILED)

    async def close(self) -> None:
        """Leave what is still under way to be settled by others."""
        for one in self._running:
            one.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def first(client: FeedClient, holds: Callable[[Row], bool]) -> Row | None:
    return next((row for row in client.board.rows.values() if holds(row)), None)


def paused(row: Row) -> bool:
    return row.rollout.engine is Engine.ARGO and row.rollout.phase is Phase.PAUSED and row.rollout.pause is not None


def under_analysis(row: Row) -> bool:
    return row.rollout.engine is Engine.FLAGGER and row.rollout.phase is Phase.PROGRESSING


def deployed_in(row: Row, namespaces: set[str]) -> bool:
    return row.rollout.engine is Engine.DEPLOYMENT and row.rollout.namespace in namespaces


async def past_the_hold(person: Person, row: Row) -> None:
    """Change a template as a roll back does: in one patch with a new mark."""
    target = f"/apis/apps/v1/namespaces/{row.rollout.namespace}/deployments/{row.rollout.name}"
    seen = await person.reader.get(target, dict)
    intent = intent_for(row, Verb.ROLL_BACK, reason="", force=True, now=time.time())
    template = seen["spec"]["template"]
    template["metadata"].setdefault("annotations", {})["test"] = "former"
    patch = body.template(seen, intent, template, unpause=True)
    stored = await person.writer.patch(target, patch, content_type=JSON_PATCH)
    assert "paused" not in stored["spec"]


async def everything_shared(person: Person) -> None:
    """Freeze, queue and acknowledgement, there and back."""
    writer = person.writer
    await shared.freeze(writer, ANNA, "a test", time.time)
    await shared.thaw(writer)
    await shared.queue_off(writer)
    await shared.queue_on(writer)
    await queue_facts.write_state(writer, QueueState.PAUSED, ANNA)
    await shared.write_map(writer, shared.ACKNOWLEDGED, {"uid": "{}"})


async def logs_read(person: Person, client: FeedClient) -> bool:
    """Whether the logs of some running canary could be read, as the board's page reads them."""
    for row in client.board.rows.values():
        if row.rollout.canary is not None and row.rollout.canary.ready:
            side = (await pod_logs(person.reader, row.rollout)).canary
            if side is not None and side.pods and not side.error:
                return True
    return False


def test_an_operator_uses_every_right_that_is_granted_and_needs_no_other(
    open_cluster: Any, record: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_cluster(seed=7, services=24, change_rate=600.0) as cluster:
            documents = rights.manifest("operator --user anna --prometheus kube:opsroom/prometheus:9090")
            await cluster.apply(documents + rights.manifest("hold"))
            queued = await in_the_queue(cluster)
            await new_versions_for_canaries(cluster)
            kubeconfig, wanted = cluster.kubeconfig(ANNA), rights.granted(documents)
            async with (
                await connect(str(kubeconfig)) as connection,
                at_work(kubeconfig, cluster, tmp_path, "observe") as client,
            ):
                person = Person(connection, tmp_path)
                await beside_the_worker(connection, asks=False)
                await everything_shared(person)
                await until(lambda: first(client, lambda row: deployed_in(row, queued)))
                here = first(client, lambda row: deployed_in(row, queued))
                assert here is not None
                await past_the_hold(person, here)
                for holds, verb in (
                    (paused, Verb.FLAG),
                    (paused, Verb.ACKNOWLEDGE),
                    (lambda row: paused(row) and not row.two_people, Verb.PROMOTE),
                    (lambda row: paused(row) and row.two_people, Verb.PROMOTE),
                    (under_analysis, Verb.FLAG),
                    (under_analysis, Verb.ROLL_BACK),
                ):
                    await until(lambda holds=holds, verb=verb: person.did(client, holds, verb))
                await until(lambda: logs_read(person, client))
                await until(lambda: wanted <= record.used(ANNA), lambda: wanted - record.used(ANNA))
                await person.close()

    asyncio.run(work())
    assert record.refusals(ANNA) == set()


def test_two_namespaces_are_enough_and_the_keys_say_what_is_missing(
    open_cluster: Any, record: Any, rights: Any, until: Any, tmp_path: Path
) -> None:
    """May look at two namespaces, act in one of them, list none."""
    looked: set[tuple[str, str, str, str]] = set()

    async def work() -> None:
        async with open_cluster(seed=7, services=24, change_rate=2000.0) as cluster:
            await cluster.apply(rights.manifest("operator --user anna -n payments"))
            await cluster.apply(rights.manifest("wall -n search"))
            looks = [one for one in rights.manifest("wall -n search") if one["kind"] == "RoleBinding"]
            for one in looks:
                one["metadata"]["name"] += "-anna"
                one["subjects"] = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": ANNA}]
            await cluster.apply(looks)
            kubeconfig, spaces = cluster.kubeconfig(ANNA), ("payments", "search")
            async with (
                await connect(str(kubeconfig)) as connection,
                at_work(kubeconfig, cluster, tmp_path, "observe", namespaces=spaces) as client,
            ):

                def asked_in(namespace: str) -> Row | None:
                    return first(
                        client,
                        lambda row: row.rollout.namespace == namespace and row.may_roll_back.allowed is not None,
                    )

                await until(lambda: asked_in("payments") and asked_in("search"))
                assert {row.rollout.namespace for row in client.board.rows.values()} == set(spaces)
                may_not, does = asked_in("search"), asked_in("payments")
                assert may_not is not None
                assert does is not None
                assert does.may_roll_back.allowed is True
                assert may_not.may_roll_back.allowed is False
                assert may_not.may_roll_back.missing.startswith("patch ")
                looked.update(record.refusals(ANNA))
                person = Person(connection, tmp_path)
                deed = await person.does(may_not, Verb.ROLL_BACK)
                assert deed.refusal is Refusal.NO_RIGHT
                await person.close()
                room = client.board.room
                assert room is not None
                kube = next(source for source in room.sources if source.name == "kube")
                assert kube.error == ""

    asyncio.run(work())
    assert looked <= {("", "namespaces", "list", "")}
