"""Letters and digits that are read from across a room, of the same dots as the graphs: five lines high, or three."""

from __future__ import annotations

from opsroom.view.line import Line, Piece, Role
from opsroom.view.numbers import short_clock
from opsroom.view.spark import Graphs

_SIGNS = {
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
    ".": (" ", " ", " ", " ", "#"),
    " ": ("  ", "  ", "  ", "  ", "  "),
    "a": (" # ", "# #", "###", "# #", "# #"),
    "b": ("## ", "# #", "## ", "# #", "## "),
    "c": (" ##", "#  ", "#  ", "#  ", " ##"),
    "d": ("## ", "# #", "# #", "# #", "## "),
    "e": ("###", "#  ", "## ", "#  ", "###"),
    "f": ("###", "#  ", "## ", "#  ", "#  "),
    "g": (" ##", "#  ", "# #", "# #", " ##"),
    "h": ("# #", "# #", "###", "# #", "# #"),
    "i": ("###", " # ", " # ", " # ", "###"),
    "j": ("  #", "  #", "  #", "# #", " # "),
    "k": ("# #", "# #", "## ", "# #", "# #"),
    "l": ("#  ", "#  ", "#  ", "#  ", "###"),
    "m": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "n": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "o": (" # ", "# #", "# #", "# #", " # "),
    "p": ("## ", "# #", "## ", "#  ", "#  "),
    "q": (" ## ", "#  #", "#  #", " ## ", "   #"),
    "r": ("## ", "# #", "## ", "# #", "# #"),
    "s": (" ##", "#  ", " # ", "  #", "## "),
    "t": ("###", " # ", " # ", " # ", " # "),
    "u": ("# #", "# #", "# #", "# #", "###"),
    "v": ("# #", "# #", "# #", "# #", " # "),
    "w": ("#   #", "#   #", "# # #", "## ##", "#   #"),
    "x": ("# #", "# #", " # ", "# #", "# #"),
    "y": ("# #", "# #", " # ", " # ", " # "),
    "z": ("###", "  #", " # ", "#  ", "###"),
}
"""Five rows of dots; a letter is its capital."""

_HALVES = {Graphs.BRAILLE: " ⠛⣤⣿", Graphs.BLOCK: " ▀▄█"}
"""A cell of two dots, one above the other: none, the upper, the lower, both."""

LINES = 5


def big(text: str, graphs: Graphs) -> list[str]:
    """``text`` (digits and colons) as five lines of equal width."""
    dot = "#" if graphs is Graphs.ASCII else "█" if graphs is Graphs.BLOCK else "⣿"
    lines = []
    for row in range(LINES):
        signs = ("".join(dot * 2 if bit == "#" else "  " for bit in _SIGNS[sign][row]) for sign in text)
        lines.append("  ".join(signs))
    return lines


def tall(text: str, graphs: Graphs) -> list[str]:
    """``text`` as three lines of equal width; none where it has other signs, or letters cannot be that large."""
    if graphs not in _HALVES or not set(text.lower()) <= _SIGNS.keys():
        return []
    cells = _HALVES[graphs]
    lines = []
    for row in (0, 2, 4):
        signs = []
        for sign in text.lower():
            upper, lower = _SIGNS[sign][row], _SIGNS[sign][row + 1] if row < 4 else " " * 5
            signs.append(
                "".join(cells[(one == "#") + 2 * (other == "#")] for one, other in zip(upper, lower, strict=False))
            )
        lines.append(" ".join(signs))
    return lines


def big_clock(at: float, cells: int, graphs: Graphs, role: Role = Role.BASELINE) -> list[Line]:
    """``12:04`` (UTC) in the middle of ``cells``; five lines."""
    return [Line((Piece(each.center(cells), role),)) for each in big(short_clock(at), graphs)]
