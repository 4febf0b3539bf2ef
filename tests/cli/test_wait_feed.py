"""What ``opsroom wait`` shows to the feed that it follows, and what it makes of a change that is over already."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsroom.cli import wait
from opsroom.domain.board import Row
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
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


@pytest.mark.parametrize(
    ("result", "ended"), [("rolled_back", wait.ROLLED_BACK), ("promoted", wait.PROMOTED), ("", wait.PROMOTED)]
)
def test_a_change_that_ended_before_anybody_waited_is_told_by_its_result(result: str, ended: str) -> None:
    clock = [100.0]
    course = wait.Waiting("", lambda: clock[0])
    rollout = Rollout(
        uid=Uid("u"), engine=Engine.DEPLOYMENT, shape=Shape.ROLLING, namespace="shop", name="cart", phase=Phase.HEALTHY
    )
    row = Row(rollout=rollout, result=result, finished=90.0 if result else None)
    assert course.look(row) == ""
    clock[0] += wait.GRACE
    assert course.look(row) == ended
