"""A board on a stage: a clock that stands still, a feed that shows a scene, and the screen as text."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import App

from opsroom.domain.board import Room, Row
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from opsroom.ui.terminal import Terminal
from tests.ui.scenes import all_rows
from tests.ui.show import SceneFeed

HERE = Terminal(colourless=False, sixteen=False, unicode=True)


@dataclass(slots=True)
class Clock:
    """Monotonic seconds that only a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def stage(
    options: Options, rows: tuple[Row, ...] | None = None, around: Room | None = None, found: Terminal = HERE
) -> tuple[BoardApp, Clock]:
    """A board that shows a scene, and its clock."""
    clock = Clock()
    feed = SceneFeed(all_rows() if rows is None else rows, around)
    return BoardApp(options, feed, clock=clock, found=found), clock


def screen_text(app: App[int]) -> str:
    """What is on the screen, without colours."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
