"""The token of a feed goes to https feeds only, and is read anew at each attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.cli.feed_token import feed_token
from opsroom.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "token"
    file.write_text("first\n")
    file.chmod(0o600)
    monkeypatch.setenv("FEED_TOKEN_FILE", str(file))
    return file


def test_a_renewed_token_is_used(file: Path) -> None:
    give = feed_token("https://room.test:8443")
    assert give is not None
    assert give() == "first"
    file.write_text("second\n")
    assert give() == "second"


@pytest.mark.parametrize("where", ["unix:/run/opsroom/worker.sock", "http://127.0.0.1:8765", "127.0.0.1:8765"])
def test_no_token_leaves_this_machine_in_the_open(where: str, file: Path) -> None:
    assert feed_token(where) is None


def test_a_file_that_others_can_read_is_refused_before_there_is_a_screen(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        feed_token("https://room.test:8443")
