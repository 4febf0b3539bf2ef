"""What ``opsroom wait`` shows to the feed that it follows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsroom.cli import wait
from opsroom.domain.rollout import Uid
from opsroom.errors import Unreachable
from opsroom.feed.client import FeedClient


def test_an_https_feed_is_shown_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("sesame\n")
    file.chmod(0o600)
    monkeypatch.setenv("FEED_TOKEN_FILE", str(file))
    shown: list[Any] = []

    def opened(where: str, token: Any = None) -> Any:
        shown.append(token)
        return FeedClient(where, token)

    monkeypatch.setattr(wait, "FeedClient", opened)
    course = wait.Waiting("", lambda: 0.0)
    with pytest.raises(Unreachable):
        asyncio.run(wait._follow("https://127.0.0.1:9", Uid("u"), course, wait.PROMOTED, 0.05, quiet=True))
    assert [give() for give in shown] == ["sesame"]
