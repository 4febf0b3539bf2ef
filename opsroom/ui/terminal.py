"""What this terminal can do and wants, found from its environment before Textual is imported.

Textual reads some variables at import and some at construction; whoever may set our environment must not be able to
press our keys (``TEXTUAL_PRESS``) or load code into the screen (``TEXTUAL_DRIVER``).
"""

from __future__ import annotations

import locale
import select
import sys
from collections.abc import Mapping, MutableMapping

import msgspec

from opsroom.errors import UsageError
from opsroom.view.spark import Graphs

PRESSING = ("TEXTUAL_PRESS", "TEXTUAL_DRIVER", "TEXTUAL_SCREENSHOT", "TEXTUAL_SCREENSHOT_LOCATION", "TEXTUAL_DEBUG")
_SIXTEEN = frozenset({"linux", "xterm", "xterm-16color", "ansi", "screen", "tmux", "vt100", "vt220", "rxvt", "cons25"})


class Terminal(msgspec.Struct, frozen=True):
    """What was found."""

    colourless: bool
    """``NO_COLOR`` is set and not empty (https://no-color.org)."""
    sixteen: bool
    unicode: bool

    def theme(self, wanted: str) -> str:
        """The theme that can be shown here."""
        if self.colourless:
            return "mono"
        return "ansi-16" if self.sixteen and wanted not in ("mono", "ansi-16") else wanted

    def graphs(self, wanted: Graphs | None) -> Graphs:
        """What graphs are drawn with here."""
        if not self.unicode:
            return Graphs.ASCII
        return wanted or Graphs.BRAILLE


def look_at(environment: Mapping[str, str], encoding: str | None = None) -> Terminal:
    """Read the environment.

    Raises:
        UsageError: no screen can be drawn on this terminal.
    """
    term = environment.get("TERM", "")
    if term in ("", "dumb"):
        raise UsageError(
            f"this terminal cannot show a screen (TERM={term or 'not set'})",
            "Use opsroom ls, or a terminal with a TERM such as xterm-256color",
        )
    coloured = environment.get("COLORTERM", "") in ("truecolor", "24bit") or "256" in term or "direct" in term
    known = encoding or locale.getencoding()
    return Terminal(
        colourless=bool(environment.get("NO_COLOR")),
        sixteen=not coloured and term in _SIXTEEN,
        unicode=known.lower().replace("-", "") in ("utf8", "utf_8") and term != "linux",
    )


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set what Textual reads at import; forget what could press keys, and sizes that would not follow the terminal."""
    for name in (*PRESSING, "COLUMNS", "LINES"):
        environment.pop(name, None)
    environment.setdefault("TEXTUAL_ANIMATIONS", "none")
    environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")


def need_screen() -> None:
    """Make sure that somebody can see it and type.

    Raises:
        UsageError: standard input or error is no terminal (Textual draws on standard error).
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("there is no terminal to draw on", "Use opsroom ls, or opsroom demo --headless")


def hung_up() -> bool:
    """Whether standard input's terminal is gone."""
    poll = select.poll()
    try:
        poll.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, select.POLLHUP | select.POLLERR)
        return any(found & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, found in poll.poll(0))
    except (OSError, ValueError):
        return True
