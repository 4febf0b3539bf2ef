"""Widgets that show lines: a fixed block, and a page that scrolls.

Given new lines they repaint those that differ and no others: a repaint sends the whole line, and over SSH every line
counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from opsroom.ui.paint import Paint
from opsroom.view.line import Line

_EMPTY = Line()


class LinesBlock(Widget, can_focus=False):
    """Lines from the top of the widget down; what is missing is empty."""

    def __init__(self, paint: Paint, id: str) -> None:
        super().__init__(id=id)
        self._paint = paint
        self._lines: list[Line] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Show ``lines``; only those that differ are painted again."""
        before, self._lines = self._lines, list(lines)
        for y in range(max(len(before), len(self._lines))):
            if _at(before, y) != _at(self._lines, y):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        return self._paint.strip(_at(self._lines, y), self.size.width)


class LinesPage(ScrollView, can_focus=True, inherit_bindings=False):
    """A page of lines, made anew for each width. Its keys are the screen's."""

    def __init__(self, paint: Paint, make: Callable[[int, int], list[Line]], id: str) -> None:
        super().__init__(id=id)
        self._paint = paint
        self._make = make
        self._lines: list[Line] = []

    @property
    def below(self) -> int:
        """Lines that are out of sight below."""
        return max(0, len(self._lines) - self.size.height - self.scroll_offset.y)

    def redraw(self) -> None:
        """Make the lines again; those in sight that differ are painted again."""
        before, self._lines = self._lines, self._make(self.size.width, self.size.height)
        if len(before) != len(self._lines) or self.virtual_size.width != self.size.width:
            self.virtual_size = Size(self.size.width, len(self._lines))
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if _at(before, top + y) != _at(self._lines, top + y):
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Another width, other lines."""
        self.redraw()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        return self._paint.strip(_at(self._lines, y + self.scroll_offset.y), self.size.width)


def _at(lines: Sequence[Line], y: int) -> Line:
    return lines[y] if 0 <= y < len(lines) else _EMPTY
