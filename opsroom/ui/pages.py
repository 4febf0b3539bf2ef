"""Pages to read: help, sources, journal, events, queue; one screen class, one function of lines each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from opsroom.ui.actions import SECTIONS, Action, Place, bindings, key_name, keys_of
from opsroom.ui.control import Control
from opsroom.ui.scrolled import ScrolledScreen
from opsroom.view import help_page, news_pages, queue_page, sources_page
from opsroom.view.keybar import Hint, bar, with_more
from opsroom.view.line import Line

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


class PageScreen(ScrolledScreen):
    """One page; ``esc`` and ``q`` lead back."""

    BINDINGS = bindings(Place.PAGE)
    place = Place.PAGE

    def __init__(self, control: Control, name: str) -> None:
        super().__init__(control)
        self._about = name

    def lines(self, cells: int, rows: int) -> list[Line]:
        """The page of that name."""
        return PAGES[self._about](self.control, cells)

    def action_move(self, by: int) -> None:
        """Scroll by a line."""
        self._page.scroll_relative(y=by, animate=False, immediate=True)
        self.draw_bar()

    def keys(self, cells: int) -> Line:
        """One way: back; in a recording its keys."""
        if self.control.sight.replay is not None:
            return super().keys(cells)
        scrolls = self._page.virtual_size.height > self._page.size.height
        return with_more(partial(bar, [Hint("j k", "scroll", scrolls)], Hint("esc", "back")), self._page.below, cells)

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
