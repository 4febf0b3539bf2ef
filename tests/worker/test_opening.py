"""How the feed is opened: a group's socket, a port with a certificate, and what is refused."""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsroom.domain.board import Room
from opsroom.errors import ConfigError, OpsroomError, UsageError
from opsroom.feed.callers import Guarded
from opsroom.feed.client import fetch_picture
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
from opsroom.kube.writer import Writer
from opsroom.worker.opening import open_feed


def app() -> FeedApp:
    published = Published()
    published.publish(Room(at=1.0), ())
    return FeedApp(published, metrics=lambda: "")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    words += ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    return folder


class Reviews:
    """An API server that knows one token, whose owner may list everything."""

    async def post(self, path: str, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if body["kind"] == "TokenReview":
            known = body["spec"]["token"] == "good"
            return {"status": {"authenticated": known, "user": {"username": "sre"}} if known else {}}
        return {"status": {"allowed": True}}


def reviewer() -> Writer | None:
    return Reviews()  # type: ignore[return-value]


def test_a_port_asks_for_a_token_that_the_cluster_knows(certificate: Path) -> None:
    async def ask() -> dict[str, int]:
        door = await open_feed(app(), "https://127.0.0.1:0", tls=certificate, reviewer=reviewer)
        trusted = ssl.create_default_context(cafile=str(certificate / "tls.crt"))
        codes = {}
        try:
            async with httpx.AsyncClient(base_url=str(door.address), verify=trusted) as client:
                codes["health"] = (await client.get("/healthz")).status_code
                for name, headers in (
                    ("none", {}),
                    ("wrong", {"Authorization": "Bearer bad"}),
                    ("good", {"Authorization": "Bearer good"}),
                ):
                    codes[name] = (await client.get("/picture", headers=headers)).status_code
        finally:
            await door.close()
        return codes

    assert asyncio.run(ask()) == {"health": 200, "none": 401, "wrong": 401, "good": 200}


def test_a_groups_socket_is_open_to_the_group_and_to_nobody_else(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name

    async def ask() -> int:
        door = await open_feed(app(), f"unix:{tmp_path}/worker.sock", group=group)
        try:
            told = (tmp_path / "worker.sock").stat()
            await fetch_picture(str(door.address))
        finally:
            await door.close()
        assert told.st_gid == os.getgid()
        return stat.S_IMODE(told.st_mode)

    assert asyncio.run(ask()) == 0o660


@pytest.mark.parametrize(
    ("uid", "groups", "served"), [(1000, (), True), (1001, (50, 77), True), (1001, (50,), False), (None, (), True)]
)
def test_callers_are_known_by_what_the_kernel_says(
    uid: int | None, groups: Iterable[int], served: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsroom.feed.callers.peer_uid", lambda sock: uid)
    monkeypatch.setattr("opsroom.feed.callers.peer_groups", lambda sock: frozenset(groups))
    guarded: Guarded = object.__new__(type("Guarded", (Guarded,), {"uids": frozenset({1000}), "gid": 77}))
    assert guarded._known(None) is served


def test_without_a_group_only_the_user_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.feed.callers.peer_uid", lambda sock: 1001)
    guarded: Guarded = object.__new__(type("Guarded", (Guarded,), {"uids": frozenset({1000}), "gid": None}))
    assert guarded._known(None) is False


@pytest.mark.parametrize(
    ("where", "more", "error"),
    [
        ("0.0.0.0:0", {}, UsageError),
        ("https://127.0.0.1:0", {}, UsageError),
        ("127.0.0.1:0", {"group": "root"}, UsageError),
        ("unix:/nowhere/x.sock", {"group": "no-such-group"}, ConfigError),
        ("unix:/nowhere/x.sock", {"tls": Path("/nowhere")}, UsageError),
        ("https://0.0.0.0:0", {"tls": Path("/nowhere")}, ConfigError),
        ("https://0.0.0.0:0", {"tls": Path("/nowhere"), "read_only": True}, UsageError),
    ],
)
def test_a_door_that_nobody_would_guard_is_not_opened(
    where: str, more: dict[str, Any], error: type[OpsroomError]
) -> None:
    async def opened() -> None:
        door = await open_feed(app(), where, **more)
        await door.close()

    with pytest.raises(error):
        asyncio.run(opened())
