"""All about one rollout: the one under the cursor, so that ``n`` and ``j`` go on from here."""

from __future__ import annotations

from opsroom.ui.actions import Place, bindings
from opsroom.ui.control import GuardedScreen
from opsroom.ui.scrolled import ScrolledScreen
from opsroom.view.detail import Pane
from opsroom.view.dossier import dossier, head
from opsroom.view.keybar import Hint
from opsroom.view.line import Line


class DetailScreen(GuardedScreen, ScrolledScreen):
    """Charts, evidence, plan, change, news and deeds of one rollout; its name stays in sight, for keys act on it."""

    BINDINGS = bindings(Place.DETAIL)
    place = Place.DETAIL

    def pinned(self, cells: int) -> list[Line]:
        """Which rollout it is, from where to where, and since when it waits."""
        row = self.control.sight.row
        return [] if row is None else [head(row, self._pane(cells, 0))]

    def lines(self, cells: int, rows: int) -> list[Line]:
        """All about it."""
        return dossier(self.control.sight.row, self._pane(cells, rows))

    def _pane(self, cells: int, rows: int) -> Pane:
        return Pane(cells, rows, self.control.sight.now, self.control.graphs, self.control.paint.theme.plain)

    def hints(self) -> list[Hint]:
        """The way back comes after the keys that act: somebody may be here for the first time."""
        known = super().hints()
        return [*known[:2], Hint("esc", "back"), *known[2:]]

    def action_move(self, by: int) -> None:
        """``j`` and ``k`` go to the next rollout; pages scroll."""
        super().action_move(by)
        self._page.scroll_to(y=0, animate=False, immediate=True)

    def action_back(self) -> None:
        """Stop what is armed; else back to the board."""
        if not self.control.deeds.stop():
            self.app.pop_screen()
        else:
            self.redraw()
