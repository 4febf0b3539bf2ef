"""The gates' door: yes and no only, whatever is sent, and nothing without the secret or a fresh look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.config.secrets import Secret
from opsroom.delivery.plan import Sight
from opsroom.domain.board import Decider, Mode
from opsroom.domain.deed import Verb
from opsroom.domain.marks import GATE, GateMark
from opsroom.errors import Unreachable, UsageError
from opsroom.worker.gate_door import gate_app, open_gates
from opsroom.worker.gates import BODY_LIMIT, GateApp

NOW = 1_800_000_000.0
TYPES = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback")
PAYLOAD = {"name": "cart", "namespace": "shop", "phase": "Progressing", "checksum": "c2"}


def sight(verb: Verb | None = Verb.PROMOTE, **mark: Any) -> Sight:
    """A Canary at its first weight, with a decision on it."""
    hooks = [{"type": type_, "url": f"http://gates/opsroom/{type_}"} for type_ in TYPES]
    notes = {}
    if verb is not None:
        fields: dict[str, Any] = {"id": "i", "revision": "r2", "hash": "", "step": 2, "by": "kim", "at": NOW} | mark
        notes[GATE] = msgspec.json.encode(GateMark(verb=verb, **fields)).decode()
    canary = {
        "metadata": {"annotations": notes},
        "spec": {"analysis": {"interval": "10s", "stepWeights": [20, 50], "webhooks": hooks}},
        "status": {"phase": "Progressing", "canaryWeight": 20, "lastAppliedSpec": "r2"},
    }
    return Sight(target=canary)


def app(found: Sight | None = None, secret: str = "") -> GateApp:
    """Gates over one Canary; None for a cluster that does not answer."""

    async def look(namespace: str, name: str, template: bool) -> Sight:
        if found is None:
            raise Unreachable("nobody answers")
        assert (namespace, name) == ("shop", "cart")
        return found

    known = Secret(secret) if secret else None
    return GateApp(look=look, starts=lambda: True, now=lambda: NOW, frozen=lambda: False, secret=known)


def asking(gates: GateApp, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(gates.asgi())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9") as client:
            return await work(client)

    return asyncio.run(run())


def post(gates: GateApp, type_: str, body: Any = PAYLOAD, **more: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    found: httpx.Response = asking(gates, lambda client: client.post(f"/opsroom/{type_}", content=content, **more))
    return found


@pytest.mark.parametrize("type_", ["confirm-traffic-increase", "confirm-promotion"])
def test_a_decision_is_a_yes_however_often_it_is_asked_for(type_: str) -> None:
    gates = app(sight())
    assert [post(gates, type_).status_code for _ in range(3)] == [200, 200, 200]


def test_no_decision_is_403_with_a_short_text() -> None:
    answer = post(app(sight(None)), "confirm-promotion")
    assert (answer.status_code, answer.text) == (403, "opsroom: not now (undecided)\n")


def test_a_promotion_never_rolls_back() -> None:
    assert post(app(sight()), "rollback").status_code == 403
    assert post(app(sight(Verb.ROLL_BACK)), "rollback").status_code == 200


def test_without_a_fresh_look_nothing_is_opened_and_nothing_rolled_back() -> None:
    assert {post(app(None), type_).status_code for type_ in TYPES} == {403}


def test_a_look_that_hangs_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.worker.gates.LOOK_SECONDS", 0.01)
    gates = app(sight())

    async def never(_namespace: str, _name: str, _template: bool) -> Sight:
        await asyncio.Event().wait()
        raise AssertionError

    gates.look = never
    assert post(gates, "confirm-promotion").status_code == 403


def test_the_secret_is_asked_of_every_question() -> None:
    gates = app(sight(), secret="open sesame")
    wrong: list[dict[str, Any]] = [{}, {"metadata": None}, {"metadata": {"token": "open"}}, {"metadata": {"token": ""}}]
    assert {post(gates, "confirm-promotion", PAYLOAD | more).status_code for more in wrong} == {403}
    assert {post(gates, "event", PAYLOAD | more).status_code for more in wrong} == {403}
    right = PAYLOAD | {"metadata": {"token": "open sesame"}}
    assert post(gates, "confirm-promotion", right).status_code == 200
    assert "sesame" not in repr(gates)


def test_events_are_taken_and_change_nothing() -> None:
    event = PAYLOAD | {"metadata": {"eventMessage": "\x1b[31m", "eventType": "Normal", "timestamp": "1"}}
    assert post(app(None), "event", event).status_code == 200


def test_a_checksum_of_another_revision_is_refused_until_it_fits_again() -> None:
    gates = app(sight())
    assert post(gates, "confirm-promotion").status_code == 200
    assert post(gates, "confirm-promotion", PAYLOAD | {"checksum": "c1"}).status_code == 403
    assert post(gates, "confirm-promotion").status_code == 403
    assert post(gates, "confirm-promotion").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"name":1,"namespace":"shop"}',
        b'{"name":"cart","namespace":"../../secrets"}',
        b'{"name":"cart/status","namespace":"shop"}',
        b'{"name":"","namespace":"shop"}',
        b'{"name":"cart","namespace":"shop","metadata":{"token":{"a":1}}}',
        b'{"name":"cart","namespace":"shop","x":' + b"[" * 8000 + b"]" * 8000 + b"}",
        b"[" * 10_000,
        b'{"name":"cart","namespace":"shop","phase":"' + b"x" * BODY_LIMIT + b'"}',
    ],
    ids=range(12),
)
def test_what_cannot_be_read_is_a_no(body: bytes) -> None:
    gates = app(sight(Verb.ROLL_BACK))
    assert post(gates, "rollback", body).status_code == 403


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_get_anything_but_a_no(body: bytes) -> None:
    assert post(app(sight(Verb.ROLL_BACK)), "rollback", body).status_code == 403


@pytest.mark.parametrize("path", ["/", "/opsroom", "/opsroom/skip", "/rollback", "/feed", "/opsroom/rollback/x"])
def test_other_paths_and_methods_are_a_no_too(path: str) -> None:
    gates = app(sight(Verb.ROLL_BACK))

    async def all_of_them(client: httpx.AsyncClient) -> set[int]:
        body = msgspec.json.encode(PAYLOAD)
        answers = [await client.request(method, path, content=body) for method in ("POST", "GET", "DELETE")]
        answers.append(await client.get("/opsroom/rollback"))
        return {answer.status_code for answer in answers}

    assert asking(gates, all_of_them) == {403}


def test_a_page_of_another_name_cannot_ask_through_a_browser() -> None:
    gates = app(sight())
    gates.local_names_only = True
    assert post(gates, "confirm-promotion", headers={"host": "evil.example:9"}).status_code == 403
    assert post(gates, "confirm-promotion", headers={"host": "localhost:9"}).status_code == 200


@pytest.mark.parametrize(
    ("listen_at", "mode", "why"),
    [
        ("127.0.0.1:0", Mode.OBSERVE, "observes"),
        ("0.0.0.0:0", Mode.AUTO, "no secret"),
        ("unix:/tmp/x", Mode.AUTO, "unix socket"),
    ],
)
def test_gates_that_could_do_harm_are_not_opened(
    listen_at: str, mode: Mode, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsroom.worker.gate_door.token", lambda _target: None)
    nobody: Any = None
    with pytest.raises(UsageError, match=why):
        asyncio.run(open_gates(listen_at, nobody, nobody, mode))


@pytest.mark.parametrize(("known", "frozen", "starts"), [(True, None, True), (False, None, False), (True, 1, False)])
def test_nothing_starts_by_itself_while_a_freeze_stands_or_cannot_be_read(
    known: bool, frozen: Any, starts: bool
) -> None:
    outside: Any = SimpleNamespace(decider=lambda: Decider(identity="me"), reader=None)
    sharing: Any = SimpleNamespace(freeze_known=known, freeze=frozen)
    gates = gate_app(outside, sharing, Mode.AUTO, None)
    assert (gates.starts(), gates.frozen()) == (starts, not starts)


def test_the_secret_comes_from_a_file_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("open sesame\n")
    path.chmod(0o600)
    monkeypatch.setenv("GATES_TOKEN_FILE", str(path))
    nobody: Any = None

    async def run() -> tuple[str, str]:
        door = await open_gates("127.0.0.1:0", nobody, nobody, Mode.AUTO)
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                told = [PAYLOAD, PAYLOAD | {"metadata": {"token": "open sesame"}}]
                found = [await client.post(f"{door.address}/opsroom/event", json=body) for body in told]
            return found[0].text, found[1].text
        finally:
            await door.close()

    assert asyncio.run(run()) == ("opsroom: not now (wrong_token)\n", "yes\n")


def test_a_gate_before_the_start_says_what_the_queue_keeps_it_back_for() -> None:
    found = sight(None)
    meta = {**found.target["metadata"], "uid": "u-cart"}
    waiting = {**found.target, "metadata": meta, "status": {"phase": "Succeeded"}}
    gates = app(Sight(target=waiting))
    asked: list[tuple[str, str, str]] = []

    def queue(uid: str, namespace: str, version: str) -> str:
        asked.append((uid, namespace, version))
        return "window \x1b[2Jnight"

    gates.queue = queue

    async def ask(client: httpx.AsyncClient) -> tuple[int, str]:
        answer = await client.post("/opsroom/confirm-rollout", json=PAYLOAD)
        return answer.status_code, answer.text

    status, text = asking(gates, ask)
    assert status == 403
    assert text.startswith("opsroom: not now (queued: window ")
    assert text.rstrip().endswith("night)")
    assert "\x1b" not in text
    assert asked == [("u-cart", "shop", "")]
    assert gates.answers["confirm-rollout", "queued"] == 1
