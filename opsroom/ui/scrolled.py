"""A screen with a page that scrolls: the header and what names the page stay above it, the intent line and keys below.

What a key would act on, and whose words these are, must be in sight however far a person has scrolled.
"""

from __future__ import annotations

from textual.app import ComposeResult

from opsroom.ui.control import Control, LinesScreen
from opsroom.ui.lines import LinesBlock, LinesPage
from opsroom.view import header
from opsroom.view.keybar import with_more
from opsroom.view.line import Line, padded


class ScrolledScreen(LinesScreen):
    """Header, pinned lines, page, intent line, keys."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._top = LinesBlock(control.paint, id="top")
        self._page = LinesPage(control.paint, self._made, id="page")
        self._rows = 0

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._top
        yield self._page
        yield self.intent_block
        yield self.keys_block
        yield self.small_block

    def on_mount(self) -> None:
        """What was said on the screen before was about that one."""
        self._page.focus()
        self.control.deeds.hush()
        self.redraw()

    def pinned(self, cells: int) -> list[Line]:
        """What stays in sight above the page."""
        return []

    def lines(self, cells: int, rows: int) -> list[Line]:
        """The page; it is as long as it has to be, and may use up to ``rows`` lines for what is not needed."""
        raise NotImplementedError

    def _made(self, cells: int, rows: int) -> list[Line]:
        if rows != self._rows:
            # The pinned lines have taken or given room: what is out of sight below is another number.
            self._rows = rows
            self.call_after_refresh(self.draw_bar)
        return self.lines(cells, rows) if cells else []

    def redraw(self) -> None:
        """Draw what changed."""
        if not self.ready():
            return
        sight, cells = self.control.sight, self.size.width
        top = [header.top(sight.room, sight.status(), cells), *self.pinned(cells)]
        self._top.styles.height = len(top)
        self._top.show([padded(each, cells) for each in top])
        self._page.redraw()
        self.draw_bar()

    def keys(self, cells: int) -> Line:
        """The keys, and how much of the page is out of sight below."""
        return with_more(super().keys, self._page.below, cells)

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        self._page.scroll_relative(y=by * max(1, self._page.size.height - 2), animate=False, immediate=True)
        self.draw_bar()

    def action_edge(self, by: int) -> None:
        """To the top or the end of the page."""
        self._page.scroll_to(y=0 if by < 0 else self._page.virtual_size.height, animate=False, immediate=True)
        self.draw_bar()
