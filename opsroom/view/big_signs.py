"""Digits that are read from across a room: five lines high, of the same dots as the graphs."""

from __future__ import annotations

from opsroom.view.line import Line, Piece, Role
from opsroom.view.numbers import short_clock
from opsroom.view.spark import Graphs

_DIGITS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ":": (" ", "#", " ", "#", " "),
    "-": ("   ", "   ", "###", "   ", "   "),
}
LINES = 5


def big(text: str, graphs: Graphs) -> list[str]:
    """``text`` (digits and colons) as five lines of equal width."""
    dot = "#" if graphs is Graphs.ASCII else "█" if graphs is Graphs.BLOCK else "⣿"
    lines = []
    for row in range(LINES):
        signs = ("".join(dot * 2 if bit == "#" else "  " for bit in _DIGITS[sign][row]) for sign in text)
        lines.append("  ".join(signs))
    return lines


def big_clock(at: float, cells: int, graphs: Graphs, role: Role = Role.BASELINE) -> list[Line]:
    """``12:04`` (UTC) in the middle of ``cells``; five lines."""
    return [Line((Piece(each.center(cells), role),)) for each in big(short_clock(at), graphs)]
