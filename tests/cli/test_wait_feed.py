"""What ``opsroom wait`` shows to the feed that it follows, and what it makes of a change that is over already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from opsroom.cli import main, wait
from opsroom.domain.board import Room, Row
from opsroom.domain.freshness import Cause, SourceState
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.errors import ConfigError, OpsroomError, Unauthorized, Unreachable
from opsroom.feed.client import FeedClient
from opsroom.feed.frames import Picture
from opsroom.feed.state import Board, Link, LinkState


def test_an_https_feed_is_shown_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("sesame\n")
    file.chmod(0o600)
    monkeypatch.setenv("FEED_TOKEN_FILE", str(file))
    shown: list[Any] = []

    def opened(where: str, token: Any = None, **more: Any) -> Any:
        shown.append(token)
        return FeedClient(where, token, **more)

    monkeypatch.setattr(wait, "FeedClient", opened)
    monkeypatch.setattr(wait, "whole_picture", lambda _: Picture(seq=1, room=Room(at=1000.0), rows=(MOVING,)))
    words = ["wait", "cart", "--for", "promoted", "--timeout", "0.05s", "--feed", "https://127.0.0.1:9"]
    assert main(words) == Unreachable.exit_code
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


class Told:
    """A feed of one row whose cluster was last heard a minute ago."""

    def __init__(self, source: SourceState) -> None:
        self.link = Link(LinkState.LIVE, 0.0)
        self.board = Board()
        self._picture = Picture(seq=1, room=Room(at=1000.0, sources=(source,)), rows=(MOVING,))

    async def __aiter__(self) -> AsyncIterator[Picture]:
        self.board.apply(self._picture, 0.0)
        yield self._picture
        await asyncio.Event().wait()


MOVING = Row(
    rollout=Rollout(
        uid=Uid("u"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="shop",
        name="cart",
        phase=Phase.PROGRESSING,
        canary=Revision(hash="new"),
    )
)


@pytest.mark.parametrize(
    ("source", "seconds", "error"),
    [
        (SourceState(name="kube", interval=5.0, at=940.0, error="no", cause=Cause.CONFIGURATION), 60.0, ConfigError),
        (SourceState(name="kube", interval=5.0, at=940.0, error="no", cause=Cause.CREDENTIALS), 60.0, Unauthorized),
        (SourceState(name="kube", interval=5.0, at=940.0, error="no answer"), 0.05, Unreachable),
        (SourceState(name="kube", interval=5.0, at=940.0), 0.05, Unreachable),
        (SourceState(name="kube", interval=5.0, at=999.0, error="once", cause=Cause.CREDENTIALS), 0.05, OpsroomError),
    ],
)
def test_what_the_worker_cannot_read_is_no_outcome(
    source: SourceState, seconds: float, error: type[OpsroomError]
) -> None:
    course = wait.Waiting("", lambda: 0.0)
    with pytest.raises(OpsroomError) as raised:
        asyncio.run(wait._follow(cast(FeedClient, Told(source)), Uid("u"), course, wait.PROMOTED, seconds, quiet=True))
    assert type(raised.value) is error
