"""A screen that settles: whatever sizes are told of at once, it takes the one that the terminal has now.

Textual tells a screen of its own layout by another Resize event, and makes only neighbours in its queue one. Two sizes
under way at once (a window that is being dragged, a board that starts) would chase each other for ever. It must not
know what the screen shows.
"""

from __future__ import annotations

from typing import TypeVar

from textual.command import CommandPalette
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input

from opsroom.view import notes

T = TypeVar("T")


class SettledScreen(Screen[T]):
    """Every screen of ours is one."""

    def _screen_resized(self, size: Size) -> None:
        # Textual's own name (>= 8.2.8, < 8.3); a test holds it.
        super()._screen_resized(self.app.size if self.app.size else size)


class Palette(CommandPalette, SettledScreen[None]):
    """Textual's command palette, settled, and still: a cursor that blinks would write twice a second for nothing."""

    CSS_PATH = "palette.tcss"

    def on_mount(self) -> None:
        """Nothing moves on its own."""
        field = self.query_one(Input)
        field.cursor_blink, field.placeholder = False, notes.FIND
