"""Lists in pages, watches as lines, and writes as they go over the wire."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import httpx
import msgspec
import pytest

from opsroom.errors import Unreachable
from opsroom.kube.failures import Expired
from opsroom.kube.objects import Event, Listing
from opsroom.kube.reader import Reader
from opsroom.kube.writer import JSON_PATCH, Writer

PATH = "/apis/apps/v1/deployments"


class Meta(msgspec.Struct):
    uid: str = ""
    resource_version: str = msgspec.field(name="resourceVersion", default="")


class Spec(msgspec.Struct):
    replicas: int = 1


class Thing(msgspec.Struct):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: Spec = msgspec.field(default_factory=Spec)


def thing(uid: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": "1", "managedFields": [{}]}, "spec": spec, "kind": "Thing"}


def page(items: list[Any] | None, version: str = "9", token: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": version, "continue": token, "remainingItemCount": 3}, "items": items}


def listed(server: Any) -> Listing[Thing]:
    return asyncio.run(Reader(server.connection()).list_pages(PATH, Thing))


def watched(server: Any, version: str = "5") -> list[Event[Thing]]:
    async def collect() -> list[Event[Thing]]:
        return [event async for event in Reader(server.connection()).watch(PATH, Thing, version)]

    return asyncio.run(collect())


def test_a_reader_has_no_way_to_send_anything_but_get() -> None:
    source = inspect.getsource(Reader)
    assert source.count("Request(") == source.count('Request("GET"') == 1
    assert not {"patch", "post", "put", "delete", "send"} & set(dir(Reader))


def test_a_list_comes_in_pages_of_one_moment(kube: Any) -> None:
    server = kube.Server(kube.body(page([thing("a")], token="more")), kube.body(page([thing("b")])))
    found = listed(server)
    assert [item.metadata.uid for item in found.items] == ["a", "b"]
    assert found.resource_version == "9"
    assert server.asked(0) == {"limit": "500"}
    assert server.asked(1) == {"limit": "500", "continue": "more"}


def test_a_list_whose_token_expired_begins_anew(kube: Any) -> None:
    server = kube.Server(
        kube.body(page([thing("old")], token="more")),
        kube.status(410, "Expired", "The provided continue parameter is too old"),
        kube.body(page([thing("new")])),
    )
    assert [item.metadata.uid for item in listed(server).items] == ["new"]


def test_an_empty_list_may_be_null(kube: Any) -> None:
    assert listed(kube.Server(kube.body(page(None)))).items == []


def test_one_object_of_another_shape_does_not_hide_the_others(kube: Any) -> None:
    odd = {"metadata": {"uid": "odd"}, "spec": {"replicas": {"from": "nowhere"}}}
    found = listed(kube.Server(kube.body(page([thing("a"), odd, thing("b", replicas="3")]))))
    assert [item.metadata.uid for item in found.items] == ["a", "b"]
    assert found.items[1].spec.replicas == 3
    assert found.unreadable == 1


def test_a_read_is_repeated_once_when_an_idle_connection_was_closed(kube: Any) -> None:
    server = kube.Server(httpx.RemoteProtocolError("Server disconnected"), kube.body(page([])))
    assert listed(server).items == []
    assert len(server.requests) == 2


def test_a_watch_reads_lines_however_they_are_cut(kube: Any) -> None:
    text = kube.line("ADDED", "a", "6") + kube.line("MODIFIED", "a", "7") + kube.line("BOOKMARK", "", "8")
    for size in (1, 7, 64, len(text)):
        chunks = [text[at : at + size] for at in range(0, len(text), size)]
        events = watched(kube.Server(kube.stream(*chunks)))
        assert [(event.type, event.object.metadata.resource_version) for event in events] == [
            ("ADDED", "6"),
            ("MODIFIED", "7"),
            ("BOOKMARK", "8"),
        ]


def test_a_watch_asks_for_bookmarks_and_an_end(kube: Any) -> None:
    server = kube.Server(kube.stream())
    assert watched(server, "42") == []
    asked = server.asked()
    assert (asked["watch"], asked["allowWatchBookmarks"], asked["resourceVersion"]) == ("1", "true", "42")
    assert 300 <= int(asked["timeoutSeconds"]) <= 600


def test_half_a_line_at_the_end_is_no_event_but_an_error_there_counts(kube: Any) -> None:
    assert watched(kube.Server(kube.stream(kube.line("ADDED", "a", "6")[:-9]))) == []
    with pytest.raises(Expired):
        watched(kube.Server(kube.stream(b'{"type":"ERROR","object":{"kind":"Status","code":410}}')))


@pytest.mark.parametrize("code", [410, 500])
def test_an_error_inside_a_watch_is_raised(kube: Any, code: int) -> None:
    failure = {"kind": "Status", "metadata": {}, "status": "Failure", "message": "too old", "code": code}
    error = msgspec.json.encode({"type": "ERROR", "object": failure}) + b"\n"
    with pytest.raises(Expired if code == 410 else Unreachable):
        watched(kube.Server(kube.stream(kube.line("ADDED", "a", "6"), error)))


def test_an_expired_version_may_also_be_an_answer(kube: Any) -> None:
    with pytest.raises(Expired):
        watched(kube.Server(kube.status(410, "Expired", "too old resource version")))


def test_odd_lines_are_passed_over(kube: Any) -> None:
    odd = b'{"type":"ADDED","object":{"spec":[]}}\n' + b"\xff\xfe\n" + b"{}\n"
    assert [
        event.object.metadata.uid for event in watched(kube.Server(kube.stream(odd, kube.line("ADDED", "a", "6"))))
    ] == ["a"]


def test_silence_ends_a_watch_in_peace_and_a_broken_one_does_not(kube: Any) -> None:
    assert len(watched(kube.Server(kube.stream(kube.line("ADDED", "a", "6"), httpx.ReadTimeout(""))))) == 1
    with pytest.raises(Unreachable, match="broke off"):
        watched(kube.Server(kube.stream(kube.line("ADDED", "a", "6"), httpx.ReadError("reset"))))


def test_a_write_names_its_manager_type_and_dry_run(kube: Any) -> None:
    server = kube.Server(kube.body({"kind": "Deployment"}))
    patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": "7"}]
    answer = asyncio.run(Writer(server.connection()).patch("/x", patch, content_type=JSON_PATCH, dry_run=True))
    assert answer == {"kind": "Deployment"}
    request = server.requests[0]
    assert (request.method, request.headers["Content-Type"]) == ("PATCH", JSON_PATCH)
    assert server.asked() == {"fieldManager": "opsroom", "dryRun": "All"}
    assert msgspec.json.decode(request.content) == patch


def test_null_in_a_patch_stays_null(kube: Any) -> None:
    server = kube.Server(kube.body({}))
    asyncio.run(Writer(server.connection()).patch("/x/status", {"status": {"pauseConditions": None}}))
    assert server.requests[0].content == b'{"status":{"pauseConditions":null}}'


def test_410_for_one_object_does_not_say_that_it_is_gone(kube: Any) -> None:
    server = kube.Server(kube.status(410, "Expired", "too old"), kube.status(410, "Expired", "too old"))
    with pytest.raises(Unreachable):
        asyncio.run(Reader(server.connection()).get(f"{PATH}/web", dict))
    with pytest.raises(Unreachable):
        asyncio.run(Writer(server.connection()).patch(f"{PATH}/web", {}))
