"""The first thing on the screen, before Textual is imported: one calm frame in the board's layout.

Standard library only, and little of it: a person sees within 20 ms that something starts. Nothing is asked of the
terminal, so no answer of its can arrive late and be taken for keys.
"""

from __future__ import annotations

import os
import shutil
import sys

ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
"""Alternate screen, no cursor, clean."""

LEAVE = "\x1b[?25h\x1b[?1049l"


def splash() -> None:
    """Draw the frame. ``end`` takes it away again where no app took over."""
    columns, rows = shutil.get_terminal_size()
    rule = "-" * columns
    lines = {1: " opsroom", 3: rule, max(4, rows - 2): rule, rows: " q quit"}
    lines[min(5, rows)] = " starting"
    text = "".join(f"\x1b[{row};1H{line[:columns]}" for row, line in sorted(lines.items()) if row <= rows)
    _write(ENTER + text)


def end() -> None:
    """Back to the screen as it was; harmless where Textual has already done so."""
    _write(LEAVE)


def _write(text: str) -> None:
    try:
        os.write(sys.stderr.fileno(), text.encode("ascii"))
    except OSError:
        return
