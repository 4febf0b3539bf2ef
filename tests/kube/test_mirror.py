"""The local copy stays true through everything a watch can do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from opsroom.errors import NotPermitted, Unreachable
from opsroom.kube.failures import NotServed
from opsroom.kube.mirror import BACKOFF_MAX, FIRST_REFUSAL, SLOWLY, Mirror
from opsroom.kube.reader import Reader


class Meta(msgspec.Struct, frozen=True):
    name: str = ""
    uid: str = ""
    resource_version: str = msgspec.field(name="resourceVersion", default="")


class Thing(msgspec.Struct, frozen=True):
    metadata: Meta = Meta()


class Enough(Exception):
    """The canned answers are used up."""


def item(uid: str, version: str = "1", name: str = "checkout") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": version}}


def page(*items: dict[str, Any], version: str = "10") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": version}, "items": list(items)}


class Run:
    """One run of a mirror over canned answers, with a clock that sleeping advances."""

    def __init__(self, server: Any, watch_lasts: float = 60.0, path: str = "/things") -> None:
        self.server = server
        self.news: list[tuple[str, str]] = []
        self.waits: list[float] = []
        self.now = 0.0
        self.lasts = watch_lasts
        self.mirror: Mirror[Thing] = Mirror(
            Reader(server.connection()), path, Thing, self.seen, clock=self.clock, sleep=self.sleep
        )
        self.after: list[Callable[[], None]] = []
        with pytest.raises(Enough):
            asyncio.run(self.mirror.run())

    def clock(self) -> float:
        self.now += self.lasts / 4
        return self.now

    def seen(self, old: Thing | None, new: Thing | None) -> None:
        kind = "new" if old is None else "gone" if new is None else "changed"
        self.news.append((kind, (new or old or Thing()).metadata.uid))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if not self.server.answers:
            raise Enough

    @property
    def paths(self) -> list[str]:
        return [str(request.url.params.get("resourceVersion", "list")) for request in self.server.requests]


def test_events_are_followed_and_a_clean_end_watches_on_from_there(kube: Any) -> None:
    run = Run(
        kube.Server(
            kube.body(page(item("a"))),
            kube.stream(
                kube.line("ADDED", "b", "11"), kube.line("DELETED", "a", "12"), kube.line("BOOKMARK", "", "20")
            ),
            kube.stream(kube.line("MODIFIED", "b", "21")),
        )
    )
    assert run.news == [("new", "a"), ("new", "b"), ("gone", "a"), ("changed", "b")]
    assert run.paths == ["list", "10", "20"]
    assert run.waits == [0.0, 0.0]
    assert list(run.mirror.objects) == ["b"]
    assert run.mirror.listed
    assert run.mirror.error is None


def test_a_version_that_is_too_old_lists_again_and_makes_up_the_deletes(kube: Any) -> None:
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "status": "Failure"}}
    run = Run(
        kube.Server(
            kube.body(page(item("a"), item("b"))),
            kube.stream(msgspec.json.encode(gone) + b"\n"),
            kube.body(page(item("b"), item("c"), version="90")),
            kube.stream(),
        )
    )
    assert run.news == [("new", "a"), ("new", "b"), ("new", "c"), ("gone", "a")]
    assert run.paths == ["list", "10", "list", "90"]


def test_an_object_deleted_and_made_again_between_lists_is_another_one(kube: Any) -> None:
    run = Run(
        kube.Server(
            kube.body(page(item("first", name="checkout"))),
            kube.status(410, "Expired", "too old"),
            kube.body(page(item("second", name="checkout"))),
            kube.stream(),
        )
    )
    assert run.news == [("new", "first"), ("new", "second"), ("gone", "first")]


def test_the_same_version_again_is_no_news(kube: Any) -> None:
    run = Run(kube.Server(kube.body(page(item("a", "7"))), kube.stream(kube.line("ADDED", "a", "7"))))
    assert run.news == [("new", "a")]


def test_trouble_is_waited_out_longer_and_longer_and_is_over_when_the_watch_opens(kube: Any) -> None:
    server = kube.Server(*[httpx.ConnectError("refused") for _ in range(8)], kube.body(page()), kube.stream())
    run = Run(server, watch_lasts=0.0)
    assert all(0 <= wait <= min(BACKOFF_MAX, 0.8 * 2**turn) for turn, wait in enumerate(run.waits))
    assert max(run.waits) > 1.0
    assert run.mirror.error is None


def test_a_stream_that_ends_at_once_is_not_opened_again_in_a_busy_loop(kube: Any) -> None:
    run = Run(kube.Server(kube.body(page()), *[kube.stream() for _ in range(9)]), watch_lasts=0.0)
    assert sum(run.waits) > 1.0


def test_a_missing_right_is_shown_and_asked_for_slowly(kube: Any) -> None:
    run = Run(kube.Server(*[kube.status(403, "Forbidden", "forbidden") for _ in range(6)]))
    assert isinstance(run.mirror.error, NotPermitted)
    assert run.waits[0] <= FIRST_REFUSAL * 1.25
    assert run.waits[-1] >= SLOWLY * 0.75


def test_a_right_that_is_lost_on_the_way_is_shown_and_asked_for_soon(kube: Any) -> None:
    run = Run(kube.Server(kube.body(page(item("a"))), kube.status(403, "Forbidden", "forbidden")))
    assert isinstance(run.mirror.error, NotPermitted)
    assert run.waits[-1] <= BACKOFF_MAX
    assert list(run.mirror.objects) == ["a"]


PATH = "/apis/acme.io/v1/things"
NOT_FOUND = httpx.Response(404, text="404 page not found")


def away(kube: Any, times: int, groups: list[str] | None, then: list[Any]) -> Run:
    """A kind that was there, then is 404 so often; discovery names ``groups`` (None: it does not answer)."""
    answers = [kube.body(page(item("a"))), kube.stream(), *[NOT_FOUND] * times, *then]

    def answer(request: httpx.Request) -> Any:
        if request.url.path == "/apis/acme.io/v1":
            return httpx.Response(404, text="404 page not found")
        if request.url.path == "/apis":
            found = [{"versions": [{"groupVersion": name}]} for name in groups or ()]
            return kube.status(503) if groups is None else kube.body({"groups": found})
        return server.answers.pop(0)

    server = kube.Server(*answers, answer=answer)
    return Run(server, watch_lasts=40.0, path=PATH)


def test_a_kind_that_is_away_for_a_moment_keeps_its_objects_and_grows_old(kube: Any) -> None:
    run = away(kube, 3, ["acme.io/v1"], [kube.body(page(item("a"))), kube.stream()])
    assert run.news == [("new", "a")]
    assert run.mirror.error is None

    still = away(kube, 30, ["acme.io/v1"], [])
    assert still.news == [("new", "a")]
    assert isinstance(still.mirror.error, Unreachable)
    assert "though it did before" in str(still.mirror.error)
    assert still.mirror.at is not None
    assert still.now - still.mirror.at > 300.0


def test_a_kind_that_discovery_does_not_name_any_more_is_gone_after_a_while(kube: Any) -> None:
    run = away(kube, 30, ["apps/v1"], [])
    assert run.news == [("new", "a"), ("gone", "a")]
    assert type(run.mirror.error) is NotServed
    assert away(kube, 2, ["apps/v1"], []).news == [("new", "a")]


def test_nothing_is_gone_while_discovery_does_not_answer(kube: Any) -> None:
    assert away(kube, 30, None, []).news == [("new", "a")]


def test_what_came_back_as_something_else_is_told_so(kube: Any) -> None:
    run = away(kube, 3, [], [kube.body(page(item("b"))), kube.stream()])
    assert sorted(run.news) == [("gone", "a"), ("new", "a"), ("new", "b")]


def test_the_servers_own_wish_for_patience_is_kept(kube: Any) -> None:
    busy = httpx.Response(429, headers={"Retry-After": "5"}, json={})
    run = Run(kube.Server(busy, kube.body(page()), kube.stream()))
    assert 5.0 <= run.waits[0] <= 6.25
