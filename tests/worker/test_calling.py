"""Notices that leave the machine: once a flag, never for what stood before, never delaying anybody, never a secret."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import msgspec
import pytest

from opsroom.config.secrets import Secret, addresses
from opsroom.domain.board import Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.notice_policy import NoticePolicy
from opsroom.domain.policy import Policy, out_of_bounds
from opsroom.errors import ConfigError
from opsroom.worker.calling import APART, Calling
from opsroom.worker.notices import Notices
from opsroom.worker.sender import NOT_INSTALLED, SECONDS, WAITING, Notice, Sender, by_apprise
from tests.ui.scenes import NOW, all_rows

PATIENCE = 60.0


def flagged(*names: str, since: float = NOW, **changes: object) -> tuple[Row, ...]:
    flag = msgspec.structs.replace(Flag(reason=FlagReason.DEGRADED, since=since), **changes)
    return tuple(
        msgspec.structs.replace(row, flag=flag if row.rollout.name in names else None) for row in all_rows(NOW)
    )


class Kept:
    """Keeps the notices."""

    error = ""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def put(self, notice: Notice) -> None:
        self.notices.append(notice)


class Story:
    """One worker's calling, with flags that come and go."""

    def __init__(self, repeat: float = 0.0) -> None:
        self.kept = Kept()
        self.decides = True
        self.calling = Calling(self.kept, lambda: NoticePolicy(repeat=repeat), lambda: self.decides)

    def look(self, rows: tuple[Row, ...], later: float) -> list[str]:
        before = len(self.kept.notices)
        self.calling.look(rows, "prod-eu", NOW + later)
        return [notice.title for notice in self.kept.notices[before:]]


def test_what_stood_before_is_not_told_and_what_is_new_is_told_once() -> None:
    story = Story()
    assert story.look(flagged("geo-api"), 0.0) == []
    assert story.look(flagged("geo-api", "checkout-api"), 20.0) == ["checkout-api needs you in prod-eu"]
    assert story.look(flagged("geo-api", "checkout-api"), 9000.0) == []


def test_a_flag_that_went_and_came_again_is_a_new_one() -> None:
    story = Story()
    story.look(flagged(), 0.0)
    assert len(story.look(flagged("checkout-api"), 20.0)) == 1
    assert story.look(flagged(), 40.0) == []
    assert len(story.look(flagged("checkout-api", since=NOW + 60), 60.0)) == 1


def test_flags_that_come_together_are_one_notice_with_their_reasons() -> None:
    story = Story()
    story.look(flagged(), 0.0)
    story.look(flagged("checkout-api"), 20.0)
    assert story.look(flagged("checkout-api", "geo-api", "audit-trail"), 20.0 + APART - 1) == []
    titles = story.look(flagged("checkout-api", "geo-api", "audit-trail"), 20.0 + APART + 1)
    assert titles == ["2 rollouts need you in prod-eu: audit-trail, geo-api"]
    lines = story.kept.notices[-1].body.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("edge/geo-api: the rollout failed on its own")


def test_nobody_is_called_for_what_a_person_asked_or_has_taken() -> None:
    story = Story()
    story.look(flagged(), 0.0)
    assert story.look(flagged("checkout-api", reason=FlagReason.PERSON), 20.0) == []
    assert story.look(flagged("geo-api", acknowledged_by="ada"), 40.0) == []


def test_it_is_repeated_only_where_the_policy_says_so_and_only_until_somebody_takes_it() -> None:
    story = Story(repeat=300.0)
    story.look(flagged(), 0.0)
    assert len(story.look(flagged("checkout-api"), 20.0)) == 1
    assert story.look(flagged("checkout-api"), 310.0) == []
    assert len(story.look(flagged("checkout-api"), 330.0)) == 1
    assert story.look(flagged("checkout-api", acknowledged_by="ada"), 900.0) == []


def test_only_the_decider_calls_and_the_next_one_does_not_call_again() -> None:
    story = Story()
    story.decides = False
    story.look(flagged(), 0.0)
    assert story.look(flagged("checkout-api"), 20.0) == []
    story.decides = True
    assert story.look(flagged("checkout-api"), 40.0) == []
    assert len(story.look(flagged("checkout-api", "geo-api"), 60.0)) == 1


@pytest.mark.parametrize(("repeat", "good"), [(0.0, True), (60.0, True), (5.0, False), (-1.0, False), (1e6, False)])
def test_the_policy_cannot_page_every_second(repeat: float, good: bool) -> None:
    assert (out_of_bounds(Policy(notices=NoticePolicy(repeat=repeat))) == []) is good


def until_said(sender: Sender, words: str) -> None:
    for _ in range(int(PATIENCE / 0.01)):
        if words in sender.error:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{words!r} was never said, but {sender.error!r}")


def test_a_server_that_hangs_delays_nobody_and_is_said() -> None:
    entered, hangs, now = threading.Event(), threading.Event(), [0.0]

    def send(_notice: Notice) -> int:
        entered.set()
        hangs.wait(PATIENCE)
        return 0

    sender = Sender(1, send, clock=lambda: now[0])
    sender.put(Notice("t", "b"))
    assert entered.wait(PATIENCE)
    for _ in range(WAITING + 5):
        sender.put(Notice("t", "b"))
    assert f"{WAITING} notices wait" in sender.error
    now[0] = 2 * SECONDS + 1
    assert "stuck" in sender.error
    hangs.set()


def test_a_failure_is_said_without_its_words() -> None:
    def send(_notice: Notice) -> int:
        raise ValueError("https://hooks.example/T0KEN")

    sender = Sender(2, send)
    sender.put(Notice("t", "b"))
    until_said(sender, "ValueError")
    assert "T0KEN" not in sender.error


def test_without_apprise_the_fix_is_said() -> None:
    def send(_notice: Notice) -> int:
        raise ModuleNotFoundError("apprise")

    sender = Sender(1, send)
    sender.put(Notice("t", "b"))
    until_said(sender, NOT_INSTALLED)


@pytest.fixture
def hook() -> Iterator[tuple[int, Queue[dict[str, str]]]]:
    """A chat server on this machine: its port, and what it was sent."""
    got: Queue[dict[str, str]] = Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if "/good" in self.path else 500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, got
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its plugins import what Python gives up
def test_apprise_takes_it_to_every_address_and_none_of_them_is_ever_written(
    hook: tuple[int, Queue[dict[str, str]]], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("apprise")
    port, got = hook
    urls = [f"json://T0KEN:s3cret@127.0.0.1:{port}/good", f"json://T0KEN@127.0.0.1:{port}/bad", "T0KEN://nothing"]
    with caplog.at_level(logging.DEBUG):
        sender = Sender(3, by_apprise([Secret(url) for url in urls]))
        sender.put(Notice("checkout-api needs you", "payments/checkout-api: errors"))
        until_said(sender, "2 of 3 addresses did not take a notice")
    first = got.get(timeout=PATIENCE)
    assert (first["title"], first["message"]) == ("checkout-api needs you", "payments/checkout-api: errors")
    captured = capfd.readouterr()
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    assert "T0KEN" not in ours + captured.out + captured.err
    assert "s3cret" not in caplog.text + captured.out + captured.err


def test_addresses_are_secrets_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    file.write_text("# the team's chat\nslack://T0KEN/a/b\n\nmailto://u:p@mail.example\n")
    file.chmod(0o600)
    found = addresses({"APPRISE_TOKEN_FILE": str(file)})
    assert [one.reveal() for one in found] == ["slack://T0KEN/a/b", "mailto://u:p@mail.example"]
    assert "T0KEN" not in repr(found)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        addresses({"APPRISE_TOKEN_FILE": str(file)})
    file.chmod(0o600)
    file.write_text("# none\n")
    with pytest.raises(ConfigError, match="holds no address"):
        addresses({"APPRISE_TOKEN_FILE": str(file)})


def test_a_wrong_file_is_said_in_the_picture_and_the_worker_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("APPRISE_TOKEN_FILE", str(tmp_path / "none"))
    notices = Notices(NoticePolicy, lambda: True)
    asyncio.run(notices.find())
    assert "APPRISE_TOKEN_FILE" in notices.look((), "prod-eu", NOW)
