"""Pages to read: help, sources, journal, events; one screen class, one function of lines each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult

from opsroom.ui.actions import SECTIONS, Action, Place, bindings, key_name, keys_of
from opsroom.ui.control import Control, LinesScreen
from opsroom.ui.lines import LinesBlock, LinesPage
from opsroom.view import header, help_page, news_pages, queue_page, sources_page
from opsroom.view.keybar import Hint, bar
from opsroom.view.line import Line, padded

Make = Callable[[Control, int], list[Line]]


def _help(control: Control, cells: int) -> list[Line]:
    keymap = control.options.keymap
    sections = {
        title: [_entry(action, keymap) for action in actions if control.offers(action)]
        for title, actions in SECTIONS.items()
    }
    return help_page.help_page(sections, cells)


def _entry(action: Action, keymap: Mapping[str, str]) -> help_page.Entry:
    others = [key for key in keys_of(action, keymap).split(",")[1:] if len(key) <= 9]
    return help_page.Entry(key_name(action, keymap), others, action.help)


def _sources(control: Control, cells: int) -> list[Line]:
    sight = control.sight
    return sources_page.sources_page(sight.room, sight.rows.values(), sight.status(), cells)


def _journal(control: Control, cells: int) -> list[Line]:
    sight = control.sight
    return news_pages.journal_page(sight.room, sight.now, cells)


def _events(control: Control, cells: int) -> list[Line]:
    sight = control.sight
    return news_pages.events_page(sight.rows.values(), sight.row, sight.now, cells)


def _queue(control: Control, cells: int) -> list[Line]:
    sight = control.sight
    return queue_page.queue_page(sight.room, sight.rows.values(), sight.now, cells)


PAGES: dict[str, Make] = {
    "help": _help,
    "sources": _sources,
    "journal": _journal,
    "events": _events,
    "queue": _queue,
}


class PageScreen(LinesScreen):
    """One page; ``esc`` and ``q`` lead back."""

    BINDINGS = bindings(Place.PAGE)
    place = Place.PAGE

    def __init__(self, control: Control, name: str, make: Make | None = None) -> None:
        super().__init__(control)
        self._top = LinesBlock(control.paint, id="top")
        make = make or PAGES[name]
        self._page = LinesPage(control.paint, lambda cells, _: make(control, cells) if cells else [], id="page")

    def compose(self) -> ComposeResult:
        """Header, page, intent line, keys."""
        yield self._top
        yield self._page
        yield self.intent_block
        yield self.keys_block
        yield self.small_block

    def on_mount(self) -> None:
        """Arrows and page keys scroll; what was said on the screen before was about that one."""
        self._page.focus()
        self.control.deeds.hush()
        self.redraw()

    def redraw(self) -> None:
        """Draw what changed."""
        if not self.ready():
            return
        sight = self.control.sight
        top = header.top(sight.room, sight.status(), self.size.width)
        self._top.show([padded(top, self.size.width)])
        self._page.redraw()
        self.draw_bar()

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        self._page.scroll_relative(y=by * max(1, self._page.size.height - 2), animate=False, immediate=True)

    def action_edge(self, by: int) -> None:
        """To the top or the end."""
        self._page.scroll_to(y=0 if by < 0 else self._page.virtual_size.height, animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Scroll by a line."""
        self._page.scroll_relative(y=by, animate=False, immediate=True)

    def keys(self, cells: int) -> Line:
        """One way: back."""
        if self.control.sight.replay is not None:
            return super().keys(cells)
        return bar([Hint("j k", "scroll")], Hint("esc", "back"), cells)

    def action_back(self) -> None:
        """Back to where one came from."""
        self.control.deeds.hush()
        self.app.pop_screen()

    def action_hold(self) -> None:
        """A recording can be paused from here; a page about the living world has no picture to stop."""
        if self.control.sight.replay is not None:
            super().action_hold()

    async def action_leave(self) -> None:
        """``q`` on a page leaves the page, not the room."""
        self.action_back()
