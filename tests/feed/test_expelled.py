"""Rights that are taken back end a stream; a cluster that cannot be asked ends nobody's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsroom.errors import NotPermitted, OpsroomError, Unreachable
from opsroom.feed.address import parse
from opsroom.feed.client import FeedClient
from opsroom.feed.listening import listen
from opsroom.feed.published import Published, Viewer
from opsroom.feed.server import FeedApp
from opsroom.feed.state import LinkState


class Rights:
    """What the doorkeeper says at each look; the last answer stays."""

    def __init__(self, *answers: Viewer | OpsroomError) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, token: str) -> Viewer:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OpsroomError):
            raise answer
        return answer


async def watched(rights: Rights, path: Path, room: Any, seconds: float) -> list[LinkState]:
    """The states that a viewer's line goes through in that time."""
    published = Published()
    published.publish(room, ())
    app = FeedApp(published, metrics=lambda: "", authorize=rights, beat=0.02, recheck=0.03)
    door = await listen(app, parse(f"unix:{path}"))
    client = FeedClient(f"unix:{path}")
    states: list[LinkState] = []

    async def watch() -> None:
        async for _ in client:
            if not states or states[-1] is not client.link.state:
                states.append(client.link.state)
            if client.link.state is LinkState.LOST:
                return

    try:
        async with asyncio.timeout(seconds):
            await watch()
    except TimeoutError:
        pass
    finally:
        await door.close()
    return states


def test_who_may_no_longer_watch_is_let_go(socket_path: Path, make_room: Any) -> None:
    rights = Rights(Viewer(name="dev"), NotPermitted("no more"))
    assert asyncio.run(watched(rights, socket_path, make_room(1.0), 5.0))[-1] is LinkState.LOST


def test_who_may_see_something_else_now_begins_anew(socket_path: Path, make_room: Any) -> None:
    rights = Rights(Viewer(name="dev"), Viewer(name="dev", namespaces=frozenset({"shop"})))
    assert asyncio.run(watched(rights, socket_path, make_room(1.0), 5.0))[-1] is LinkState.LOST


@pytest.mark.parametrize("later", [Viewer(name="dev"), Unreachable("away")])
def test_who_still_may_and_who_cannot_be_asked_about_goes_on(
    later: Viewer | OpsroomError, socket_path: Path, make_room: Any
) -> None:
    rights = Rights(Viewer(name="dev"), later)
    states = asyncio.run(watched(rights, socket_path, make_room(1.0), 0.3))
    assert states[-1] is LinkState.LIVE
    assert rights.asked > 2
