"""Who is let in to a feed that can be reached from outside, and what they see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opsroom.errors import NotPermitted, OpsroomError, Unauthorized, Unreachable
from opsroom.feed.published import Viewer
from opsroom.kube.writer import Writer
from opsroom.worker.doorkeeper import AT_ONCE, REFUSED_FOR, REMEMBERED, Doorkeeper


class ApiServer:
    """Answers reviews: who holds which token, and in which namespaces they may list rollouts (empty: all)."""

    def __init__(self) -> None:
        self.tokens = {"sre-token": "sre", "dev-token": "dev", "guest-token": "guest"}
        self.may = {"sre": {""}, "dev": {"shop"}}
        self.asked: list[dict[str, Any]] = []
        self.trouble: OpsroomError | None = None

    async def post(self, path: str, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.trouble is not None:
            raise self.trouble
        self.asked.append(body)
        if body["kind"] == "TokenReview":
            user = self.tokens.get(body["spec"]["token"])
            if user is None:
                return {"status": {"error": "invalid bearer token"}}
            return {"status": {"authenticated": True, "user": {"username": user, "groups": ["all"]}}}
        attributes = body["spec"]["resourceAttributes"]
        assert (attributes["verb"], attributes["group"], attributes["resource"]) == ("list", "argoproj.io", "rollouts")
        return {"status": {"allowed": attributes.get("namespace", "") in self.may.get(body["spec"]["user"], set())}}


class Door:
    """A doorkeeper with its API server and a clock to turn."""

    def __init__(self) -> None:
        self.server = ApiServer()
        self.now = 0.0
        self.connected = True
        self.keeper = Doorkeeper(self._writer, lambda: ("shop", "risk"), lambda: self.now)

    def _writer(self) -> Writer | None:
        return self.server if self.connected else None  # type: ignore[return-value]

    def ask(self, token: str) -> Viewer:
        return asyncio.run(self.keeper(token))


@pytest.fixture
def door() -> Door:
    return Door()


def test_who_may_list_everywhere_sees_everything(door: Door) -> None:
    assert door.ask("sre-token") == Viewer(name="sre", namespaces=None)


def test_others_see_the_namespaces_they_may_list(door: Door) -> None:
    assert door.ask("dev-token") == Viewer(name="dev", namespaces=frozenset({"shop"}))


def test_who_may_list_nothing_is_not_let_in(door: Door) -> None:
    with pytest.raises(NotPermitted, match="guest"):
        door.ask("guest-token")


@pytest.mark.parametrize("token", ["", "nobody's", "x" * 20_000, "a\nb", "\x1b[2J"])
def test_no_token_and_nobodys_token_are_not_let_in(token: str, door: Door) -> None:
    with pytest.raises(Unauthorized):
        door.ask(token)


def test_only_plausible_tokens_are_shown_to_the_api_server(door: Door) -> None:
    for token in ("", "x" * 20_000, "a\nb"):
        with pytest.raises(Unauthorized):
            door.ask(token)
    assert door.server.asked == []


def test_an_answer_is_remembered_for_a_while_and_then_asked_again(door: Door) -> None:
    door.ask("sre-token")
    questions = len(door.server.asked)
    door.now = REMEMBERED - 1
    door.ask("sre-token")
    assert len(door.server.asked) == questions
    door.server.may["sre"] = set()
    door.now = REMEMBERED
    with pytest.raises(NotPermitted):
        door.ask("sre-token")


def test_a_refusal_is_remembered_for_less(door: Door) -> None:
    with pytest.raises(NotPermitted):
        door.ask("guest-token")
    door.server.may["guest"] = {"risk"}
    with pytest.raises(NotPermitted):
        door.ask("guest-token")
    door.now = REFUSED_FOR
    assert door.ask("guest-token").namespaces == frozenset({"risk"})


@pytest.mark.parametrize("trouble", [NotPermitted("no right"), Unreachable("away"), OpsroomError("odd")])
def test_nobody_is_let_in_because_a_question_could_not_be_asked(trouble: OpsroomError, door: Door) -> None:
    door.server.trouble = trouble
    with pytest.raises(Unreachable):
        door.ask("sre-token")
    door.server.trouble = None
    assert door.ask("sre-token").name == "sre"


def test_without_a_connection_nobody_is_let_in(door: Door) -> None:
    door.connected = False
    with pytest.raises(Unreachable):
        door.ask("sre-token")


def test_the_token_is_kept_nowhere(door: Door) -> None:
    door.ask("sre-token")
    assert "sre-token" not in repr(vars(door.keeper))


def test_many_strangers_at_once_are_asked_about_a_few_at_a_time(door: Door) -> None:
    under_way, most = 0, 0
    answer = door.server.post

    async def slow(path: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await answer(path, body, **more)

    door.server.post = slow  # type: ignore[method-assign]

    async def rush() -> list[object]:
        tokens = [f"stranger-{number}" for number in range(50)] + ["sre-token"] * 50
        return await asyncio.gather(*(door.keeper(token) for token in tokens), return_exceptions=True)

    answers = asyncio.run(rush())
    assert [isinstance(one, Unauthorized) for one in answers] == [True] * 50 + [False] * 50
    assert most <= AT_ONCE
    reviewed = [body["spec"]["token"] for body in door.server.asked if body["kind"] == "TokenReview"]
    assert reviewed.count("sre-token") <= AT_ONCE
    assert len(set(reviewed)) == 51
