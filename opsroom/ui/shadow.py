"""What the terminal shows and what it should show, cell by cell, and the shortest text from one to the other.

It reads the text that Textual would send (cursor movements, SGR, glyphs) and keeps it as cells; ``difference`` then
sends only cells that changed. Must not know Textual or a file. Sequences: ECMA-48 (CUP, CUF, SGR), xterm ctlseqs.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, get_character_cell_size

from opsroom.ui.sgr import blank, transition

_TOKENS = re.compile(
    r"\x1b\[(?P<look>[1-9][\d;]*)m(?P<said>[^\x00-\x1f]+)\x1b\[0m"
    r"|\x1b\[(?P<move>\d*(?:;\d*)?)H"
    r"|\x1b\[(?P<style>[\d;]*)m"
    r"|(?P<control>\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP.*?\x1b\\|\x1b."
    r"|[\x00-\x09\x0b-\x1a\x1c-\x1f])"
    r"|(?P<line>\n)"
    r"|(?P<text>[^\x00-\x1f]+)",
    re.DOTALL,
)
_SYNC = frozenset({"\x1b[?2026h", "\x1b[?2026l"})

UNKNOWN = "\0"
"""Glyph of a cell that nobody has written yet."""

HIDDEN = ""
"""Right half of a wide glyph."""

JOIN = 4
"""Unchanged cells up to which it is cheaper to write them again than to move over them."""


class Grid:
    """Glyphs and styles (SGR parameters) of a screen."""

    __slots__ = ("glyphs", "high", "styles", "wide")

    def __init__(self, wide: int, high: int) -> None:
        self.wide, self.high = wide, high
        self.glyphs = [[UNKNOWN] * wide for _ in range(high)]
        self.styles = [[""] * wide for _ in range(high)]

    def put(self, x: int, y: int, text: str, style: str) -> int:
        """Write ``text`` at a place; returns the column after it. What lies outside is dropped."""
        if not 0 <= y < self.high:
            return x + cell_len(text)
        size = len(text)
        if not text.isascii() and cell_len(text) != size:
            return self._put_wide(x, y, text, style)
        if x < self.wide:
            kept = text[: self.wide - x]
            self.glyphs[y][x : x + len(kept)] = kept
            self.styles[y][x : x + len(kept)] = [style] * len(kept)
        return x + size

    def _put_wide(self, x: int, y: int, text: str, style: str) -> int:
        glyphs, styles = self.glyphs[y], self.styles[y]
        for char in text:
            size = get_character_cell_size(char)
            if size == 0:
                if 0 < x <= self.wide:
                    glyphs[x - 1] += char
                continue
            if x + size <= self.wide:
                glyphs[x], styles[x] = char, style
                if size == 2:
                    glyphs[x + 1], styles[x + 1] = HIDDEN, style
            x += size
        return x


class Shadow:
    """The wanted screen, and the one that the terminal shows."""

    def __init__(self, wide: int, high: int) -> None:
        self.wanted = Grid(wide, high)
        self.shown = Grid(wide, high)
        self.cursor = (0, 0)
        """Where the cursor should rest; column and line, 0-based."""
        self._x = self._y = 0
        self._style = ""
        self._dirty: set[int] = set()
        self._pen = Pen()

    def resize(self, wide: int, high: int) -> None:
        """The terminal has another size: nobody knows what it shows now."""
        before = self.wanted
        self.wanted = Grid(wide, high)
        for y in range(min(high, before.high)):
            kept = min(wide, before.wide)
            self.wanted.glyphs[y][:kept] = before.glyphs[y][:kept]
            self.wanted.styles[y][:kept] = before.styles[y][:kept]
        self.forget()

    def forget(self) -> None:
        """Nobody knows what the terminal shows: everything is to be sent again."""
        self.shown = Grid(self.wanted.wide, self.wanted.high)
        self._dirty = set(range(self.wanted.high))
        self._pen = Pen()

    def read(self, data: str) -> list[str]:
        """Take what Textual writes; returns the control sequences in it, which are not ours to keep."""
        controls: list[str] = []
        put, dirty = self.wanted.put, self._dirty
        for token in _TOKENS.finditer(data):
            kind, text = token.lastgroup, token.group()
            if kind == "said":
                # What most of a frame is made of, so it is one token: style, text, and no style.
                dirty.add(self._y)
                self._x = put(self._x, self._y, token["said"], token["look"])
                self._style = ""
            elif kind == "text":
                dirty.add(self._y)
                self._x = put(self._x, self._y, text, self._style)
            elif kind == "style":
                found = token["style"]
                self._style = "" if found in ("", "0") else found
            elif kind == "move":
                line, _, column = token["move"].partition(";")
                self._x, self._y = int(column or 1) - 1, int(line or 1) - 1
                self.cursor = (self._x, self._y)
            elif kind == "line":
                self._x, self._y = 0, self._y + 1
            elif text not in _SYNC:
                controls.append(text)
        return controls

    @property
    def changed(self) -> bool:
        """Whether lines were written since the last difference."""
        return bool(self._dirty)

    def difference(self) -> str:
        """The text that turns what is shown into what is wanted; from then on that is what is shown."""
        out: list[str] = []
        self._pen.begin(out)
        for y in sorted(self._dirty):
            if y < self.wanted.high:
                self._line(y, self._pen)
        self._dirty.clear()
        if out:
            self._pen.rest(*self.cursor)
        return "".join(out)

    def lift(self) -> str:
        """The text that leaves no style behind for others who write to this terminal."""
        return self._pen.lift()

    def _line(self, y: int, pen: Pen) -> None:
        glyphs, styles = self.wanted.glyphs[y], self.wanted.styles[y]
        was_glyphs, was_styles = self.shown.glyphs[y], self.shown.styles[y]
        if glyphs == was_glyphs and styles == was_styles:
            return
        for start, end in _runs(glyphs, styles, was_glyphs, was_styles):
            pen.move(start, y)
            for x in range(start, end):
                pen.glyph(glyphs[x], styles[x])
        was_glyphs[:] = glyphs
        was_styles[:] = styles


def _runs(glyphs: list[str], styles: list[str], was_glyphs: list[str], was_styles: list[str]) -> list[tuple[int, int]]:
    """Stretches to be written again; never starting in the right half of a wide glyph."""
    found: list[list[int]] = []
    for x, glyph in enumerate(glyphs):
        same = glyph == was_glyphs[x] and (
            styles[x] == was_styles[x] or (glyph == " " and blank(styles[x]) == blank(was_styles[x]))
        )
        if same or glyph == UNKNOWN:
            continue
        start = x - 1 if glyph == HIDDEN and x else x
        if found and start - found[-1][1] <= JOIN and UNKNOWN not in glyphs[found[-1][1] : start]:
            found[-1][1] = x + 1
        else:
            found.append([start, x + 1])
    for run in found:
        while run[1] < len(glyphs) and glyphs[run[1]] == HIDDEN:
            run[1] += 1
    return [(start, end) for start, end in found]


class Pen:
    """The terminal's cursor and style, from one difference to the next."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._x = self._y = -1
        self._style: str | None = None
        """None: nobody knows it."""
        self._sure = False
        """Whether the terminal's idea of the cursor is surely ours."""

    def begin(self, out: list[str]) -> None:
        """Write to ``out`` from here on."""
        self._out = out

    def move(self, x: int, y: int) -> None:
        """Go to a cell by the shortest way."""
        if self._sure and (x, y) == (self._x, self._y):
            return
        ahead = x - self._x
        if self._sure and y == self._y and 0 < ahead < 1000:
            self._out.append("\x1b[C" if ahead == 1 else f"\x1b[{ahead}C")
        elif x == 0:
            self._out.append(f"\x1b[{y + 1}H" if y else "\x1b[H")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        self._x, self._y, self._sure = x, y, True

    def glyph(self, glyph: str, style: str) -> None:
        """Write one cell; the right half of a wide glyph came with the left one."""
        if glyph == HIDDEN:
            self._x += 1
            return
        if not self._sure:
            self.move(self._x, self._y)
        if self._style is None:
            self._out.append("\x1b[m")
            self._style = ""
        if style != self._style and not (glyph == " " and blank(style) == blank(self._style)):
            self._out.append(transition(self._style, style))
            self._style = style
        self._out.append(glyph)
        self._x += 1
        # Terminals disagree about the width of everything but plain and braille cells: say again where we are.
        self._sure = glyph.isascii() or "\u2800" <= glyph <= "\u28ff"

    def lift(self) -> str:
        """Text that ends every style."""
        self._style, self._sure = None, False
        return "\x1b[m"

    def rest(self, x: int, y: int) -> None:
        """Let the cursor rest where the app wants it (screen readers follow it)."""
        if (x, y) != (0, 0):
            self.move(x, y)
