"""The board: header, list, pane, intent line, keys."""

from __future__ import annotations

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from opsroom.ui.actions import ACTIONS, Place, bindings, key_name
from opsroom.ui.control import Control, GuardedScreen, LinesScreen
from opsroom.ui.lines import LinesBlock
from opsroom.ui.rollouts import RolloutList
from opsroom.view import detail, first_hint, header, notes, rows
from opsroom.view.columns import layout
from opsroom.view.keybar import Hint, bar
from opsroom.view.line import Ground, Line, padded

HELP = next(action for action in ACTIONS if action.id == "help")


class Pane(LinesBlock):
    """The pane under the list: how high it is decides what stands in it."""

    def on_resize(self) -> None:
        """Another height, other lines; Textual finds it only after the screen was drawn."""
        if isinstance(self.screen, LinesScreen):
            self.screen.redraw()


class BoardScreen(GuardedScreen):
    """The home screen."""

    BINDINGS = bindings(Place.BOARD)
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (18, "-short"), (28, "-low"), (36, "-middle"), (48, "-tall")]  # noqa: RUF012
    place = Place.BOARD

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._filtering = False
        self._header = LinesBlock(control.paint, id="header")
        self._pane = Pane(control.paint, id="pane")
        self._filter: Input | None = None
        """Made when it is first asked for: the first frame does without."""
        self._list = RolloutList(control.sight, control.paint, control.graphs, control.deeds.under_way.doing)

    def compose(self) -> ComposeResult:
        """Blocks from top to bottom; their heights are in the style sheet. The first paint finds them filled."""
        self._draw_top()
        self.draw_bar()
        yield self._header
        with Vertical(id="middle"):
            yield self._list
            yield self._pane
        yield self.intent_block
        yield self.keys_block
        yield self.small_block

    def on_mount(self) -> None:
        """Keys go to the screen; the list only shows."""
        self._list.focus()
        self.redraw()

    def redraw(self) -> None:
        """Draw what changed."""
        if not self.ready():
            return
        sight, cells = self.control.sight, self.cells
        self._draw_top()
        self._list.redraw()
        if self._pane.size.height:
            plain = self.control.paint.theme.plain
            wide = detail.Pane(cells, self._pane.size.height, sight.now, self.control.graphs, plain)
            self._pane.show(detail.pane(sight.row, wide))
        self.draw_bar()

    def _draw_top(self) -> None:
        sight, cells = self.control.sight, self.cells
        status = sight.status()
        top = [
            header.top(sight.room, status, cells),
            header.second(sight.room, sight.census.kinds, status, cells).on(Ground.BAR),
            padded(rows.titles(self._list.columns or layout(cells)), cells),
        ]
        self._header.show([padded(one, cells) for one in top])

    def hint(self, cells: int) -> Line:
        """Until the first key: where everything is explained."""
        control = self.control
        if control.keyboard.used or control.sight.room is None or control.sight.replay is not None:
            return Line()
        return first_hint.first_hint(key_name(HELP, control.options.keymap), control.deeds.read_only, cells)

    def action_page(self, by: int) -> None:
        """A page of rows."""
        self.action_move(by * max(1, self._list.size.height - 2))

    def action_edge(self, by: int) -> None:
        """The first or the last row."""
        self.action_move(by * 1_000_000)

    def action_open(self) -> None:
        """All about the rollout under the cursor."""
        from opsroom.ui.detail import DetailScreen  # imported late: the first frame waits for imports

        if self.control.sight.row is not None:
            self.control.deeds.stop()
            self.app.push_screen(DetailScreen(self.control))

    def action_wide(self) -> None:
        """The list alone, or with the pane."""
        self._list.wide = not self._list.wide
        self._pane.set_class(self._list.wide, "-hidden")
        self.call_after_refresh(self.redraw)

    def action_only_flagged(self) -> None:
        """Only what waits for a person."""
        sight = self.control.sight
        sight.order(replace(sight.wish, flagged_only=not sight.wish.flagged_only))
        self.redraw()

    def action_sort(self) -> None:
        """The next order."""
        self.control.sight.next_sort()
        self.redraw()

    def action_back(self) -> None:
        """Stop what is armed; else clear the filter."""
        sight = self.control.sight
        if not self.control.deeds.stop() and (sight.wish.text or sight.wish.flagged_only):
            sight.order(replace(sight.wish, text="", flagged_only=False))
            if self._filter is not None:
                self._filter.value = ""
        self._close_filter()
        self.redraw()

    def action_filter(self) -> None:
        """Type a filter; keys are text until ``enter`` or ``esc``."""
        self.control.deeds.stop()
        self._filtering = True
        self.intent_block.display = False
        if self._filter is None:
            self._filter = Input(id="filter", placeholder=notes.FILTER, compact=True)
            self._filter.cursor_blink = False
            self.mount(self._filter, before=self.intent_block)
        self._filter.display = True
        self.set_focus(self._filter)
        self.call_after_refresh(self.redraw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed no letter is a key, not even one that came before the field had the focus."""
        return not self._filtering or action == "back"

    def takes(self, event: events.Key) -> bool:
        """Hand on a letter that was on its way to the list when the filter opened."""
        if self._filter is None or not (self._filtering and event.is_printable):
            return False
        self._filter.post_message(events.Key(event.key, event.character))
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        sight = self.control.sight
        if event.value.strip() != sight.wish.text:
            sight.order(replace(sight.wish, text=event.value.strip()))
            self.redraw()

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self._close_filter()
        self.call_after_refresh(self.redraw)

    def keys(self, cells: int) -> Line:
        """While a filter is typed, letters are letters."""
        if self._filtering:
            return bar([Hint("enter", "keep the filter")], Hint("esc", "clear it"), cells)
        return super().keys(cells)

    def _close_filter(self) -> None:
        self._filtering = False
        if self._filter is not None:
            self._filter.display = False
        self.intent_block.display = True
        self.set_focus(self._list)
