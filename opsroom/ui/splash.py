"""The first frame, from the standard library alone, before Textual is imported (that takes a fifth of a second).

It goes to the alternate screen and is the board's own first frame: the same words in the same places on the same
colours, so that nothing jumps or flashes when the board takes over. It writes to standard error, as Textual does.
Whatever it cannot find out at once (an unreadable theme) it does without: then it has no colours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from opsroom.view import starting

_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
_WANTED = frozenset({"base", "bar", "text", "dim", "strong", "flagged"})

_shown = False
"""Whether this process is in the alternate screen because of the splash: a terminal has one state a process."""


def splash(command: str = "board") -> None:
    """Show the frame; does nothing where there is no screen to show it on."""
    global _shown
    if _shown or os.environ.get("TERM", "") in ("", "dumb") or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return
    colours = theme_colours(os.environ, command)
    sys.stderr.write(_ENTER + frame(size.columns, size.lines, colours, command))
    sys.stderr.flush()
    _shown = True


def frame(cells: int, lines: int, colours: Mapping[str, str], command: str = "board") -> str:
    """The frame as text with cursor movements; ``colours`` gives the sequence of a role and of a ground (``@base``)."""

    def put(y: int, text: str, role: str, ground: str, fill: bool = False) -> str:
        style = f"\x1b[0m{colours.get(ground, '')}{colours.get(role, '')}"
        shown = text[:cells].ljust(cells) if fill else text[:cells]
        return f"\x1b[{y};1H{style}{shown}" if 1 <= y <= lines else ""

    def bar(y: int, text: str, role: str) -> str:
        return put(y, text, role, "@bar", fill=True)

    words = starting.OPENING if command == "replay" else starting.CONNECTING
    parts = [f"\x1b[0m{colours.get('@base', '')}\x1b[2J"]
    if command == "wall":
        parts.append(put(max(1, lines // 2), words.center(cells).rstrip(), "dim", "@base"))
    else:
        parts += [bar(1, f" {starting.NAME}", "strong"), bar(2, f" {words}", "flagged")]
        parts += [put(5, f"     {starting.EMPTY}", "dim", "@base"), bar(lines, f" {starting.WAY_OUT}", "dim")]
    return "".join(parts) + "\x1b[0m"


def theme_colours(environment: Mapping[str, str], command: str) -> dict[str, str]:
    """Escape sequences of the theme that the board will use; none where this terminal shows fewer than 256 colours."""
    if environment.get("NO_COLOR"):
        return {}
    deep = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if not deep and "256" not in environment.get("TERM", ""):
        return {}
    settings = environment.get("XDG_CONFIG_HOME", "") or os.path.join(environment.get("HOME", ""), ".config")
    folder = os.path.join(settings, "opsroom")
    name = environment.get("OPSROOM_THEME") or _named(folder) or "night"
    if command == "wall" and name == "night":
        name = "wall"
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (folder, package, os.path.dirname(package)):
        found = _pairs(os.path.join(place, "themes", f"{name}.toml"))
        if found:
            return _sequences(found, deep)
    return {}


def _named(folder: str) -> str:
    """The theme in the settings; a line is enough to know, and a wrong file is reported later by who parses it."""
    return _pairs(os.path.join(folder, "opsroom.toml")).get("screen.theme", "")


def _pairs(path: str) -> dict[str, str]:
    """``section.key`` and quoted value of each line that holds one."""
    found: dict[str, str] = {}
    section = ""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                text = line.strip()
                if text.startswith("["):
                    section = text.strip("[]")
                    continue
                key, equals, value = text.partition("=")
                quoted = value.split('"')
                if equals and len(quoted) >= 3:
                    found[f"{section}.{key.strip()}"] = quoted[1]
    except (OSError, UnicodeDecodeError):
        return {}
    return found


def _sequences(pairs: Mapping[str, str], deep: bool) -> dict[str, str]:
    found = {}
    for key, value in pairs.items():
        section, _, name = key.partition(".")
        words = value.split()
        if name not in _WANTED or not words or not words[-1].startswith("#") or len(words[-1]) != 7:
            continue
        if section == "grounds":
            found[f"@{name}"] = f"\x1b[48;{_code(words[-1], deep)}m"
        elif section == "roles":
            found[name] = ("\x1b[1m" if "bold" in words else "") + f"\x1b[38;{_code(words[-1], deep)}m"
    return found


def _code(colour: str, deep: bool) -> str:
    """A colour as SGR parameters; on 256 colours the nearest by the rule of rich, which Textual draws with."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    if deep:
        return f"2;{red};{green};{blue}"
    high, low = max(red, green, blue) / 255, min(red, green, blue) / 255
    light = (high + low) / 2
    spread = high - low
    saturation = spread and spread / (high + low if light <= 0.5 else 2 - high - low)
    if saturation < 0.15:
        grey = round(light * 25)
        return f"5;{16 if grey == 0 else 231 if grey == 25 else 231 + grey}"
    six = [round(part / 95 if part < 95 else 1 + (part - 95) / 40) for part in (red, green, blue)]
    return f"5;{16 + 36 * six[0] + 6 * six[1] + six[2]}"


def handed_over() -> None:
    """From here on somebody else restores the terminal."""
    global _shown
    _shown = False


def end() -> None:
    """Leave the alternate screen if the splash is still what stands there."""
    if _shown:
        sys.stderr.write(_LEAVE)
        sys.stderr.flush()
        handed_over()
