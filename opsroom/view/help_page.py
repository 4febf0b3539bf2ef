"""The help page: every key in force, what the marks mean, and how the guard works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.domain.board import Severity
from opsroom.view import marks
from opsroom.view.cells import wrap
from opsroom.view.line import Line, Piece, Role, line


@dataclass(frozen=True, slots=True)
class Entry:
    """One action."""

    key: str
    others: Sequence[str]
    help: str
    guarded: bool


GUARD = (
    "A guarded key acts on the rollout under the cursor, and only on a flagged one. It arms; the line above the keys "
    "says what will happen to what, and counts down. esc or any movement stops it; the same key again does nothing. "
    "At the end the rollout must still be what it was when the key went down, else nothing is sent."
)

MARKS = {
    Severity.CRITICAL: "flagged, and harmful or a deed failed",
    Severity.FLAGGED: "waits for a person",
    Severity.WATCH: "not flagged, but the score leans to harm, or a change failed",
    Severity.MOVING: "on its way",
    Severity.UNKNOWN: "nothing may be concluded yet, or the picture of it is old",
    Severity.DONE: "nothing under way",
}


def help_page(entries: Sequence[Entry], cells: int) -> list[Line]:
    """The page at a width."""
    lines = [line(), line("  ", Piece("Keys that act", Role.STRONG))]
    lines += [_entry(entry, cells) for entry in entries if entry.guarded]
    lines += [line()] + [line("  ", Piece(part, Role.DIM)) for part in wrap(GUARD, min(cells - 4, 96), 8)]
    lines += [line(), line("  ", Piece("Keys that look", Role.STRONG))]
    lines += [_entry(entry, cells) for entry in entries if not entry.guarded]
    lines += [line(), line("  ", Piece("Marks", Role.STRONG))]
    for severity, words in MARKS.items():
        mark = Piece(marks.MARK[severity], marks.ROLE[severity])
        blank = " " * (4 - len(marks.MARK[severity]))
        lines.append(line("    ", mark, blank, Piece(f"{marks.WORD[severity]:<11}"), Piece(words, Role.DIM)))
    lines.append(line("    ", Piece(marks.QUEUED, Role.DIM), "   queued     ", Piece("waits for a slot", Role.DIM)))
    return [*lines, line()]


def _entry(entry: Entry, cells: int) -> Line:
    others = "  " + " ".join(entry.others) if entry.others else ""
    return line("    ", Piece(f"{entry.key:<8}", Role.KEY), Piece(entry.help), Piece(others, Role.DIM))
