"""Kubeconfigs and credential plugins, resolved by the official client in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from opsroom.errors import ConfigError, OpsroomError, Unauthorized
from opsroom.kube.apart import resolve_apart
from opsroom.kube.connection import Connection, connect
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.kube.resolve import Resolved, Trouble, resolve


def kubeconfig(folder: Path, user: dict[str, Any], **cluster: Any) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.test:6443/", **cluster}}],
        "users": [{"name": "anna", "user": user}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "anna", "namespace": "shop"}}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def plugin(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "plugin"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}}


def credential(token: str, expires: str) -> str:
    body = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token, "expirationTimestamp": expires},
    }
    return f"echo '{json.dumps(body)}'\n"


def test_a_kubeconfig_becomes_an_endpoint(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
    data = base64.b64encode(pem.encode()).decode()
    path = kubeconfig(
        tmp_path,
        {"token": "s3cret"},
        **{"certificate-authority-data": data, "tls-server-name": "kube", "proxy-url": ""},
    )
    answer = resolve(path, "")
    assert isinstance(answer, Resolved)
    endpoint = answer.endpoint
    assert (endpoint.host, endpoint.authorization, endpoint.ca) == ("https://api.test:6443", "Bearer s3cret", pem)
    assert (endpoint.server_name, endpoint.context, endpoint.namespace) == ("kube", "prod", "shop")
    assert endpoint.address == "api.test:6443"
    assert "s3cret" not in repr(endpoint)


@pytest.mark.parametrize(
    ("text", "context", "words"),
    [
        (None, "", "There is no kubeconfig at"),
        ("", "", "is not a usable kubeconfig"),
        ("{[", "", "is not a usable kubeconfig"),
        ("just words", "", "is not a usable kubeconfig"),
        ("apiVersion: v1\nkind: Config\n", "", "names no current context"),
        ("contexts: [{name: prod, context: {cluster: c}}]", "stage", "There is no context stage in"),
        ("contexts: [{name: prod, context: {cluster: c}}]", "prod", "is not a usable kubeconfig"),
        ("contexts: 7", "prod", "is not a usable kubeconfig"),
    ],
)
def test_a_bad_kubeconfig_is_one_sentence_with_a_fix(
    tmp_path: Path, text: str | None, context: str, words: str
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    answer = resolve(str(path), context)
    assert isinstance(answer, Trouble)
    assert words in answer.message
    assert str(path) in answer.message
    assert answer.fix
    if context == "stage":
        assert "prod" in answer.fix


def test_errors_cross_the_process_with_their_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no kubeconfig at /does/not/exist"):
        asyncio.run(connect("/does/not/exist"))
    path = kubeconfig(tmp_path, plugin(tmp_path, "echo 'session has expired' >&2\nexit 3\n"))
    with pytest.raises(Unauthorized, match=r"context prod could not be had.*session has expired"):
        asyncio.run(connect(path))


def test_a_plugin_finds_no_terminal_and_no_input(tmp_path: Path) -> None:
    prompt = "read answer && exit 9\n( : < /dev/tty ) 2>/dev/null && exit 8\n"
    path = kubeconfig(tmp_path, plugin(tmp_path, prompt + credential("fresh", "2035-01-01T00:00:00Z")))
    endpoint = asyncio.run(resolve_apart(path, "prod"))
    assert endpoint.authorization == "Bearer fresh"
    assert endpoint.expires == 2051222400.0


def test_a_plugin_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, plugin(tmp_path, f"echo $$ > {tmp_path}/pid\nsleep 60\n"))
    with pytest.raises(Unauthorized, match="did not come within"):
        asyncio.run(resolve_apart(path, "prod", seconds=1.5))
    number = (tmp_path / "pid").read_text().strip()
    status = Path(f"/proc/{number}/status")
    deadline = time.monotonic() + 5
    while status.exists() and "Z (zombie)" not in status.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_whom_the_context_impersonates_is_told_to_the_server(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "s3cret", "as": "viewer", "as-groups": ["wall", "night"]})
    answer = resolve(path, "")
    assert isinstance(answer, Resolved)
    seen: list[httpx.Headers] = []

    async def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={})

    connection = Connection(answer.endpoint, transport=httpx.MockTransport(server))
    asyncio.run(Reader(connection).get("/version", dict))
    assert seen[0]["Impersonate-User"] == "viewer"
    assert seen[0].get_list("Impersonate-Group") == ["wall", "night"]


class Tokens(httpx.AsyncBaseTransport):
    """Knows one token."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.seen: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        known = self.seen[-1] == f"Bearer {self.good}"
        return httpx.Response(200 if known else 401, json={"kind": "Status"} if not known else {}, request=request)


@pytest.mark.parametrize("expired", [False, True], ids=["after a 401", "before they end"])
def test_credentials_are_renewed(tmp_path: Path, expired: bool) -> None:
    path = kubeconfig(tmp_path, plugin(tmp_path, credential("new", "2035-01-01T00:00:00Z")))
    ends = 1000.0 + 30.0 if expired else None
    endpoint = Endpoint(host="http://api.test", authorization="Bearer old", context="prod", source=path, expires=ends)
    server = Tokens("new")
    clock = iter(range(1000, 10_000_000, 20))
    connection = Connection(
        endpoint, kubeconfig=path, renewable=True, transport=server, clock=lambda: float(next(clock))
    )
    assert asyncio.run(Reader(connection).get("/version", dict)) == {}
    assert server.seen == (["Bearer new"] if expired else ["Bearer old", "Bearer new"])


def test_credentials_that_stay_wrong_are_asked_for_once(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "bad"})
    server = Tokens("good")

    async def ask() -> None:
        connection = Connection(await resolve_apart(path, ""), kubeconfig=path, renewable=True, transport=server)
        for _ in range(3):
            with pytest.raises(OpsroomError, match="does not accept the credentials as anna"):
                await Reader(connection).get("/version", dict)

    asyncio.run(ask())
    assert server.seen == ["Bearer bad"] * 3


def test_a_login_that_brings_nothing_new_is_tried_less_and_less(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    script = f"echo >> {calls}\n" + credential("bad", "2035-01-01T00:00:00Z")
    path = kubeconfig(tmp_path, plugin(tmp_path, script))
    clock = [0.0]

    async def ask() -> list[int]:
        endpoint = await resolve_apart(path, "")
        connection = Connection(
            endpoint, kubeconfig=path, renewable=True, transport=Tokens("good"), clock=lambda: clock[0]
        )
        made = []
        for clock[0] in (9.0, 11.0, 30.0, 32.0, 60.0):
            with pytest.raises(Unauthorized):
                await Reader(connection).get("/version", dict)
            made.append(len(calls.read_text().splitlines()))
        return made

    assert asyncio.run(ask()) == [1, 2, 2, 3, 3]


def test_a_clock_set_back_does_not_put_off_the_next_login(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [5000.0]
    endpoint = Endpoint(host="http://api.test", authorization="Bearer old", context="prod")

    async def resolved(*_: Any) -> Endpoint:
        return msgspec.structs.replace(endpoint, authorization="Bearer new")

    monkeypatch.setattr("opsroom.kube.connection.resolve_apart", resolved)

    async def ask() -> object:
        connection = Connection(endpoint, renewable=True, transport=Tokens("new"), clock=lambda: clock[0])
        clock[0] -= 3600.0
        return await Reader(connection).get("/version", dict)

    assert asyncio.run(ask()) == {}


def test_a_watch_that_was_refused_is_closed_when_no_other_credentials_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[bool] = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{}"

        async def aclose(self) -> None:
            closed.append(True)

    async def resolved(*_: Any) -> Endpoint:
        raise Unauthorized("the plugin failed")

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, stream=Body(), request=request)

    monkeypatch.setattr("opsroom.kube.connection.resolve_apart", resolved)

    async def ask() -> None:
        endpoint, clock = Endpoint(host="http://api.test", context="prod"), iter((0.0, 100.0, 200.0))
        transport = httpx.MockTransport(answer)
        connection = Connection(endpoint, renewable=True, transport=transport, clock=lambda: next(clock))
        with pytest.raises(Unauthorized, match="the plugin failed"):
            async with connection.stream("/api/v1/pods", {}):
                pytest.fail("nobody let us in")

    asyncio.run(ask())
    assert closed == [True]


def test_to_be_cancelled_is_not_forgotten_when_the_answer_comes_at_that_very_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Child:
        returncode, pid = 0, 0

        def __init__(self) -> None:
            self.asked, self.answer = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def communicate(self) -> tuple[bytes, bytes]:
            self.asked.set()
            output: tuple[bytes, bytes] = await self.answer
            return output

    async def run() -> None:
        child = Child()

        async def start(*_: Any, **__: Any) -> Child:
            return child

        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
        task = asyncio.ensure_future(resolve_apart("", ""))
        await child.asked.wait()
        child.answer.set_result((b"", b"nothing"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
