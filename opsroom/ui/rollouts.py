"""The list of rollouts, drawn line by line: only lines in sight are made, only those that changed are painted."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opsroom.domain.board import Row
from opsroom.domain.rollout import Uid
from opsroom.ui.paint import Paint
from opsroom.ui.sight import Sight
from opsroom.view import header, rows
from opsroom.view.columns import Column, layout
from opsroom.view.line import Line, Piece, Role, line
from opsroom.view.order import Heading
from opsroom.view.spark import Graphs

MARGIN = 2
"""Lines kept in sight above and below the cursor."""


class RolloutList(ScrollView, can_focus=True, inherit_bindings=False):
    """Groups and rows of a ``Sight``. Its keys are the screen's: those it would inherit scroll past the cursor."""

    def __init__(self, sight: Sight, paint: Paint, graphs: Graphs, doing: Callable[[Uid], str]) -> None:
        super().__init__(id="rollouts")
        self._sight = sight
        self._paint = paint
        self._graphs = graphs
        self._doing = doing
        self._columns: tuple[Column, ...] = ()
        self.wide = False
        """Whether the list stands alone: then words come before graphs."""
        self._fitted = (Size(0, 0), False)
        """The size that columns and entries are made for, and whether for a wide list."""
        self._painted: dict[int, Line] = {}
        """Lines in sight as they were last painted, by their place on the screen."""
        self._made: dict[Uid, tuple[Row, tuple[object, ...], Line, Strip]] = {}
        """What was made of a row and for which state of the list: a line that scrolls is not made again."""
        self._stood: tuple[Uid | None, int] | None = None
        """The row under the cursor, and its line in the list, when it was last drawn."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns at the present width."""
        return self._columns

    def _fit(self) -> None:
        """Make columns for the present width; Textual paints with a new size before it tells of it."""
        if self._fitted != (self.size, self.wide):
            self._fitted = (self.size, self.wide)
            self._columns = layout(self.size.width, self.wide)
            self._made.clear()
            self._sight.be_roomy(self.size.height > 15)

    def on_resize(self) -> None:
        """Another size; what is in sight was painted with it already."""
        self._fit()
        self.redraw()

    def redraw(self) -> None:
        """Paint the lines in sight that differ from what is there."""
        if not self._columns:
            return
        height = len(self._sight.entries)
        if self.virtual_size.height != height or self.virtual_size.width != self.size.width:
            self.virtual_size = Size(self.size.width, height)
        self._keep_in_place()
        for y in range(self.size.height):
            if self._line(y + self.scroll_offset.y) != self._painted.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _keep_in_place(self) -> None:
        """Scroll so that the cursor's line stays where it is on the screen, and in any case in sight.

        When rows come and go above the cursor the list scrolls along with them: nothing moves under the cursor.
        """
        selected = self._sight.selected
        if selected is None or selected not in self._sight.entries:
            self._stood = None
            return
        at = self._sight.entries.index(selected)
        top, height = self.scroll_offset.y, self.size.height
        if self._stood is not None and self._stood[0] == selected:
            top += at - self._stood[1]
        self._stood = (selected, at)
        margin = min(MARGIN, max(0, (height - 1) // 2))
        wanted = max(min(top, at - margin), at - height + 1 + margin)
        if at <= margin:
            wanted = 0
        wanted = max(0, min(wanted, len(self._sight.entries) - height))
        if wanted != self.scroll_offset.y:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        """One line in sight."""
        self._fit()
        at = y + self.scroll_offset.y
        self._painted[y] = drawn = self._line(at)
        entry = self._sight.entries[at] if at < len(self._sight.entries) else None
        made = self._made.get(entry) if isinstance(entry, str) else None
        return self._paint.strip(drawn, self.size.width) if made is None or made[2] is not drawn else made[3]

    def _line(self, at: int) -> Line:
        entries = self._sight.entries
        if not entries and at == 1:
            return line("     ", Piece(header.emptiness(self._sight.room, self._sight.status()), Role.DIM))
        if not self._columns or not 0 <= at < len(entries):
            return Line()
        entry = entries[at]
        if isinstance(entry, Heading):
            if not entry.count:
                return Line()
            return header.heading(entry.group, entry.count, self.size.width, self._paint.theme.plain)
        row = self._sight.rows.get(entry)
        return Line() if row is None else self._row_line(entry, row)

    def _row_line(self, uid: Uid, row: Row) -> Line:
        now, selected, doing = self._sight.now, uid == self._sight.selected, self._doing(uid)
        key = (int(now), selected, doing, self._paint.version)
        made = self._made.get(uid)
        if made is not None and made[0] is row and made[1] == key:
            return made[2]
        look = rows.Look(self._columns, now, self._graphs, selected, doing)
        drawn = rows.row_line(row, look)
        if len(self._made) > 4 * max(1, self.size.height):
            self._made.clear()
        self._made[uid] = (row, key, drawn, self._paint.strip(drawn, self.size.width))
        return drawn
