"""Keys alone act: no click does, the terminal is asked for no mouse, and no key fires under a dialog."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from textual.binding import Binding

from opsroom.ui import running
from opsroom.ui.actions import ACTIONS, GUARDED, Place, bindings
from opsroom.ui.app import BoardApp, WallApp
from opsroom.ui.options import Options
from tests.ui.stage import Clock, stage

SIZE = (100, 30)


def test_a_click_does_nothing_wherever_it_falls() -> None:
    async def play() -> None:
        app, clock = stage(Options(act=("/bin/cat",)))
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            clock.now += 5.0
            before = app.control.sight.selected
            for y in (0, 4, 6, 20, SIZE[1] - 2, SIZE[1] - 1):
                for x in (2, 12, 40):
                    await pilot.click(offset=(x, y))
            assert app.control.deeds.last is None
            assert app.control.sight.selected == before
            assert len(app.screen_stack) == 1

    asyncio.run(play())


def test_the_terminal_is_asked_for_no_mouse() -> None:
    for start in (running.run, running.run_served):
        source = inspect.getsource(start)
        assert source.count("app.run(") == source.count("app.run(mouse=False)") == 1


@pytest.mark.parametrize("place", list(Place))
def test_no_binding_of_ours_has_priority(place: Place) -> None:
    made = [binding for binding in bindings(place) if isinstance(binding, Binding)]
    assert {binding.id for binding in made} == {action.id for action in ACTIONS if place in action.places}
    assert not any(binding.priority for binding in made)


@pytest.mark.parametrize("kind", [BoardApp, WallApp])
def test_what_textual_binds_with_priority_only_leaves(kind: type[BoardApp]) -> None:
    found = [one for cls in kind.__mro__ for one in cls.__dict__.get("BINDINGS", ()) if isinstance(one, Binding)]
    assert {one.action for one in found if one.priority} <= {"quit"}


def test_nothing_that_acts_can_be_reached_under_a_dialog() -> None:
    async def play(clock: Clock, app: BoardApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            clock.now += 5.0
            await pilot.press("colon")
            await pilot.pause()
            assert len(app.screen_stack) == 2
            for action in ACTIONS:
                if action.id in GUARDED:
                    await pilot.press(*action.keys.split(","))
                    clock.now += 1.0
            assert app.control.deeds.last is None

    app, clock = stage(Options(act=("/bin/cat",)))
    asyncio.run(play(clock, app))
