"""``opsroom login``: a token goes into the keyring and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from opsroom.cli import main
from opsroom.config.secrets import token

PLANTED = "eyJhbGciOi-planted-secret"


class InMemory(KeyringBackend):
    """A keyring of this process."""

    priority = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    ring = InMemory()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_a_piped_token_is_stored_and_found_again(
    ring: InMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PLANTED}\n"))
    assert main(["login", "prometheus"]) == 0
    said = capsys.readouterr()
    assert PLANTED not in said.out + said.err
    assert ring.kept == {("opsroom", "prometheus"): PLANTED}
    found = token("prometheus", {})
    assert found is not None
    assert found.reveal() == PLANTED


def test_a_token_can_be_for_one_server_alone(ring: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PLANTED}\n"))
    assert main(["login", "prometheus", "--server", "prom.eu:9090"]) == 0
    found = token("prometheus", {}, url="https://prom.eu:9090/base", shared=False)
    assert found is not None
    assert found.reveal() == PLANTED
    assert token("prometheus", {}, url="https://prom.us:9090") is None


@pytest.mark.parametrize("words", [["gates", "--server", "a"], ["feed", "--server", "https://room.eu"]])
def test_a_server_that_is_none_is_refused(words: list[str], ring: InMemory, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["login", *words]) == 2
    assert "--server" in capsys.readouterr().err
    assert ring.kept == {}


def test_a_terminal_is_asked_without_echo(ring: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return PLANTED

    monkeypatch.setattr("sys.stdin", Terminal("typed in the open\n"))
    monkeypatch.setattr("getpass.getpass", ask)
    assert main(["login", "feed"]) == 0
    assert len(asked) == 1
    assert ring.kept == {("opsroom", "feed"): PLANTED}


@pytest.mark.parametrize(
    "came", ["", "\n", f"{PLANTED} and more", f"{PLANTED}\nsecond", PLANTED * 1000, "\x1b[2J" + PLANTED]
)
def test_what_is_no_token_is_refused_without_being_repeated(
    came: str, ring: InMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(came))
    assert main(["login", "prometheus"]) == 2
    said = capsys.readouterr()
    assert PLANTED not in said.out + said.err
    assert ring.kept == {}


def test_a_machine_without_a_keyring_is_told_what_to_use_before_anybody_types(
    ring: InMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    source = io.StringIO(PLANTED)
    monkeypatch.setattr("sys.stdin", source)
    assert main(["login", "prometheus"]) == 1
    assert "PROMETHEUS_TOKEN_FILE" in capsys.readouterr().err
    assert source.tell() == 0


def test_only_what_may_want_a_token_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "bank"]) == 2
    assert "prometheus" in capsys.readouterr().err
