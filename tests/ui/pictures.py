"""The README's pictures, made from the scenes that the tests look at: ``python -m tests.ui.pictures``.

Writes ``.pictures/board.svg``, ``.pictures/wall.svg`` and ``.pictures/board.txt``, and puts the text into the README.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.ui.app import BoardApp, WallApp
from opsroom.ui.options import Options
from tests.ui.scenes import NOW, all_rows
from tests.ui.show import SceneFeed
from tests.ui.stage import HERE, Clock, screen_text

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".pictures"
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- the board as text: python -m tests\.ui\.pictures -->\n```text\n).*?(\n```)", re.DOTALL)

TEXT_SIZE = (100, 34)
PICTURES: dict[str, tuple[type[BoardApp | WallApp], tuple[int, int]]] = {
    "board": (BoardApp, (120, 36)),
    "wall": (WallApp, (160, 45)),
}


def rows() -> tuple[Row, ...]:
    """The scene, with a reason that needs no freeze around it."""
    flag = Flag(reason=FlagReason.RAILS, since=NOW - 252, detail="roll_back:rails")
    return tuple(
        msgspec.structs.replace(row, flag=flag) if row.flag and row.flag.reason is FlagReason.FREEZE else row
        for row in all_rows()
    )


async def drawn(kind: type[BoardApp | WallApp], size: tuple[int, int]) -> tuple[str, str]:
    """A scene as text and as SVG."""
    clock = Clock()
    app = kind(Options(act=("/bin/cat",)), SceneFeed(rows()), clock=clock, found=HERE)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        clock.now += 1.0
        app._tick()
        await pilot.pause()
        return screen_text(app), app.export_screenshot(
            title=f"opsroom: the {kind.__name__.removesuffix('App').lower()}"
        )


def board_text() -> str:
    """The board as the README shows it."""
    return asyncio.run(drawn(BoardApp, TEXT_SIZE))[0]


def in_readme(text: str) -> str:
    """The board that stands in the README ``text``; empty where there is none."""
    found = BLOCK.search(text)
    return "" if found is None else text[found.end(1) : found.start(2)]


def main() -> int:
    """Write everything."""
    FOLDER.mkdir(exist_ok=True)
    for name, (kind, size) in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(asyncio.run(drawn(kind, size))[1], encoding="utf-8")
    text = board_text()
    (FOLDER / "board.txt").write_text(text + "\n", encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda found: found[1] + text + found[2], readme), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
