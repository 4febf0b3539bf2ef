"""Foreign text made safe, once, at the edge where it enters.

Names, annotations, events and logs come from people and programs we do not know. Terminals obey control characters
(an escape sequence can set the clipboard or make the terminal type), bidirectional controls reorder what a person
reads, and long combining runs smear over neighbouring lines. After ``clean`` a text is one printable line.
"""

from __future__ import annotations

import re
import unicodedata

LINE_LIMIT = 512
"""Characters kept of one foreign line; nothing on a screen or in the journal needs more."""

MARKS_LIMIT = 2
"""Combining marks kept in a row: every living script gets by with two, "zalgo" text does not."""

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 (with tab and newline), DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible letters
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, separators, bidi controls
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\ue000-\uf8ff"  # surrogates, private use
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    "]+"
)


def clean(text: object, limit: int = LINE_LIMIT) -> str:
    """Return ``text`` as one printable line of at most ``limit`` characters.

    Unsafe runs become one blank, so that words do not grow together. Anything that is not a string is shown as
    ``str`` shows it, ``None`` as the empty line.
    """
    if text is None:
        return ""
    line = text if isinstance(text, str) else str(text)
    line = line[: limit * 4]
    if line.isascii() and line.isprintable():
        return _capped(line.strip(), limit)
    line = _UNSAFE.sub(" ", line)
    if not line.isascii():
        line = _thinned(unicodedata.normalize("NFC", line))
    return _capped(" ".join(line.split()), limit)


def printable(line: str) -> str:
    """``line`` as long as it was, with ``?`` for what a terminal might obey.

    The last door: foreign text is cleaned where it enters, but a feed may come from anybody.
    """
    return line if line.isprintable() else "".join(char if char.isprintable() else "?" for char in line)


def _capped(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: max(0, limit - 1)] + "…"


def _thinned(line: str) -> str:
    """Drop combining marks beyond ``MARKS_LIMIT`` in a row, and marks with no letter before them."""
    kept: list[str] = []
    marks = MARKS_LIMIT
    for char in line:
        if unicodedata.category(char) in ("Mn", "Me", "Mc"):
            marks += 1
            if marks > MARKS_LIMIT:
                continue
        else:
            marks = 0
        kept.append(char)
    return "".join(kept)
