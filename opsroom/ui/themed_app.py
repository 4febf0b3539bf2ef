"""An app whose colours can change while it runs: the next theme on a key, or the file of the one in force.

It must not know what is painted, only that all of it has to be painted again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from textual.app import App
from textual.driver import Driver

from opsroom.errors import OpsroomError
from opsroom.ui.paint import Paint
from opsroom.ui.terminal_app import TerminalApp
from opsroom.ui.theme_file import ThemeFile
from opsroom.ui.theming import Themes


class ThemedApp(TerminalApp):
    """Paints with ``paint``; ``folders`` hold the person's own themes."""

    def __init__(
        self,
        paint: Paint,
        folders: Sequence[Path],
        driver_class: type[Driver] | None,
        clock: Callable[[], float],
    ) -> None:
        # An ANSI theme must be chosen at construction: only then NO_COLOR writes no colour codes at all.
        super().__init__(driver_class, paint.theme.ansi, clock)
        self._paint = paint
        self._themes = Themes(paint, folders)
        # No style sheet is parsed yet; the theme set in the usual way would have all of them parsed a second time.
        self.set_reactive(App.theme, self._registered())
        self.stylesheet.set_variables(self.get_css_variables())
        dark = self.current_theme.dark
        self.update_classes({"-dark-mode": dark, "-light-mode": not dark}, update=False)

    def redraw(self) -> None:
        """Draw what is shown once more."""
        raise NotImplementedError

    def say(self, text: str, bad: bool = False) -> None:
        """A note for the person."""
        raise NotImplementedError

    def _registered(self) -> str:
        theme = self._paint.textual_theme()
        self.register_theme(theme)
        return theme.name

    def _reload_theme(self) -> None:
        self._try_theme(self._themes.changed)

    def _try_theme(self, choose: Callable[[], ThemeFile | None]) -> ThemeFile | None:
        try:
            theme = choose()
        except OpsroomError as error:
            self.say(str(error), bad=True)
            return None
        if theme is not None:
            self._change_theme(theme)
        return theme

    def _change_theme(self, theme: ThemeFile) -> None:
        self._paint.change(theme)
        self.theme = self._registered()
        self.paint_anew()

    def paint_anew(self) -> None:
        """Paint every widget of the screens that lie on one another."""
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.query("*"):
                widget.refresh()
        self.redraw()

    def other_themes(self) -> list[str]:
        """Names of themes that ``action_theme`` takes, without the one in force."""
        return self._themes.others()

    def action_theme(self, name: str = "") -> None:
        """The theme of this name; without one the next of the same kind."""
        theme = self._try_theme(partial(self._themes.named, name) if name else self._themes.next)
        if theme is not None:
            self.say(f"theme {theme.name}")
