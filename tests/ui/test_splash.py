"""The splash is the board's first frame: the same cells in the same colours, whatever the theme and the depth."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyte
import pytest
from rich.color import Color, ColorSystem

from opsroom.feed.state import Link, LinkState
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from opsroom.ui.splash import _code, frame, theme_colours
from opsroom.ui.theme_file import find
from opsroom.view.line import Ground, Role
from tests.ui.show import SceneFeed
from tests.ui.stage import HERE, Clock, screen_text

DEEP = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def painted(environment: dict[str, str], cells: int = 80, lines: int = 24) -> pyte.Screen:
    screen = pyte.Screen(cells, lines)
    pyte.Stream(screen).feed(frame(cells, lines, theme_colours(environment, "board")))
    return screen


def first_frame() -> list[str]:
    async def play() -> str:
        feed = SceneFeed()
        feed.link = Link(LinkState.CONNECTING, since=0.0)
        app = BoardApp(Options(), feed, clock=Clock(), found=HERE)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            return screen_text(app)

    return asyncio.run(play()).splitlines()


def test_the_words_stand_where_the_board_puts_them() -> None:
    splash = [line.rstrip() for line in painted(DEEP).display]
    board = first_frame()
    for y in (0, 1, 4):
        assert splash[y] == board[y]
    assert splash[2:4] == ["", ""]


@pytest.mark.parametrize("name", ["night", "day", "high-contrast", "tritanopia"])
def test_the_colours_are_the_boards(name: str) -> None:
    theme = find(name, ())
    screen = painted({**DEEP, "OPSROOM_THEME": name})
    # Erasing fills with the ground in force; pyte colours only cells that were written, so those are looked at.
    assert f"#{screen.buffer[4][6].bg}" == theme.grounds[Ground.BASE]
    colours = theme_colours({**DEEP, "OPSROOM_THEME": name}, "board")
    assert f"{colours['@base']}\x1b[2J" in frame(80, 24, colours)
    assert f"#{screen.buffer[0][70].bg}" == theme.grounds[Ground.BAR]
    assert f"#{screen.buffer[23][70].bg}" == theme.grounds[Ground.BAR]
    assert f"#{screen.buffer[0][1].fg}" == theme.roles[Role.STRONG].split()[-1]


def test_a_theme_named_in_the_settings_is_found(tmp_path: Path) -> None:
    (tmp_path / "opsroom").mkdir()
    (tmp_path / "opsroom" / "opsroom.toml").write_text('context = "a"\n[screen]\ntheme = "day"\n')
    day = theme_colours({**DEEP, "OPSROOM_THEME": "day"}, "board")
    assert theme_colours({**DEEP, "XDG_CONFIG_HOME": str(tmp_path)}, "board") == day != {}


@pytest.mark.parametrize(
    "environment",
    [
        {**DEEP, "NO_COLOR": "1"},
        {"TERM": "linux"},
        {**DEEP, "OPSROOM_THEME": "absent"},
        {**DEEP, "OPSROOM_THEME": "../x"},
    ],
)
def test_without_colours_it_is_plain(environment: dict[str, str]) -> None:
    assert "\x1b[38" not in frame(80, 24, theme_colours(environment, "board"))
    assert "\x1b[48" not in frame(80, 24, theme_colours(environment, "board"))


def test_on_256_colours_it_takes_those_that_textual_takes() -> None:
    for name in ("night", "day", "high-contrast"):
        for colour in [*find(name, ()).grounds.values(), *(c.split()[-1] for c in find(name, ()).roles.values())]:
            number = Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).number
            assert _code(colour, deep=False) == f"5;{number}"


@pytest.mark.parametrize("size", [(1, 1), (10, 2), (300, 100)])
def test_any_size_is_survived(size: tuple[int, int]) -> None:
    screen = painted(DEEP, *size)
    assert len(screen.display) == size[1]
