"""The least bytes that bring one screen to another: cursor moves, shortest styles, erase to the end of the line.

It knows nothing of the driver that it judges: it works on cells as an emulator holds them. No scroll regions and no
repeated characters. Sequences: ECMA-48 (CUP, CUF, SGR, EL).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyte
from pyte.screens import Char

JOINED = 4
"""Unchanged cells that cost less to write again than to step over."""

Picture = list[list[Char]]
_FLAGS = ("bold", "italics", "underscore", "strikethrough", "reverse", "blink")


def picture(screen: pyte.Screen) -> Picture:
    """The cells of a screen, to be kept."""
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


@dataclass(slots=True)
class _Pen:
    style: Char
    x: int = -1
    y: int = -1
    spent: int = 0

    def move(self, x: int, y: int) -> None:
        if (x, y) == (self.x, self.y):
            return
        ahead = x - self.x
        if y == self.y and ahead > 0:
            self.spent += 3 if ahead == 1 else 3 + len(str(ahead))
        else:
            self.spent += 3 + (len(str(y + 1)) if y or x else 0) + (1 + len(str(x + 1)) if x else 0)
        self.x, self.y = x, y

    def put(self, cell: Char) -> None:
        if not _same_style(cell, self.style):
            self.spent += _style_bytes(self.style, cell)
            self.style = cell
        self.spent += len(cell.data.encode())
        self.x += 1


def floor(before: Picture, after: Picture, pen_style: Char | None = None) -> tuple[int, Char]:
    """Bytes from ``before`` to ``after``, and the style that is in force then."""
    pen = _Pen(pen_style or Char(" "))
    for y, (old, new) in enumerate(zip(before, after, strict=True)):
        if old is not new and old != new:
            _line(old, new, y, pen)
    return pen.spent, pen.style


def _line(old: list[Char], new: list[Char], y: int, pen: _Pen) -> None:
    changed = [x for x, (a, b) in enumerate(zip(old, new, strict=True)) if not _seen_alike(a, b)]
    end = len(new)
    while end and new[end - 1].data == " " and _seen_alike(new[end - 1], new[-1]):
        end -= 1
    erased = [x for x in changed if x >= end]
    runs: list[list[int]] = []
    for x in changed if len(erased) <= 3 else [x for x in changed if x < end]:
        if runs and x - runs[-1][1] <= JOINED:
            runs[-1][1] = x + 1
        else:
            runs.append([x, x + 1])
    for start, stop in runs:
        pen.move(start, y)
        for x in range(start, stop):
            if new[x].data:
                pen.put(new[x])
    if len(erased) > 3:
        pen.move(end, y)
        if not _same_style(new[-1], pen.style):
            pen.spent += _style_bytes(pen.style, new[-1])
            pen.style = new[-1]
        pen.spent += 3


def _seen_alike(a: Char, b: Char) -> bool:
    if a == b:
        return True
    if a.data != " " or b.data != " ":
        return False
    return a.bg == b.bg and not any(
        (a.reverse, b.reverse, a.underscore, b.underscore, a.strikethrough, b.strikethrough)
    )


def _same_style(cell: Char, style: Char) -> bool:
    if cell.data == " " and _seen_alike(cell, style._replace(data=" ")):
        return True
    return cell.fg == style.fg and cell.bg == style.bg and all(getattr(cell, f) == getattr(style, f) for f in _FLAGS)


def _style_bytes(old: Char, new: Char) -> int:
    """Bytes of the shorter of: what differs, or everything after a reset."""
    differs, whole = [], [1]
    for name in ("fg", "bg"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            differs.append(_colour_bytes(now))
        if now != "default":
            whole.append(_colour_bytes(now))
    for flag in _FLAGS:
        was, now = getattr(old, flag), getattr(new, flag)
        if was != now:
            differs.append(1 if now else 2)
        if now:
            whole.append(1)
    best = min(sum(codes) + len(codes) - 1 for codes in (differs, whole))
    return 3 + best


def _colour_bytes(colour: str) -> int:
    if len(colour) == 6 and all(char in "0123456789abcdef" for char in colour):
        return len("38;2;") + len(";".join(str(int(colour[at : at + 2], 16)) for at in (0, 2, 4)))
    return 2
