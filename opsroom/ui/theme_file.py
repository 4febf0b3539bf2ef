"""Theme files: TOML that names a colour for each role and each ground.

```toml
name = "night"
dark = true
ansi = false          # true: the terminal's own colours, by name; nothing is blended
[grounds]
base = "#101418"
[roles]
critical = "bold reverse #ff6b5e"
```
Every role and ground of ``view.line`` must be there, and nothing else, so that a misspelt role is not silently grey.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from rich.color import Color, ColorParseError
from rich.style import Style

from opsroom.errors import ConfigError
from opsroom.view.line import Ground, Role

_ATTRIBUTES = frozenset({"bold", "dim", "italic", "underline", "reverse"})


class ThemeFile(msgspec.Struct, frozen=True):
    """One theme, checked."""

    name: str
    dark: bool
    ansi: bool
    grounds: Mapping[Ground, str]
    roles: Mapping[Role, str]
    path: Path
    changed: float
    """Modification time of the file."""

    def style(self, role: Role, ground: Ground) -> Style:
        """Colour and attributes of ``role`` on ``ground``."""
        words = self.roles[role].split()
        colour = next((word for word in words if word not in _ATTRIBUTES), "default")
        below = self.grounds[ground].split()
        bgcolor = next((word for word in below if word not in _ATTRIBUTES), "default")
        # A reversed role on a reversed ground must still stand out: one reverse undoes the other.
        turned = ("reverse" in words) is not ("reverse" in below)
        if turned and "reverse" in below:
            # Each piece would be a block of another colour; a bar is one, and marks and words say the same.
            colour = "default"
        return Style(
            color=colour,
            bgcolor=bgcolor,
            bold="bold" in words,
            dim="dim" in words,
            italic="italic" in words,
            underline="underline" in words,
            reverse=turned,
        )

    @property
    def plain(self) -> bool:
        """Grounds look alike here, so that rules must be drawn."""
        return self.grounds[Ground.PANE] == self.grounds[Ground.BASE]


def shipped() -> Path:
    """The folder of our own themes: in the wheel beside the package, in a checkout at the top."""
    inside = Path(__file__).resolve().parent.parent / "themes"
    return inside if inside.is_dir() else inside.parent.parent / "themes"


def read(path: Path) -> ThemeFile:
    """One theme file.

    Raises:
        ConfigError: naming the file, and the line or the key.
    """
    try:
        changed = path.stat().st_mtime
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "Name a theme that exists") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "Correct the file") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested beyond reading", "Write it flatter") from error
    unknown = data.keys() - {"name", "dark", "ansi", "grounds", "roles"}
    if unknown:
        raise ConfigError(f"{path}: {sorted(unknown)[0]} is not a key of a theme", "Remove it")
    grounds = _colours(path, "grounds", data.get("grounds", {}), [ground.value for ground in Ground])
    roles = _colours(path, "roles", data.get("roles", {}), [role.value for role in Role])
    return ThemeFile(
        name=str(data.get("name", path.stem)),
        dark=bool(data.get("dark", True)),
        ansi=bool(data.get("ansi", False)),
        grounds={Ground(key): words for key, words in grounds.items()},
        roles={Role(key): words for key, words in roles.items()},
        path=path,
        changed=changed,
    )


def _colours(path: Path, section: str, given: object, wanted: list[str]) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: {section} is not a table", "Write it as [name]")
    for key in given.keys() - set(wanted):
        raise ConfigError(f"{path}: {section}.{key} is not known", f"Known are {', '.join(wanted)}")
    colours = {}
    for key in wanted:
        words = given.get(key)
        if not isinstance(words, str):
            raise ConfigError(f"{path}: {section}.{key} is missing", "Every role and ground needs a colour")
        for word in words.split():
            if word not in _ATTRIBUTES:
                _check_colour(path, f"{section}.{key}", word)
        colours[key] = words
    return colours


def _check_colour(path: Path, key: str, word: str) -> None:
    try:
        Color.parse(word)
    except ColorParseError as error:
        raise ConfigError(f"{path}: {key}: {word!r} is not a colour", "Write #rrggbb or an ANSI name") from error


def find(name: str, folders: Iterable[Path]) -> ThemeFile:
    """The theme ``name`` from the first folder that has it, ours last.

    Raises:
        ConfigError: none has it, or the file is wrong.
    """
    looked = [*folders, shipped()]
    for folder in looked:
        path = folder / f"{name}.toml"
        if path.is_file():
            return read(path)
    known = sorted({path.stem for folder in looked if folder.is_dir() for path in folder.glob("*.toml")})
    raise ConfigError(f"there is no theme {name!r}", f"Known are {', '.join(known)}")
