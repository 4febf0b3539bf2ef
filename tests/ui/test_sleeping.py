"""A laptop is closed for an hour: what was armed never fires on waking, and what is on the screen is an hour old."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from opsroom.clock import awake_or_not
from opsroom.feed.client import FeedClient
from opsroom.kube.access import Access
from opsroom.ui import running
from opsroom.ui.app import BoardApp
from opsroom.ui.control import Control
from opsroom.ui.options import Guard, Options
from opsroom.ui.room_app import RoomApp
from opsroom.worker.doorkeeper import Doorkeeper
from opsroom.worker.sharing import Sharing
from opsroom.worker.standing import Standing
from tests.ui.show import ACT
from tests.ui.stage import Clock, screen_text, stage

HOUR = 3600.0

Play = Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]]


def run(play: Play, guard: Guard | None = None) -> None:
    async def on_stage() -> None:
        app, clock = stage(Options(act=(sys.executable, "-c", ACT, "0"), guard=guard or Guard()))
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            clock.now += 1.0
            await play(pilot, app, clock)

    asyncio.run(on_stage())


def is_armed(app: BoardApp) -> bool:
    return app.control.deeds.armed is not None


@pytest.mark.parametrize("key", ["p", "x"])
@pytest.mark.parametrize("second_key", [False, True])
def test_what_was_armed_when_the_lid_closed_is_dropped_on_waking(key: str, second_key: bool) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press(key)
        attempt = app.control.deeds.last
        assert attempt is not None
        assert is_armed(app)
        clock.now += HOUR
        app.control.deeds.tick()
        assert not is_armed(app)
        assert attempt.stopped
        assert not attempt.go.is_set()
        assert "stood still during the countdown" in screen_text(app)

    run(play, Guard(second_key=second_key))


def test_an_hour_later_the_picture_is_old_at_once_and_nothing_is_promoted_on_it() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        before = app.control.sight.status().feed_age
        assert before is not None
        clock.now += HOUR
        after = app.control.sight.status().feed_age
        assert after == pytest.approx(before + HOUR)
        await pilot.press("p")
        assert not is_armed(app)
        assert "The picture is too old to promote on; roll back still works." in screen_text(app)

    run(play)


@pytest.mark.parametrize("timed", [RoomApp, FeedClient, Sharing, Standing, Doorkeeper, Access])
def test_time_is_taken_from_a_clock_that_goes_on_while_the_machine_sleeps(timed: type[Any]) -> None:
    assert inspect.signature(timed.__init__).parameters["clock"].default is awake_or_not


def test_the_screens_feed_and_keys_are_timed_by_that_clock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks: list[object] = []

    class Feed:
        def __init__(self, address: str, token: object, clock: object, *_: object) -> None:
            clocks.append(clock)

    class App:
        crash, return_code = "", 0

        def __init__(self, *_: object, **__: object) -> None:
            return

        def run(self, mouse: bool) -> None:
            assert not mouse

    monkeypatch.setattr(running, "LateFeed", Feed)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("opsroom.ui.terminal.need_screen", lambda: None)
    monkeypatch.setattr("opsroom.ui.terminal.prepare", lambda environment: None)
    monkeypatch.setattr("opsroom.ui.splash.handed_over", lambda: None)
    running.run(App, Options())  # type: ignore[arg-type]
    assert clocks == [awake_or_not]
    assert Control.__dataclass_fields__["clock"].default is awake_or_not
