"""What outlives the screen and what does not: sent deeds go on, armed ones never, the wall only where it may."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import pytest

from opsroom.errors import UsageError
from opsroom.ui.app import WallApp
from opsroom.ui.options import Options
from opsroom.ui.terminal import Terminal, look_at, prepare
from opsroom.view.spark import Graphs
from tests.ui.scenes import all_rows
from tests.ui.show import SceneFeed
from tests.ui.stage import HERE, Clock, screen_text, stage

ACT = """
import pathlib, sys, time
sys.stdin.readline()
pathlib.Path({ready!r}).write_text("")
word = sys.stdin.readline().strip()
time.sleep(0.3)
pathlib.Path({told!r}).write_text(word)
"""


def wait_for(path: Path) -> None:
    """Wait for another process to write a file."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


def leave_after(tmp_path: Path, fire: bool) -> str:
    """Arm roll back, send it or not, leave; returns what the child was told in the end."""
    ready, told = tmp_path / "ready", tmp_path / "told"
    act = ACT.format(ready=str(ready), told=str(told))

    async def play() -> None:
        app, clock = stage(Options(act=(sys.executable, "-c", act)))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            clock.now += 1.0
            await pilot.press("x")
            while not ready.exists():
                await pilot.pause(0.02)
            for _ in range(8 if fire else 0):
                clock.now += 0.2
                app.control.deeds.tick()
            await pilot.pause()
            await pilot.press("q")

    asyncio.run(play())
    wait_for(told)
    return told.read_text()


def test_a_deed_that_was_sent_is_finished_after_the_screen_is_left(tmp_path: Path) -> None:
    assert leave_after(tmp_path, fire=True) == "go"


def test_an_armed_deed_is_stopped_when_the_screen_is_left(tmp_path: Path) -> None:
    assert leave_after(tmp_path, fire=False) == "esc"


@pytest.mark.parametrize(("allowed", "running"), [(True, False), (False, True)])
def test_the_wall_ends_only_where_it_may(allowed: bool, running: bool) -> None:
    async def play() -> None:
        app = WallApp(Options(wall_quit=allowed), SceneFeed(all_rows()), clock=Clock(), found=HERE)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert "WALL, READ-ONLY" in screen_text(app)
            for key in ("x", "p", "f", "question_mark", "ctrl+p", "q", "ctrl+c", "ctrl+c", "ctrl+q"):
                await pilot.press(key)
            assert app.is_running is running
            assert app.control.deeds.last is None

    asyncio.run(play())


BASE = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environment", "encoding", "theme", "graphs"),
    [
        (BASE, "utf-8", "night", Graphs.BRAILLE),
        ({**BASE, "NO_COLOR": "1"}, "utf-8", "mono", Graphs.BRAILLE),
        ({**BASE, "NO_COLOR": ""}, "utf-8", "night", Graphs.BRAILLE),
        ({"TERM": "xterm"}, "utf-8", "ansi-16", Graphs.BRAILLE),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "utf-8", "night", Graphs.BRAILLE),
        ({"TERM": "linux"}, "utf-8", "ansi-16", Graphs.ASCII),
        (BASE, "iso-8859-1", "night", Graphs.ASCII),
    ],
)
def test_the_terminal_gets_what_it_can_show(
    environment: dict[str, str], encoding: str, theme: str, graphs: Graphs
) -> None:
    found = look_at(environment, encoding)
    assert found.theme("night") == theme
    assert found.graphs(None) is graphs


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_without_a_screen_is_refused_in_a_sentence(term: str) -> None:
    with pytest.raises(UsageError, match=r"cannot show a screen.*opsroom ls"):
        look_at({"TERM": term}, "utf-8")


def test_nothing_in_the_environment_presses_keys() -> None:
    environment = {**BASE, "TEXTUAL_PRESS": "x", "TEXTUAL_DRIVER": "evil:Driver", "COLUMNS": "10"}
    prepare(environment)
    assert environment.keys() & {"TEXTUAL_PRESS", "TEXTUAL_DRIVER", "COLUMNS"} == set()


def test_ascii_graphs_are_ascii_on_the_whole_board() -> None:
    async def play() -> None:
        found = msgspec.structs.replace(HERE, unicode=False)
        assert isinstance(found, Terminal)
        app, _ = stage(Options(), found=found)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert screen_text(app).isascii()

    asyncio.run(play())
