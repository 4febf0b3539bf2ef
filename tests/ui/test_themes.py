"""Theme files: complete, readable, checked with file and key, read again when they change."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from opsroom.errors import ConfigError
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from opsroom.ui.theme_file import ThemeFile, find, read, shipped
from opsroom.view.line import Ground, Role
from tests.ui.stage import screen_text, stage

NAMES = ("night", "day", "high-contrast", "deuteranopia", "tritanopia", "ansi-16", "mono", "wall")
COLOURED = [name for name in NAMES if name not in ("ansi-16", "mono")]
ON = {
    Role.ARMED: (Ground.ARMED,),
    Role.PROD: (Ground.PROD,),
    Role.CANARY: (Ground.BASE, Ground.PANE, Ground.BAND),
    Role.BASELINE: (Ground.BASE, Ground.PANE, Ground.BAND, Ground.SELECTED),
    Role.RULE: (),
}
"""Where a role stands when that is not everywhere; a rule is decoration and carries no fact."""

EVERYWHERE = (Ground.BASE, Ground.BAR, Ground.PANE, Ground.SELECTED)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour(words: str) -> str:
    return next(word for word in words.split() if word.startswith("#"))


def test_all_themes_ship() -> None:
    assert {path.stem for path in shipped().glob("*.toml")} == set(NAMES)


@pytest.mark.parametrize("name", COLOURED)
def test_every_role_can_be_read_on_every_ground(name: str) -> None:
    theme = find(name, ())
    weak = [
        (role.value, ground.value, round(ratio, 2))
        for role in Role
        for ground in ON.get(role, EVERYWHERE)
        if (ratio := contrast(colour(theme.roles[role]), colour(theme.grounds[ground]))) < 4.5
    ]
    assert not weak


@pytest.mark.parametrize("name", ["ansi-16", "mono"])
def test_terminal_colours_name_no_colour_of_their_own(name: str) -> None:
    theme = find(name, ())
    assert theme.ansi
    assert theme.plain
    assert not re.search("#", str((theme.roles, theme.grounds)))


def test_a_reversed_role_stands_out_on_the_cursor_as_well() -> None:
    theme = find("mono", ())
    assert theme.style(Role.CRITICAL, Ground.BASE).reverse
    assert not theme.style(Role.CRITICAL, Ground.SELECTED).reverse
    assert theme.style(Role.TEXT, Ground.SELECTED).reverse


def edited(folder: Path, old: str, new: str) -> Path:
    path = folder / "own.toml"
    text = (shipped() / "night.toml").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('watch = "', 'wach = "', "roles.wach is not known"),
        ('watch = "#f0e442"', "", "roles.watch is missing"),
        ("#f0e442", "yelow", "roles.watch: 'yelow' is not a colour"),
        ("[roles]", "[roles", "line"),
        ('name = "night"', 'nme = "night"', "nme is not a key"),
    ],
)
def test_a_wrong_file_names_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = edited(tmp_path, old, new)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_an_unknown_theme_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no theme 'nigth'.*night"):
        find("nigth", ())


def later(path: Path) -> None:
    """A later modification time, whatever the clock's grain."""
    stat = path.stat()
    os.utime(path, (stat.st_atime, stat.st_mtime + 5))


def test_a_changed_file_is_read_again_and_a_wrong_one_keeps_the_colours(tmp_path: Path) -> None:
    path = edited(tmp_path, 'name = "night"', 'name = "own"')

    async def play() -> None:
        app, _ = stage(Options(theme="own", theme_folders=(tmp_path,)))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            paint = app.control.paint

            def text() -> str:
                theme: ThemeFile = paint.theme
                return theme.roles[Role.TEXT]

            path.write_text(path.read_text().replace("#e6e9ec", "#ffffff"))
            later(path)
            app._reload_theme()
            assert text() == "#ffffff"
            path.write_text("[roles")
            later(path)
            later(path)
            app._reload_theme()
            assert text() == "#ffffff"

    asyncio.run(play())


def test_the_palette_takes_a_theme_by_its_name_and_tells_the_keys_that_are_in_force(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text((shipped() / "day.toml").read_text())
    (tmp_path / "wrong.toml").write_text("[roles")

    async def play() -> None:
        app, _ = stage(Options(theme_folders=(tmp_path,), keymap={"events": "ctrl+e"}))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("colon")
            await until(pilot, app, "ctrl+e  what happened, newest first")
            await pilot.press(*"theme ")
            await until(pilot, app, "theme tritanopia")
            assert "theme own" in screen_text(app)
            for name in ("night", "wrong", "mono"):
                assert f"theme {name}" not in screen_text(app)
            await pilot.press(*"own")
            await until(pilot, app, "theme own", but="theme tritanopia")
            await pilot.press("down", "enter")
            await until(pilot, app, "NEEDS YOU")
            await pilot.pause()
            assert app.control.paint.theme.path == tmp_path / "own.toml"

    asyncio.run(play())


async def until(pilot: Pilot[int], app: BoardApp, text: str, but: str = "\0") -> None:
    """Wait for what a search in the background brings."""
    for _ in range(500):
        if text in screen_text(app) and but not in screen_text(app):
            return
        await pilot.pause(0.01)
    raise AssertionError(screen_text(app))


@pytest.mark.parametrize("name", ["ansi-16", "mono"])
def test_a_reversed_row_is_one_bar_in_which_only_the_critical_mark_stands_out(name: str) -> None:
    theme = find(name, ())
    bar = {role: theme.style(role, Ground.SELECTED) for role in Role}
    assert {role for role, style in bar.items() if not style.reverse} == {Role.CRITICAL}
    assert {str(style.color.name) for role, style in bar.items() if style.reverse and style.color} == {"default"}
