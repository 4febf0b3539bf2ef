"""The command palette: the same actions by name. Guarded ones go through the guard as if their key had been pressed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from opsroom.domain.clean import clean
from opsroom.ui.actions import ACTIONS, GUARDED, Action, key_name
from opsroom.ui.contexts import Contexts
from opsroom.ui.control import LinesScreen
from opsroom.ui.room_app import RoomApp

_MOVES = frozenset({"stop", "down", "up", "page_down", "page_up", "first", "last"})
_HIDDEN = frozenset({"unbound", "confirm", "palette", *_MOVES, *GUARDED})
"""Guarded keys are pressed with the eyes on the row, never chosen from a list that covers it."""


class Entry(NamedTuple):
    """One line of the palette."""

    key: str
    text: str
    does: str


class ActionProvider(Provider):
    """Actions of the screen below the palette, the contexts that are not shown, the themes that are not in force."""

    async def startup(self) -> None:
        """Look for themes once: whoever types a letter must not wait for files."""
        self._themes = _themes(self.app.other_themes()) if isinstance(self.app, RoomApp) else []

    def _entries(self) -> list[Entry]:
        screen = self.screen
        if not isinstance(screen, LinesScreen):
            return []
        here = [action for action in ACTIONS if screen.place in action.places and action.id not in _HIDDEN]
        keymap = screen.control.options.keymap
        actions = [_entry(action, keymap) for action in here if screen.control.offers(action)]
        contexts = _contexts(self.app.contexts) if isinstance(self.app, RoomApp) else []
        return contexts + actions + self._themes

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """All of them, before anything is typed."""
        for entry in self._entries():
            yield DiscoveryHit(_shown(entry), partial(self._run, entry), text=entry.text)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(entry.text)
            if score > 0:
                yield Hit(score, _shown(entry), partial(self._run, entry), text=entry.text)

    async def _run(self, entry: Entry) -> None:
        await self.screen.run_action(entry.does)


def _entry(action: Action, keymap: Mapping[str, str]) -> Entry:
    return Entry(key_name(action, keymap), action.help, action.does)


def _contexts(contexts: Contexts) -> list[Entry]:
    # A feed may tell its own name, and a palette is not painted by us.
    names = [clean(each.sight.name) for each in contexts.all]
    return [
        Entry("", f"context {name}", f"app.show_context({at})") for at, name in enumerate(names) if at != contexts.at
    ]


def _themes(names: list[str]) -> list[Entry]:
    # A file's name may be anything, and a palette is not painted by us.
    return [Entry("", f"theme {name}", f"app.theme({name!r})") for name in names if clean(name) == name]


def _shown(entry: Entry) -> Content:
    return Content(f"{entry.key:<7} {entry.text}")
