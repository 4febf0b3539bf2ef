"""All about one rollout: the one under the cursor, so that ``n`` and ``j`` go on from here."""

from __future__ import annotations

from textual.app import ComposeResult

from opsroom.ui.actions import Place, bindings
from opsroom.ui.control import Control, GuardedScreen
from opsroom.ui.lines import LinesBlock, LinesPage
from opsroom.view import header
from opsroom.view.detail import Pane
from opsroom.view.dossier import dossier
from opsroom.view.line import Line, padded


class DetailScreen(GuardedScreen):
    """Charts, evidence, plan, change, news and deeds of one rollout."""

    BINDINGS = bindings(Place.DETAIL)
    place = Place.DETAIL

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._top = LinesBlock(control.paint, id="top")
        self._page = LinesPage(control.paint, self._lines, id="page")

    def compose(self) -> ComposeResult:
        """Header, one page that scrolls, intent line, keys."""
        yield self._top
        yield self._page
        yield self.intent_block
        yield self.keys_block
        yield self.small_block

    def on_mount(self) -> None:
        """Arrows scroll through bindings of the screen; what was said before was about another one."""
        self._page.focus()
        self.control.deeds.hush()
        self.redraw()

    def _lines(self, cells: int, lines: int) -> list[Line]:
        sight = self.control.sight
        return (
            dossier(sight.row, Pane(cells, lines, sight.now, self.control.graphs, self.control.paint.theme.plain))
            if cells
            else []
        )

    def redraw(self) -> None:
        """Draw what changed."""
        if not self.ready():
            return
        sight = self.control.sight
        top = header.top(sight.room, sight.status(), self.size.width)
        self._top.show([padded(top, self.size.width)])
        self._page.redraw()
        self.draw_bar()

    def action_move(self, by: int) -> None:
        """``j`` and ``k`` go to the next rollout; pages scroll."""
        super().action_move(by)
        self._page.scroll_to(y=0, animate=False, immediate=True)

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        self._page.scroll_relative(y=by * max(1, self._page.size.height - 2), animate=False, immediate=True)
        self.redraw()

    def action_edge(self, by: int) -> None:
        """To the top or the end of the page."""
        self._page.scroll_to(y=0 if by < 0 else self._page.virtual_size.height, animate=False, immediate=True)
        self.redraw()

    def action_back(self) -> None:
        """Stop what is armed; else back to the board."""
        if not self.control.deeds.stop():
            self.app.pop_screen()
        else:
            self.redraw()
