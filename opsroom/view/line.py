"""Lines of text whose pieces carry roles instead of colours.

The whole interface is lines: a theme turns roles into colours, a screen puts lines where they belong, and the same
line as bare text serves scripts and tests. Must not know what colour anything has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from opsroom.view.cells import CUT, fit, width


class Role(StrEnum):
    """What a piece of text means; a theme gives each role a colour."""

    TEXT = "text"
    DIM = "dim"
    """Secondary, still readable."""
    STRONG = "strong"
    CRITICAL = "critical"
    FLAGGED = "flagged"
    WATCH = "watch"
    OK = "ok"
    UNKNOWN = "unknown"
    CANARY = "canary"
    """The canary's line in a chart."""
    BASELINE = "baseline"
    KEY = "key"
    """Name of a key that may be pressed."""
    ARMED = "armed"
    """The intent line while a deed is about to happen."""
    PROD = "prod"
    """Name of a production context, on its own ground."""
    RULE = "rule"
    """Decoration only: never carries a fact."""


class Ground(StrEnum):
    """What a line lies on."""

    BASE = "base"
    BAR = "bar"
    PANE = "pane"
    SELECTED = "selected"
    ARMED = "armed"
    PROD = "prod"
    """Behind the name of a production context."""
    BAND = "band"
    """The range of the baseline in a chart."""


class Piece(NamedTuple):
    """A run of text of one role; ``ground`` overrides the line's."""

    text: str
    role: Role = Role.TEXT
    ground: Ground | None = None


class Line(msgspec.Struct, frozen=True):
    """One line of a screen."""

    pieces: tuple[Piece, ...] = ()
    ground: Ground = Ground.BASE

    @property
    def text(self) -> str:
        """The bare text."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def width(self) -> int:
        """Cells."""
        return sum(width(piece.text) for piece in self.pieces)

    def on(self, ground: Ground) -> Line:
        """The same line on another ground."""
        return msgspec.structs.replace(self, ground=ground)


def line(*pieces: Piece | str, ground: Ground = Ground.BASE) -> Line:
    """A line from pieces; bare text has role TEXT, empty pieces are left out."""
    made = (Piece(piece) if isinstance(piece, str) else piece for piece in pieces)
    return Line(tuple(piece for piece in made if piece.text), ground)


def cut(whole: Line, cells: int) -> Line:
    """The line in at most ``cells`` cells; what is cut off is marked by two dots."""
    if whole.width <= cells:
        return whole
    kept: list[Piece] = []
    room = cells
    for piece in whole.pieces:
        size = width(piece.text)
        if size < room:
            kept.append(piece)
            room -= size
            continue
        kept.append(piece._replace(text=fit(piece.text + CUT, room)))
        break
    return Line(tuple(kept), whole.ground)


def sides(left: Line, right: Line, cells: int, gap: int = 2) -> Line:
    """``left`` and ``right`` at the two ends of ``cells`` cells; the left one gives way."""
    room = cells - right.width
    if room < gap + 8:
        return padded(cut(left, cells), cells)
    left = padded(cut(left, room - gap), room)
    return Line(left.pieces + right.pieces, left.ground)


def padded(whole: Line, cells: int) -> Line:
    """The line filled with blanks up to ``cells``."""
    missing = cells - whole.width
    return whole if missing <= 0 else Line((*whole.pieces, Piece(" " * missing, Role.TEXT)), whole.ground)


def beside(left: list[Line], right: list[Line], left_cells: int, cells: int) -> list[Line]:
    """Two columns of lines, ``left_cells`` for the first, on the left one's ground."""
    lines: list[Line] = []
    for index in range(max(len(left), len(right))):
        one = padded(cut(left[index] if index < len(left) else Line(), left_cells), left_cells)
        other = cut(right[index] if index < len(right) else Line(), cells - left_cells)
        lines.append(Line(one.pieces + other.pieces, one.ground))
    return lines
