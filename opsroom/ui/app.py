"""The two apps, and how they are run: ``run_board`` and ``run_wall`` are what the command line calls."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from opsroom.ui.board import BoardScreen
from opsroom.ui.control import Control, LinesScreen
from opsroom.ui.notices import Notices
from opsroom.ui.options import Options
from opsroom.ui.room_app import RoomApp
from opsroom.ui.sight import Feed


class BoardApp(RoomApp):
    """The control room."""

    ENABLE_COMMAND_PALETTE = True

    def first_screen(self, control: Control) -> LinesScreen:
        """The board."""
        return BoardScreen(control)


class WallApp(RoomApp):
    """The wall: nothing to press."""

    tick_seconds = 2.0

    def __init__(self, options: Options, feed: Feed, **more: Any) -> None:
        calm = replace(options, bell=False, notices=Notices.OFF)
        super().__init__(replace(calm, theme="wall") if options.theme == "night" else calm, feed, **more)

    def first_screen(self, control: Control) -> LinesScreen:
        """The wall."""
        from opsroom.ui.wall import WallScreen

        return WallScreen(control)

    def action_leave(self) -> None:
        """Only where it was allowed: a wall that a passer-by can end is no wall."""
        if self.control.options.wall_quit:
            super().action_leave()


def run_board(options: Options, *others: Options) -> int:
    """Run the control room on this terminal until it is left; returns the exit code.

    ``others`` are the contexts beside the first.
    """
    return _run(BoardApp, options, *others)


def run_wall(options: Options) -> int:
    """Run the wall display; returns the exit code."""
    return _run(WallApp, options)


def _run(kind: type[RoomApp], options: Options, *others: Options) -> int:
    from opsroom.ui.running import run

    return run(kind, options, *others)
