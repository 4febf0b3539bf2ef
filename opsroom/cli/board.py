"""The board and the wall: which feed they draw, and how they are started.

The splash comes first, from the standard library alone; Textual is imported while a person already sees something.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opsroom.cli.children import command
from opsroom.errors import UsageError

if TYPE_CHECKING:
    from opsroom.config.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Show the board (or the wall) on the feed of the current context until it is left."""
    with first_frame():
        from opsroom.cli.options import settings_for
        from opsroom.cli.own_worker import address, common_words

        settings = settings_for(arguments)
        where = address(arguments, settings)
        return show(where, common_words(arguments, settings), settings, wall=arguments.command == "wall")


def show(where: str, words: Sequence[str], settings: Settings | None = None, *, wall: bool = False) -> int:
    """Draw the feed at ``where``; deeds are sent to the cluster that ``words`` (common options) name."""
    from opsroom.cli.feed_token import feed_token
    from opsroom.config.keymap import check_keymap
    from opsroom.config.paths import themes_folders
    from opsroom.config.settings import load_settings
    from opsroom.ui.actions import GUARDED, default_keys
    from opsroom.ui.app import run_board, run_wall
    from opsroom.ui.options import Options
    from opsroom.view.spark import Graphs

    settings = settings or load_settings()
    screen = settings.screen
    options = Options(
        feed=where,
        token=feed_token(where),
        act=tuple(command("act", *words)),
        freeze=tuple(command("freeze", *words)),
        thaw=tuple(command("thaw", *words)),
        theme=screen.theme,
        theme_folders=tuple(Path(folder) for folder in themes_folders()),
        graphs=Graphs(screen.graphs) if screen.graphs else None,
        read_only=settings.read_only or wall,
        keymap=check_keymap(screen.keymap, default_keys(), GUARDED, settings.path) if screen.keymap else {},
        promote_countdown=screen.promote_countdown,
        roll_back_countdown=screen.roll_back_countdown,
        bell=screen.bell,
    )
    return run_wall(options) if wall else run_board(options)


@contextmanager
def first_frame() -> Iterator[None]:
    """Show something before anything heavy is imported, and leave the terminal as it was.

    Raises:
        UsageError: there is no terminal to draw on.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("the board needs a terminal", "In scripts use opsroom ls, or opsroom demo --headless SECONDS")
    from opsroom.ui import splash

    splash.splash()
    try:
        yield
    finally:
        splash.end()
