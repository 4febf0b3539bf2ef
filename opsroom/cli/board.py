"""The board: which feeds it draws, and how it is started.

The splash comes first, from the standard library alone; Textual is imported while a person already sees something.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from opsroom.cli.children import command
from opsroom.errors import UsageError

if TYPE_CHECKING:
    from opsroom.config.settings import Guard as Told
    from opsroom.config.settings import Screen, Settings
    from opsroom.ui.options import Guard, Options


def run(arguments: argparse.Namespace) -> int:
    """Show the board on the feeds of its contexts until it is left, or print it once.

    Raises:
        UsageError: it cannot be told which feed belongs to which context, or several would be recorded.
    """
    if arguments.plain:
        from opsroom.cli import looking

        return looking.run(argparse.Namespace(**{**vars(arguments), "output": "plain", "flagged": False}))
    with first_frame():
        from opsroom.cli.options import board_settings

        found = board_settings(arguments)
        if len(found) > 1:
            return _several(arguments, found)
        from opsroom.cli.own_worker import common_words, kept, pinned

        settings = pinned(found[0])
        with kept(arguments, settings) as (where, said):
            words = common_words(arguments, settings)
            return show(where, words, settings, record=arguments.record, worker=said)


def _several(arguments: argparse.Namespace, found: Sequence[Settings]) -> int:
    """Several contexts: a worker of their own for each, where no feed is named for it."""
    from contextlib import ExitStack

    from opsroom.cli.own_worker import common_words, kept
    from opsroom.ui.app import run_board

    if arguments.record:
        raise UsageError("a recording is of one context, and this board shows several", "Record each on its own board")
    with ExitStack() as stack:
        options = []
        for settings in found:
            where, said = stack.enter_context(kept(arguments, settings))
            one = _options(where, common_words(arguments, settings), settings, said, alone=False)
            one = replace(one, context=settings.context)
            # Without a context nobody knows which cluster to ask for logs and manifests.
            options.append(one if settings.context else replace(one, show=()))
        return run_board(*options)


def show(
    where: str,
    words: Sequence[str],
    settings: Settings | None = None,
    *,
    record: str | None = None,
    worker: Callable[[], str] = str,
) -> int:
    """Draw the feed at ``where``; deeds are sent to the cluster that ``words`` (common options) name.

    ``worker`` says why the worker behind the feed is not there, where we look after it.

    Raises:
        RecordingError: ``record`` names a file that exists or cannot be made.
    """
    from opsroom.config.settings import load_settings
    from opsroom.ui.app import run_board

    options = _options(where, words, settings or load_settings(), worker)
    if not record:
        return run_board(options)
    from opsroom.feed.record import Recorder

    recorder = Recorder(Path(record))
    try:
        return run_board(replace(options, recorder=recorder))
    finally:
        recorder.close()


def _options(
    where: str, words: Sequence[str], settings: Settings, worker: Callable[[], str], *, alone: bool = True
) -> Options:
    """What a screen has to know of one context."""
    from opsroom.cli.feed_token import feed_token

    beside = () if alone else ("--beside-others",)
    return replace(
        screen_options(settings),
        feed=where,
        worker=worker,
        token=feed_token(where, settings, alone=alone),
        act=tuple(command("act", *words)),
        freeze=tuple(command("freeze", *words)),
        thaw=tuple(command("thaw", *words)),
        show=tuple(command("show", *words, "--feed", where, *beside)),
    )


def screen_options(settings: Settings) -> Options:
    """What the settings say about screens.

    Raises:
        ConfigError: the keymap is wrong.
    """
    from opsroom.config.keymap import check_keymap
    from opsroom.config.paths import themes_folders
    from opsroom.config.settings import Guard as Told
    from opsroom.ui.actions import GUARDED, default_keys
    from opsroom.ui.browser import opener
    from opsroom.ui.notices import notices_here, remote
    from opsroom.ui.options import Options
    from opsroom.view.spark import Graphs

    screen = settings.screen
    return Options(
        theme=screen.theme,
        theme_folders=tuple(Path(folder) for folder in themes_folders()),
        graphs=Graphs(screen.graphs) if screen.graphs else None,
        namespaces=settings.namespaces,
        read_only=settings.read_only,
        keymap=check_keymap(screen.keymap, default_keys(), GUARDED, settings.path) if screen.keymap else {},
        guard=guard_of(screen, Told()),
        guards={context: guard_of(screen, told) for context, told in settings.contexts.items()},
        bell=not remote(os.environ) if screen.bell is None else screen.bell,
        notices=notices_here(screen.notices, os.environ),
        opener=opener(os.environ),
    )


def guard_of(screen: Screen, told: Told) -> Guard:
    """The guard of a context: what it says itself, the rest as ``[screen]`` says."""
    from opsroom.ui.options import Guard

    return Guard(
        promote=screen.promote_countdown if told.promote_countdown is None else told.promote_countdown,
        roll_back=screen.roll_back_countdown if told.roll_back_countdown is None else told.roll_back_countdown,
        second_key=screen.second_key if told.second_key is None else told.second_key,
    )


_NAMED = {"wall": "the wall", "replay": "a replay", "demo": "the demo"}
_WITHOUT = {
    "board": "In scripts use opsroom ls or opsroom show",
    "wall": "opsroom wall --serve HOST:PORT shows it in a browser",
    "replay": "Recordings are only shown on a screen; opsroom journal prints what was done",
    "demo": "opsroom demo --headless SECONDS needs none",
}
"""What to do where there is no terminal to draw on."""


@contextmanager
def first_frame(shown: str = "board") -> Iterator[None]:
    """Show something before anything heavy is imported, and leave the terminal as it was.

    Raises:
        UsageError: there is no terminal to draw on.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{_NAMED.get(shown, 'the board')} needs a terminal", _WITHOUT.get(shown, _WITHOUT["board"]))
    from opsroom.ui import splash

    splash.splash(shown)
    try:
        yield
    finally:
        splash.end()
