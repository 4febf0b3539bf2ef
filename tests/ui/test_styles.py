"""Every screen's colours in four themes, cell by cell, at two sizes.

A golden file holds one map for all themes, because a role stands in the same cells in each of them: under each line of
text a line of letters, and at the end what each letter is in each theme. ``OPSROOM_GOLDEN=write pytest
tests/ui/test_styles.py`` writes them anew; the words themselves are the business of ``test_screens``.
"""

from __future__ import annotations

import asyncio
import os
import string
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.style import Style
from textual.pilot import Pilot

from opsroom.domain.approval import Approval
from opsroom.domain.board import Freeze, Room, Row
from opsroom.ui.app import BoardApp, WallApp
from opsroom.ui.options import Options
from opsroom.ui.theme_file import find
from tests.ui.scenes import NOW, all_rows, done, moving, queued, room
from tests.ui.show import SceneFeed, beside
from tests.ui.stage import HERE, Clock

GOLDEN = Path(__file__).parent / "golden"
THEMES = ("night", "day", "high-contrast", "deuteranopia")
SIZES = ((80, 24), (120, 40))
LETTERS = string.ascii_letters + string.digits + "+-*/=<>!?%&"

Look = tuple[str, ...]
"""What one cell looks like in each of ``THEMES``."""


def approved() -> tuple[Row, ...]:
    first = Approval(by="ada", at=NOW - 60, hash="7d4f9b6c5d", step=3)
    return tuple(
        msgspec.structs.replace(row, two_people=True, approval=first) if row.rollout.name == "checkout-api" else row
        for row in all_rows()
    )


def quiet() -> tuple[Row, ...]:
    return (*moving(NOW)[1:3], *queued(NOW), *done(NOW))


FROZEN = Freeze(by="ada", since=NOW - 300, reason="sale")
SCENES: dict[str, tuple[Callable[[], tuple[Row, ...]], Room, tuple[str, ...]]] = {
    "board": (all_rows, room(), ()),
    "armed": (all_rows, room(), ("x",)),
    "second-person": (approved, room(), ("p",)),
    "refused": (all_rows, room(), ("j", "x")),
    "read-only": (all_rows, room(read_only=True), ("x",)),
    "frozen": (all_rows, room(freeze=FROZEN), ()),
    "stopped": (all_rows, room(), ("space",)),
    "lost": (all_rows, room(), ()),
    "contexts": (all_rows, room(), ()),
    "filter": (all_rows, room(), ("slash", "p", "a", "y")),
    "calm": (quiet, room(), ()),
    "detail": (all_rows, room(), ("enter",)),
    "queue": (all_rows, room(), ("Q",)),
    "sources": (all_rows, room(), ("S",)),
    "events": (all_rows, room(), ("e",)),
    "journal": (all_rows, room(), ("J",)),
    "help": (all_rows, room(), ("question_mark",)),
    "palette": (all_rows, room(), ("colon",)),
    "wall": (all_rows, room(), ()),
    "quiet-wall": (quiet, room(), ()),
    "lost-wall": (all_rows, room(), ()),
}


def spelled(style: Style, blank: bool) -> str:
    """What can be seen of ``style``; of a blank only its ground."""
    if blank and not style.reverse and not style.underline:
        return f"on {style.bgcolor.name if style.bgcolor else 'default'}"
    attributes = [name for name in ("bold", "italic", "underline", "reverse") if getattr(style, name)]
    colours = [style.color.name if style.color else "default", "on", style.bgcolor.name if style.bgcolor else "default"]
    return " ".join([*attributes, *colours])


def cells(app: BoardApp | WallApp) -> tuple[list[str], list[list[str]]]:
    """The text, and the look of each cell."""
    text, looks = [], []
    for strip in app.screen._compositor.render_strips():
        line: list[str] = []
        for segment in strip:
            style = segment.style or Style.null()
            line.extend(spelled(style, glyph == " ") for glyph in segment.text)
        text.append(strip.text)
        looks.append(line)
    return text, looks


async def seen(scene: str, size: tuple[int, int]) -> tuple[list[str], list[list[Look]]]:
    rows, around, keys = SCENES[scene]
    clock, feed = Clock(), SceneFeed(rows(), around)
    kind = WallApp if scene.endswith("wall") else BoardApp
    others = beside() if scene == "contexts" else []
    app = kind(Options(act=("/bin/cat",), theme="night"), feed, clock=clock, found=HERE, others=others)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if scene.startswith("lost"):
            feed.lose("nobody listens at unix:/run/opsroom.sock", clock.now)
        clock.now += 1.0
        app._tick()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()
        return await in_all_themes(app, pilot)


async def in_all_themes(app: BoardApp | WallApp, pilot: Pilot[int]) -> tuple[list[str], list[list[Look]]]:
    text: list[str] = []
    found = []
    for name in THEMES:
        app._change_theme(find(name, ()))
        await pilot.pause()
        here, looks = cells(app)
        text = text or here
        assert here == text, f"{name} says something else"
        found.append(looks)
    return text, [list(zip(*lines, strict=True)) for lines in zip(*found, strict=True)]


def golden(text: list[str], looks: list[list[Look]]) -> str:
    """Text and letters line by line, then the legend."""
    letters: dict[Look, str] = {}
    lines = []
    for words, line in zip(text, looks, strict=True):
        for look in line:
            letters.setdefault(look, LETTERS[len(letters)] if look not in letters else "")
        lines += [words.rstrip(), "".join(letters[look] for look in line).rstrip("a")]
    legend = [f"{letter}  {' | '.join(look)}" for look, letter in letters.items()]
    return "\n".join([*lines, "", f"   {' | '.join(THEMES)}", *legend]) + "\n"


SEEN = [(scene, size) for scene in SCENES for size in SIZES]


@pytest.mark.parametrize(("scene", "size"), SEEN, ids=[f"{scene}-{size[0]}x{size[1]}" for scene, size in SEEN])
def test_colours_are_as_they_were_looked_at(scene: str, size: tuple[int, int]) -> None:
    found = golden(*asyncio.run(seen(scene, size)))
    path = GOLDEN / f"{scene}-{size[0]}x{size[1]}.styles.txt"
    if os.environ.get("OPSROOM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_what_is_critical_or_armed_stands_out_by_more_than_its_colour() -> None:
    text, looks = asyncio.run(seen("armed", SIZES[0]))
    for words in ("!!", "ROLL BACK"):
        y = next(at for at, line in enumerate(text) if words in line)
        x = text[y].index(words)
        assert all("bold" in look or "reverse" in look for look in looks[y][x]), words
