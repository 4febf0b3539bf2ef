"""What we may do is asked once and remembered for two minutes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from opsroom.domain.board import Right
from opsroom.kube.access import REVIEWS, Access, whoami
from opsroom.kube.writer import Writer

ALLOWED = {"status": {"allowed": True}}
NO_OPINION = {"status": {"allowed": False}}


def test_an_answer_is_remembered_until_it_may_have_changed(kube: Any) -> None:
    server = kube.Server(kube.body(ALLOWED, 201), kube.body(NO_OPINION, 201), kube.body(ALLOWED, 201))
    clock = [0.0]
    access = Access(Writer(server.connection()), lambda: clock[0])

    def ask() -> Right:
        return asyncio.run(access.may("shop", "argoproj.io", "rollouts", "status", "patch"))

    assert ask().allowed
    clock[0] = 119.0
    assert ask().allowed
    assert len(server.requests) == 1
    clock[0] = 121.0
    assert ask() == Right(allowed=False, missing="patch rollouts/status")
    clock[0] = 242.0
    assert ask().allowed


def test_the_question_names_the_right(kube: Any) -> None:
    server = kube.Server(kube.body(ALLOWED, 201))
    asyncio.run(Access(Writer(server.connection())).may("", "apps", "deployments", "", "patch"))
    assert server.requests[0].url.path == REVIEWS
    spec = msgspec.json.decode(server.requests[0].content)["spec"]
    assert spec == {"resourceAttributes": {"verb": "patch", "resource": "deployments", "group": "apps"}}


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.Response(500, json={})])
def test_nobody_to_ask_is_not_a_no(kube: Any, trouble: Any) -> None:
    server = kube.Server(trouble, kube.body(ALLOWED, 201))
    access = Access(Writer(server.connection()))
    assert asyncio.run(access.may("shop", "apps", "deployments", "", "patch")).allowed is None
    assert asyncio.run(access.may("shop", "apps", "deployments", "", "patch")).allowed


def test_the_server_says_who_we_are(kube: Any) -> None:
    server = kube.Server(kube.body({"status": {"userInfo": {"username": "system:serviceaccount:ops:room"}}}, 201))
    assert asyncio.run(whoami(Writer(server.connection()))) == "system:serviceaccount:ops:room"
    assert asyncio.run(whoami(Writer(kube.Server(kube.status(403, "Forbidden", "no")).connection()))) == ""
