"""The wall display: one page of lines and no keys."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from opsroom.ui.control import Control, LinesScreen
from opsroom.ui.lines import LinesBlock
from opsroom.view.wall import wall
from opsroom.view.wall_tiles import Wall


class WallScreen(LinesScreen):
    """Everything at a glance, for people who do not touch it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.leave", show=False)]

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._block = LinesBlock(control.paint, id="wall")

    def compose(self) -> ComposeResult:
        """One block."""
        yield self._block
        yield self.small_block

    def on_mount(self) -> None:
        """The first frame."""
        self.redraw()

    def redraw(self) -> None:
        """Draw what changed."""
        if self.ready():
            cells, lines = self.size
            sight = self.control.sight
            size = Wall(cells, lines, sight.live_now, self.control.graphs, self.control.paint.theme.plain)
            self._block.show(wall(sight.room, list(sight.rows.values()), sight.status(), size))

    def draw_bar(self) -> None:
        """There is none."""
