"""Watch streams: what they begin with, what they send, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from opsroom.simulator.kube.access import User
from opsroom.simulator.kube.calls import Call, Target, parse_target
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.watching import Hub, Watch

ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class Bench:
    """A store, and streams from it."""

    def __init__(self) -> None:
        self.store = Store(lambda: 0.0, seed=1)
        self.hub = Hub(self.store)
        for name, team in (("a", "red"), ("b", "blue")):
            self.make(name, team)

    def make(self, name: str, team: str = "red", namespace: str = "shop") -> None:
        meta = {"name": name, "labels": {"team": team}}
        self.store.create("rollouts", {"metadata": meta, "spec": {"replicas": 1}}, namespace=namespace)

    def merge(self, name: str, patch: dict[str, Any]) -> None:
        self.store.merge("rollouts", "shop", name, patch)

    def watch(self, path: str = ROLLOUTS, accept: str = "application/json", **query: str) -> Watch:
        target = parse_target(path)
        assert isinstance(target, Target)
        query = {"watch": "1", "timeoutSeconds": "1", **query}
        return Watch(self.store, self.hub, Call("GET", target, User("x"), query, {"accept": accept}, b""))

    def now(self) -> str:
        return str(self.store.rv)


async def lines(watch: Watch, deed: Callable[[], object] = lambda: None, count: int = 0) -> list[Any]:
    """The first `count` lines after `deed` was done (0: those the stream begins with)."""
    stream = watch.lines()
    first = await anext(stream)
    got = [msgspec.json.decode(line) for line in first.splitlines()]
    deed()
    while len(got) < count:
        chunk = await asyncio.wait_for(anext(stream), 5)
        got += [msgspec.json.decode(line) for line in chunk.splitlines()]
    await stream.aclose()  # type: ignore[attr-defined]
    return got


def run(deed: Awaitable[list[Any]]) -> list[tuple[str, str]]:
    async def all_of() -> list[Any]:
        return await deed

    return [(one["type"], one["object"]["metadata"].get("name", "")) for one in asyncio.run(all_of())]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_from_a_version_on_there_are_only_changes(bench: Bench) -> None:
    then = bench.now()
    bench.merge("a", {"spec": {"replicas": 2}})
    bench.store.delete("rollouts", "shop", "b")
    bench.make("c")
    assert run(lines(bench.watch(resourceVersion=then))) == [("MODIFIED", "a"), ("DELETED", "b"), ("ADDED", "c")]


@pytest.mark.parametrize("version", ["", "0"])
def test_without_a_version_everything_comes_first(bench: Bench, version: str) -> None:
    assert run(lines(bench.watch(resourceVersion=version))) == [("ADDED", "a"), ("ADDED", "b")]


def test_initial_events_end_with_a_marked_bookmark(bench: Bench) -> None:
    watch = bench.watch(sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true")
    got = asyncio.run(lines(watch))
    assert [one["type"] for one in got] == ["ADDED", "ADDED", "BOOKMARK"]
    meta = got[-1]["object"]["metadata"]
    assert meta == {"resourceVersion": bench.now(), "annotations": {"k8s.io/initial-events-end": "true"}}


def test_initial_events_need_their_companions(bench: Bench) -> None:
    with pytest.raises(ApiError) as refused:
        bench.watch(sendInitialEvents="true")
    assert refused.value.code == 422


def test_changes_arrive_while_the_stream_is_open_and_once(bench: Bench) -> None:
    watch = bench.watch(resourceVersion=bench.now())

    def deed() -> None:
        bench.merge("a", {"spec": {"replicas": 2}})
        bench.make("elsewhere", namespace="other")
        bench.make("c")

    assert run(lines(watch, deed, 2)) == [("MODIFIED", "a"), ("ADDED", "c")]


def test_leaving_the_selector_is_a_deletion_in_the_previous_state(bench: Bench) -> None:
    watch = bench.watch(resourceVersion=bench.now(), labelSelector="team=red")

    def deed() -> None:
        bench.merge("b", {"spec": {"replicas": 5}})
        bench.merge("a", {"metadata": {"labels": {"team": "blue"}}})
        bench.merge("b", {"metadata": {"labels": {"team": "red"}}})

    got = asyncio.run(lines(watch, deed, 2))
    assert [(one["type"], one["object"]["metadata"]["name"]) for one in got] == [("DELETED", "a"), ("ADDED", "b")]
    assert got[0]["object"]["metadata"]["labels"] == {"team": "red"}
    assert int(got[0]["object"]["metadata"]["resourceVersion"]) == bench.store.rv - 1


def test_one_object_can_be_watched_by_its_name(bench: Bench) -> None:
    assert run(lines(bench.watch(f"{ROLLOUTS}/b"))) == [("ADDED", "b")]
    assert run(lines(bench.watch(fieldSelector="metadata.name=a"))) == [("ADDED", "a")]


def test_a_version_that_is_gone_is_an_error_in_the_stream(bench: Bench) -> None:
    bench.make("c")
    bench.store.compact()
    (error,) = asyncio.run(lines(bench.watch(resourceVersion="101")))
    assert error["type"] == "ERROR"
    assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")


def test_garbage_and_the_future(bench: Bench) -> None:
    with pytest.raises(ApiError) as refused:
        bench.watch(resourceVersion="abc")
    assert refused.value.code == 500
    assert run(lines(bench.watch(resourceVersion="99999999"))) == []


def test_the_stream_ends_at_its_time_and_leaves_the_hub(bench: Bench) -> None:
    async def until_the_end() -> list[bytes]:
        return [chunk async for chunk in bench.watch(resourceVersion=bench.now()).lines()]

    assert b"".join(asyncio.run(until_the_end())) == b""
    assert not any(bench.hub._watches.values())


def test_bookmarks_come_to_those_who_ask_before_the_end(bench: Bench) -> None:
    watch = bench.watch(resourceVersion=bench.now(), allowWatchBookmarks="true", timeoutSeconds="3")
    assert run(lines(watch, lambda: None, 1)) == [("BOOKMARK", "")]


def test_a_table_watch_names_its_columns_once(bench: Bench) -> None:
    first, second = asyncio.run(lines(bench.watch(accept=TABLE)))
    assert [column["name"] for column in first["object"]["columnDefinitions"]][:2] == ["Name", "Desired"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][:2] == ["b", 1]


def test_events_are_watched_in_either_spelling(bench: Bench) -> None:
    about = {"kind": "Rollout", "name": "a"}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "message": "said", "reason": "R", "type": "Normal"}
    bench.store.create("events", event, namespace="shop")
    (old,) = asyncio.run(lines(bench.watch("/api/v1/namespaces/shop/events")))
    (new,) = asyncio.run(lines(bench.watch("/apis/events.k8s.io/v1/namespaces/shop/events")))
    assert (old["object"]["message"], old["object"]["apiVersion"]) == ("said", "v1")
    assert (new["object"]["note"], new["object"]["regarding"]) == ("said", about)
