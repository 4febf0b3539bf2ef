"""The first frame, from the standard library alone, before Textual is imported (that takes a fifth of a second).

It goes to the alternate screen and stands where the board's header and keys will stand, so that nothing jumps when
the board takes over. It writes to standard error, as Textual does, and no colour: it does not know the theme yet.
"""

from __future__ import annotations

import os
import sys

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
_LEAVE = "\x1b[?25h\x1b[?1049l"

_shown = False
"""Whether this process is in the alternate screen because of the splash: a terminal has one state a process."""


def splash(words: str = "starting") -> None:
    """Show the frame; does nothing where there is no screen to show it on."""
    global _shown
    if _shown or os.environ.get("TERM", "") in ("", "dumb") or not sys.stderr.isatty():
        return
    size = os.get_terminal_size(sys.stderr.fileno())
    sys.stderr.write(_ENTER + frame(size.columns, size.lines, words))
    sys.stderr.flush()
    _shown = True


def frame(cells: int, lines: int, words: str) -> str:
    """The frame's text with cursor movements: name and state above, the way out below."""
    head = f"\x1b[1;2H\x1b[1mopsroom\x1b[0m  {words}"[: cells + 20]
    foot = f"\x1b[{lines};2Hctrl+c leaves" if lines > 3 else ""
    return head + foot


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
