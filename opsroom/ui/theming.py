"""Which theme is in force: the next one on a key, and a changed file read again while the app runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from opsroom.errors import ConfigError
from opsroom.ui.paint import Paint
from opsroom.ui.theme_file import ThemeFile, read, shipped


class Themes:
    """The themes that can be chosen, and the one that ``paint`` uses."""

    def __init__(self, paint: Paint, folders: Sequence[Path]) -> None:
        self._paint = paint
        self._folders = folders
        self._refused = 0.0
        """Modification time of a file that was wrong; it is not read again until it changes."""

    def changed(self) -> ThemeFile | None:
        """The theme in force, read again if its file has changed; polled, as no notice of it is sent.

        Raises:
            ConfigError: the changed file is wrong (perhaps half written); the old colours stay.
        """
        theme = self._paint.theme
        try:
            now = theme.path.stat().st_mtime
        except OSError:
            return None
        if now in (theme.changed, self._refused):
            return None
        try:
            return read(theme.path)
        except ConfigError:
            self._refused = now
            raise

    def next(self) -> ThemeFile:
        """The theme after the one in force, by name, of the same kind (colours or the terminal's own).

        Raises:
            ConfigError: its file is wrong.
        """
        current = self._paint.theme
        paths = self._paths()
        names = sorted(paths)
        start = names.index(current.path.stem) if current.path.stem in names else -1
        for step in range(1, len(names) + 1):
            theme = read(paths[names[(start + step) % len(names)]])
            if theme.ansi is current.ansi:
                return theme
        return current

    def others(self) -> list[str]:
        """The names that can be chosen now: of the same kind as the theme in force, and not wrong."""
        current, found = self._paint.theme, []
        for name, path in sorted(self._paths().items()):
            with suppress(ConfigError):
                if name != current.path.stem and read(path).ansi is current.ansi:
                    found.append(name)
        return found

    def named(self, name: str) -> ThemeFile | None:
        """The theme of this name, if it is still there.

        Raises:
            ConfigError: its file is wrong.
        """
        path = self._paths().get(name)
        return None if path is None else read(path)

    def _paths(self) -> dict[str, Path]:
        """Files by name; a person's own comes before ours."""
        paths: dict[str, Path] = {}
        for folder in (shipped(), *reversed(self._folders)):
            paths |= {path.stem: path for path in folder.glob("*.toml")}
        return paths
