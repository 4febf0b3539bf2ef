"""From roles to colours: lines become strips under the theme in force.

One ``Paint`` serves all widgets of an app; changing its theme and refreshing the screen changes every colour at once.
Styles are built once a theme: parsing one a cell would cost more than drawing it.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import BUILTIN_THEMES, Theme

from opsroom.domain.clean import printable
from opsroom.ui.theme_file import ThemeFile
from opsroom.view.line import Ground, Line, Role


class Paint:
    """The theme in force, and strips made with it."""

    def __init__(self, theme: ThemeFile) -> None:
        self.theme = theme
        self.version = 0
        self._styles: dict[tuple[Role, Ground], Style] = {}

    def change(self, theme: ThemeFile) -> None:
        """Use another theme from now on."""
        self.theme = theme
        self.version += 1
        self._styles = {}

    def style(self, role: Role, ground: Ground) -> Style:
        """The style of ``role`` on ``ground``."""
        key = (role, ground)
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = self.theme.style(role, ground)
        return found

    def strip(self, line: Line, cells: int) -> Strip:
        """``line`` in exactly ``cells`` cells, filled with its ground."""
        segments = [
            Segment(printable(text), self.style(role, ground or line.ground)) for text, role, ground in line.pieces
        ]
        return Strip(segments).adjust_cell_length(cells, self.style(Role.TEXT, line.ground))

    def textual_theme(self) -> Theme:
        """The same colours for Textual's own widgets (palette, input)."""
        theme = self.theme
        ansi = theme.ansi

        def colour(words: str) -> str:
            last = words.split()[-1]
            return f"ansi_{last}" if ansi else last

        def role(name: Role) -> str:
            return colour(theme.roles[name])

        base, bar = colour(theme.grounds[Ground.BASE].split()[0]), colour(theme.grounds[Ground.BAR].split()[0])
        return Theme(
            name=f"opsroom-{theme.name}-{self.version}",
            primary=role(Role.KEY),
            secondary=role(Role.OK),
            accent=role(Role.KEY),
            warning=role(Role.WATCH),
            error=role(Role.CRITICAL),
            success=role(Role.OK),
            foreground=role(Role.TEXT),
            background=base,
            surface=bar,
            panel=bar,
            dark=theme.dark,
            ansi=ansi,
            # Textual's own style sheets use variables that only its two ANSI themes define.
            variables=dict(BUILTIN_THEMES["ansi-dark"].variables) if ansi else {},
        )
