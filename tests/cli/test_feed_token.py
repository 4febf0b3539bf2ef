"""The token of a feed goes to https feeds only, and is read anew at each attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.cli.feed_token import feed_token
from opsroom.config.settings import Context, Settings
from opsroom.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "token"
    file.write_text("first\n")
    file.chmod(0o600)
    monkeypatch.setenv("FEED_TOKEN_FILE", str(file))
    return file


def test_a_renewed_token_is_used(file: Path) -> None:
    give = feed_token("https://room.test:8443", Settings())
    assert give is not None
    assert give() == "first"
    file.write_text("second\n")
    assert give() == "second"


@pytest.mark.parametrize("where", ["unix:/run/opsroom/worker.sock", "http://127.0.0.1:8765", "127.0.0.1:8765"])
def test_no_token_leaves_this_machine_in_the_open(where: str, file: Path) -> None:
    assert feed_token(where, Settings()) is None


def test_a_file_that_others_can_read_is_refused_before_there_is_a_screen(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        feed_token("https://room.test:8443", Settings())


def test_a_token_for_all_is_not_shown_to_the_feed_of_one_context(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, own = "https://room.eu:8443", Settings(contexts={"eu": Context(feed="https://room.eu:8443")})
    assert feed_token(where, own) is None
    assert feed_token(where, Settings(), alone=False) is None
    eu = tmp_path / "eu"
    eu.write_text("of eu\n")
    eu.chmod(0o600)
    monkeypatch.setenv("FEED_ROOM_EU_8443_TOKEN_FILE", str(eu))
    for give in (feed_token(where, own), feed_token(where, Settings(), alone=False), feed_token(where, Settings())):
        assert give is not None
        assert give() == "of eu"
