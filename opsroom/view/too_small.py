"""What stands on a terminal that is too small for a picture: one sentence, and nothing else that could mislead."""

from __future__ import annotations

from opsroom.view.cells import wrap
from opsroom.view.line import Line, Piece, Role, line

SMALLEST = (60, 12)
"""Cells and lines that every screen needs."""


def too_small(cells: int, lines: int) -> bool:
    """Whether a terminal of that size has room for the sentence only."""
    return cells < SMALLEST[0] or lines < SMALLEST[1]


def sentence(cells: int, lines: int) -> list[Line]:
    """What is needed and what there is; keys that act do nothing meanwhile, for nobody could see what they do."""
    words = f"opsroom needs {SMALLEST[0]}x{SMALLEST[1]}; this terminal has {cells}x{lines}."
    parts = wrap(words, max(1, cells - 2), max(1, lines))
    above: list[Line] = [line()] * max(0, (lines - len(parts)) // 2)
    return [*above, *(line(" ", Piece(part, Role.STRONG)) for part in parts)]
