"""One kind of fault at a time: what is learnt stays true, and a deed is stored at most once and told truthfully."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from opsroom.delivery.deliver import deliver
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Journal, verify
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.mirror import Mirror
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.sources.aligned import Look
from opsroom.sources.kinds import Deployment
from tests.faults.proxy import FaultProxy, server_of
from tests.faults.record import Record
from tests.faults.stage import Sim
from tests.faults.weather import Kind, Schedule, Side, Weather
from tests.sources.answering import Told

DEPLOYMENTS = "/apis/apps/v1/deployments"
WATCH_FAULTS = (Kind.CUT, Kind.EXPIRE, Kind.REPEAT, Kind.BOOKMARK, Kind.LAG, Kind.TRUNCATE, Kind.LOSE, Kind.DELAY)


class Stage:
    """A connection through a fault proxy."""

    def __init__(self, connection: Connection, weather: Weather, record: Record) -> None:
        self.connection, self.weather, self.record = connection, weather, record
        self.reader, self.writer = Reader(connection), Writer(connection)

    def stored(self) -> int:
        """Patches that the server took."""
        return sum(1 for one in self.record.calls if one.method == "PATCH" and 200 <= one.upstream < 300)


@asynccontextmanager
async def opened(sim: Sim) -> AsyncIterator[Stage]:
    weather, record = Weather(Schedule(seed=1, seconds=0)), Record()
    proxy = FaultProxy("me", Side.KUBE, server_of(sim.kubeconfig), weather, record)
    await proxy.start()
    try:
        async with Connection(Endpoint(host=proxy.url)) as connection:
            yield Stage(connection, weather, record)
    finally:
        await proxy.stop()


PATIENCE = 60.0
"""Seconds; for a machine that does other things meanwhile."""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - the mirror tells nobody
            await asyncio.sleep(0.02)


def there(sim: Sim) -> dict[str, str]:
    """What the API server itself says now: versions of all Deployments by uid."""
    listing: dict[str, Any] = httpx.get(server_of(sim.kubeconfig) + DEPLOYMENTS, timeout=PATIENCE).json()
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in listing["items"]}


def poke(sim: Sim) -> None:
    """Change a Deployment, so that there is an event."""
    server = server_of(sim.kubeconfig)
    metadata = httpx.get(server + DEPLOYMENTS, timeout=PATIENCE).json()["items"][0]["metadata"]
    path = f"/apis/apps/v1/namespaces/{metadata['namespace']}/deployments/{metadata['name']}"
    body = {"metadata": {"annotations": {"poked": uuid.uuid4().hex}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    httpx.patch(server + path, json=body, headers=headers, timeout=PATIENCE).raise_for_status()


@pytest.mark.parametrize("kind", WATCH_FAULTS)
def test_the_picture_is_true_again_after(kind: Kind, quiet_sim: Sim) -> None:
    async def run() -> None:
        async with opened(quiet_sim) as stage:
            mirror = Mirror(stage.reader, DEPLOYMENTS, Deployment, lambda *_: None, clock=lambda: 0.0)
            watching = asyncio.ensure_future(mirror.run())
            stage.weather.add(kind, share=0.5, wait=0.3)
            async with asyncio.timeout(PATIENCE):
                while stage.record.faults[f"kube:{kind}"] < 2:
                    poke(quiet_sim)
                    await asyncio.sleep(0.05)
            stage.weather.clear()

            def true() -> bool:
                seen = {uid: one.metadata.resource_version for uid, one in mirror.objects.items()}
                return mirror.error is None and seen == there(quiet_sim)

            await until(true)
            watching.cancel()

    asyncio.run(run())


def flag(item: dict[str, Any]) -> Intent:
    """A person's flag: one patch through the whole path of a deed, that no controller reacts to."""
    metadata = item["metadata"]
    target = Target(
        uid=Uid(metadata["uid"]),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace=metadata["namespace"],
        name=metadata["name"],
    )
    seen = Precondition(canary_hash=item["status"]["currentPodHash"])
    # The trials share a world: a flag that another one left must not pass for this one's own.
    return Intent(id=uuid.uuid4().hex, verb=Verb.FLAG, target=target, precondition=seen, actor=uuid.uuid4().hex, at=1.0)


async def deed(stage: Stage, kind: Kind, folder: Path, **more: Any) -> list[Deed]:
    """A flag on some Rollout while every write meets ``kind`` (for a second).

    The world goes on meanwhile: where it has just touched or replaced the very canary, another one is flagged.
    """
    states = await _deed(stage, kind, folder / "first.jsonl", **more)
    if states[-1].refusal in (Refusal.CHANGED, Refusal.CONFLICT):
        assert stage.stored() == 0
        stage.weather.clear()
        states = await _deed(stage, kind, folder / "second.jsonl", **more)
    return states


async def _deed(stage: Stage, kind: Kind, file: Path, **more: Any) -> list[Deed]:
    listing: dict[str, Any] = await stage.reader.get("/apis/argoproj.io/v1alpha1/rollouts", dict)
    item = next(one for one in listing["items"] if one.get("status", {}).get("currentPodHash"))
    intent = flag(item)
    stage.record.calls.clear()
    stage.weather.add(kind, **more)
    asyncio.get_running_loop().call_later(1.0, stage.weather.clear)
    journal = Journal(file, "me")
    states = [one async for one in deliver(intent, Hands(stage.reader, stage.writer, journal, patience=PATIENCE))]
    assert verify(journal.path) == []
    return states


WENT_THROUGH = [
    (Kind.LATE_TIMEOUT, {}),
    (Kind.LOSE, {"only": "rollouts"}),
    (Kind.TRUNCATE, {"share": 0.5}),
    (Kind.DOUBLE, {}),
    (Kind.DELAY, {"wait": 0.4}),
    (Kind.FREEZE, {}),
    (Kind.STATUS, {"code": 429, "retry_after": 0.6}),
]


@pytest.mark.parametrize(("kind", "more"), WENT_THROUGH)
def test_a_deed_that_went_through_is_found_done_and_stored_once(
    kind: Kind, more: dict[str, Any], quiet_sim: Sim, tmp_path: Path
) -> None:
    async def run() -> None:
        async with opened(quiet_sim) as stage:
            states = await deed(stage, kind, tmp_path, **more)
            if states[-1].state is DeedState.REFUSED:
                # The fault hit the look before it: then nothing may have been sent.
                assert kind in (Kind.LOSE, Kind.TRUNCATE, Kind.STATUS), states[-1]
                assert stage.stored() == 0
                return
            assert states[-1].state is DeedState.DONE
            assert stage.stored() == 1

    asyncio.run(run())


REFUSED = [
    (401, Refusal.UNAUTHORIZED),
    (403, Refusal.NO_RIGHT),
    (409, Refusal.CONFLICT),
    (410, Refusal.UNREACHABLE),
    (500, Refusal.UNREACHABLE),
    (503, Refusal.UNREACHABLE),
]


@pytest.mark.parametrize(("code", "refusal"), REFUSED)
def test_a_deed_that_was_refused_is_never_sent_blindly_again(
    code: int, refusal: Refusal, quiet_sim: Sim, tmp_path: Path
) -> None:
    async def run() -> None:
        async with opened(quiet_sim) as stage:
            weather = stage.weather
            weather.hit, real = (lambda *a, **k: None), weather.hit  # type: ignore[method-assign]
            listing: dict[str, Any] = await stage.reader.get("/apis/argoproj.io/v1alpha1/rollouts", dict)
            intent = flag(next(one for one in listing["items"] if one.get("status", {}).get("currentPodHash")))
            weather.hit = real  # type: ignore[method-assign]
            stage.record.calls.clear()
            journal = Journal(tmp_path / "journal.jsonl", "me")
            carried = deliver(intent, Hands(stage.reader, _Refusing(stage, code), journal, patience=3.0))
            states = [one async for one in carried]
            assert (states[-1].state, states[-1].refusal) == (DeedState.REFUSED, refusal)
            assert stage.stored() == 0
            # Each further try was preceded by a new look.
            calls = [call.method for call in stage.record.calls if "rollouts/" in call.path]
            assert "PATCH PATCH" not in " ".join(calls)

    asyncio.run(run())


class _Refusing(Writer):
    """Writes meet the weather, looks do not."""

    def __init__(self, stage: Stage, code: int) -> None:
        super().__init__(stage.connection)
        self._weather, self._code = stage.weather, code

    async def _send(self, *words: Any) -> dict[str, Any]:
        self._weather.add(Kind.STATUS, code=self._code)
        try:
            return await super()._send(*words)
        finally:
            self._weather.clear()


PROMETHEUS_FAULTS = [
    (Kind.REFUSE, {}),
    (Kind.TRUNCATE, {}),
    (Kind.GARBAGE, {}),
    (Kind.STATUS, {"code": 503}),
    (Kind.STATUS, {"code": 401}),
    (Kind.STATUS, {"code": 429, "retry_after": 1.0}),
    (Kind.FREEZE, {}),
]


@pytest.mark.parametrize(("kind", "more"), PROMETHEUS_FAULTS)
def test_a_broken_prometheus_is_told_keeps_its_age_and_is_well_again_afterwards(
    kind: Kind, more: dict[str, Any], quiet_sim: Sim
) -> None:
    async def run() -> None:
        weather, record = Weather(Schedule(seed=1, seconds=0)), Record()
        proxy = FaultProxy("me", Side.PROMETHEUS, quiet_sim.prometheus, weather, record)
        await proxy.start()
        source = Told(proxy.url, seconds=0.5 if kind is Kind.FREEZE else 10.0)
        times = itertools.count(await _now(quiet_sim), 2.0)

        async def well() -> float:
            async with asyncio.timeout(PATIENCE):
                # On a busy machine the first answers may not come in time.
                for now in times:
                    await source.fetch((), Look(now, 2.0, 30))
                    if not source.states()[0].error:
                        return now
            raise AssertionError

        try:
            before = await well()
            assert source.states()[0].at == before
            weather.add(kind, Side.PROMETHEUS, **more)
            for _ in range(7):
                await source.fetch((), Look(next(times), 2.0, 30))
            state = source.states()[0]
            assert (state.at, bool(state.error)) == (before, True)
            weather.clear()
            after = await well()
            assert source.states()[0].at == after
        finally:
            await source.aclose()
            await proxy.stop()

    asyncio.run(run())


async def _now(sim: Sim) -> float:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.get(f"{sim.prometheus}/api/v1/query", params={"query": "time()"})
    value: float = float(msgspec.json.decode(answer.content)["data"]["result"][1])
    return value
