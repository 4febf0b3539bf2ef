"""How many terminal cells a text takes, and text made to fit.

Names from a cluster may hold wide (CJK, emoji) or combining characters; a column that counts characters instead of
cells pushes the rest of its line aside. The cut is marked by two ASCII dots: the ellipsis character is of ambiguous
width (Unicode TR 11) and takes two cells in some terminals.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

CUT = ".."


@lru_cache(maxsize=8192)
def _char(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def width(text: str) -> int:
    """Cells that ``text`` takes."""
    return len(text) if text.isascii() else sum(map(_char, text))


def fit(text: str, cells: int, right: bool = False) -> str:
    """``text`` in exactly ``cells`` cells, cut with ``..`` or filled with blanks (on the left if ``right``)."""
    if cells <= 0:
        return ""
    size = width(text)
    if size > cells:
        text = _head(text, cells - len(CUT)) + CUT[:cells] if cells > len(CUT) else CUT[:cells]
        size = width(text)
    blanks = " " * (cells - size)
    return blanks + text if right else text + blanks


def _head(text: str, cells: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        taken += _char(char)
        if taken > cells:
            return text[:index]
    return text


def wrap(text: str, cells: int, most: int) -> list[str]:
    """``text`` broken at blanks into at most ``most`` lines of ``cells``; the last one is cut if it must be."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        if width(rest) <= cells or len(lines) == most - 1:
            lines.append(fit(rest, cells).rstrip())
            break
        head = _head(rest, cells)
        at = head.rfind(" ")
        if at > cells // 3:
            head = head[:at]
        lines.append(head)
        rest = rest[len(head) :].lstrip()
    return lines
