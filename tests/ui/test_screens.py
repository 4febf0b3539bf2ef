"""Every screen as text, at two to four sizes.

``OPSROOM_GOLDEN=write pytest tests/ui/test_screens.py`` writes them anew.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from opsroom.domain.board import Row
from opsroom.ui.app import BoardApp, WallApp
from opsroom.ui.options import Options
from tests.ui.scenes import NOW, all_rows, done, moving, needing, queued
from tests.ui.show import SceneFeed, beside
from tests.ui.stage import HERE, Clock, screen_text

GOLDEN = Path(__file__).parent / "golden"
SCENES: dict[str, tuple[str, tuple[str, ...]]] = {
    "board": ("board", ()),
    "armed": ("board", ("x",)),
    "detail": ("board", ("enter",)),
    "help": ("board", ("question_mark",)),
    "sources": ("board", ("S",)),
    "journal": ("board", ("J",)),
    "events": ("board", ("e",)),
    "filter": ("board", ("slash", "p", "a", "y")),
    "calm": ("calm", ()),
    "empty": ("empty", ()),
    "wall": ("wall", ()),
    "one-flag-wall": ("one-flag-wall", ()),
    "quiet-wall": ("calm-wall", ()),
    "queue": ("board", ("Q",)),
    "wide": ("board", ("w",)),
    "contexts": ("contexts", ()),
    "next-context": ("contexts", ("tab",)),
}


def rows_of(scene: str) -> tuple[Row, ...]:
    if scene == "empty":
        return ()
    if scene == "one-flag-wall":
        return (*needing(NOW)[:1], *moving(NOW), *queued(NOW), *done(NOW))
    return (*moving(NOW)[1:3], *queued(NOW), *done(NOW)) if scene.startswith("calm") else all_rows()


async def picture(scene: str, keys: tuple[str, ...], size: tuple[int, int]) -> str:
    clock = Clock()
    kind = WallApp if scene.endswith("wall") else BoardApp
    others = beside() if scene == "contexts" else []
    app = kind(Options(act=("/bin/cat",)), SceneFeed(rows_of(scene)), clock=clock, found=HERE, others=others)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        clock.now += 1.0
        app._tick()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()
        return screen_text(app) + "\n"


SMALL, MIDDLE, LARGE, HUGE = (80, 24), (120, 40), (160, 50), (200, 60)
SEEN = [
    *((name, size) for name in SCENES for size in (SMALL, MIDDLE)),
    *((name, size) for name in ("board", "detail", "wall", "quiet-wall", "contexts") for size in (LARGE, HUGE)),
]


@pytest.mark.parametrize(("name", "size"), SEEN, ids=[f"{name}-{size[0]}x{size[1]}" for name, size in SEEN])
def test_screens_are_as_they_were_looked_at(name: str, size: tuple[int, int]) -> None:
    scene, keys = SCENES[name]
    text = asyncio.run(picture(scene, keys, size))
    path = GOLDEN / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("OPSROOM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert all(len(line) <= size[0] for line in text.splitlines())
