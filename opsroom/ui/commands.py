"""The command palette: the same actions by name. Guarded ones go through the guard as if their key had been pressed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from opsroom.ui.actions import ACTIONS, GUARDED, Action, key_name
from opsroom.ui.control import LinesScreen

_MOVES = frozenset({"stop", "down", "up", "page_down", "page_up", "first", "last"})
_HIDDEN = frozenset({"unbound", "confirm", "palette", *_MOVES, *GUARDED})
"""Guarded keys are pressed with the eyes on the row, never chosen from a list that covers it."""


class ActionProvider(Provider):
    """Actions of the screen below the palette."""

    def _actions(self) -> list[Action]:
        screen = self.screen
        place = screen.place if isinstance(screen, LinesScreen) else None
        replay = isinstance(screen, LinesScreen) and screen.control.sight.replay is not None
        here = [action for action in ACTIONS if place in action.places and action.id not in _HIDDEN]
        return [action for action in here if replay or not action.replay]

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """All of them, before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(_shown(action), partial(self._run, action), text=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(action.help)
            if score > 0:
                yield Hit(score, _shown(action), partial(self._run, action), text=action.help)

    async def _run(self, action: Action) -> None:
        await self.screen.run_action(action.does)


def _shown(action: Action) -> Content:
    return Content(f"{key_name(action, {}):<8}{action.help}")
