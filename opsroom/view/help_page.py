"""The help page: every key in force, how the guarded ones work, and what marks and words mean.

In a wide terminal the keys stand at the left and the explanations beside them, so that nobody has to scroll.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsroom.domain.board import Severity
from opsroom.domain.decision import FlagReason
from opsroom.view import marks, words
from opsroom.view.cells import wrap
from opsroom.view.line import Line, Piece, Role, beside, line

BESIDE = 118
"""Cells from which on keys and explanations stand side by side."""

KEYS_CELLS = 62


@dataclass(frozen=True, slots=True)
class Entry:
    """One action."""

    key: str
    others: Sequence[str]
    help: str


GUARD = (
    "p and x act on the rollout under the cursor, and only on a flagged one; f flags it first. The line above the keys "
    "says what will happen to what, and counts down. esc or any other key stops it; the same key again does nothing. "
    "At the end the rollout must still be what it was when the key went down, else nothing is sent. A dim key would "
    "be refused now; pressed all the same, it says why."
)

MARKS = {
    Severity.CRITICAL: "flagged, and harmful or a deed failed",
    Severity.FLAGGED: "waits for a person",
    Severity.WATCH: "leans to harm, or stands aborted",
    Severity.MOVING: "on its way",
    Severity.UNKNOWN: "nothing may be concluded about it yet",
    Severity.QUEUED: "waits for a slot",
    Severity.DONE: "nothing under way",
}

SCORE = (
    "The score is the case for harm: 0 is surely fine, 1 surely harmful. Above 0.80 it is rolled back, below 0.20 "
    "promoted, in between watched on. A - says that nothing may be concluded."
)

FIGURES = (
    "A + or - right after a figure: it rose or fell markedly since the step before. Charts: the solid line is the "
    "canary, dots are the baseline, the darker band is where the baseline usually is; a gap is a gap in the data."
)


def help_page(sections: Mapping[str, Sequence[Entry]], cells: int) -> list[Line]:
    """The page at a width."""
    keys = _keys(sections)
    if cells < BESIDE:
        first, rest = _split(keys)
        return [*first, *_guard(cells - 4), *rest, *_explained(cells - 4), line()]
    right = [*_guard(cells - KEYS_CELLS - 4), *_explained(cells - KEYS_CELLS - 4)]
    return [*beside(keys, right, KEYS_CELLS, cells), line()]


def _keys(sections: Mapping[str, Sequence[Entry]]) -> list[Line]:
    lines = []
    for title, entries in sections.items():
        if entries:
            lines += [line(), line("  ", Piece(title, Role.STRONG)), *map(_entry, entries)]
    return lines


def _split(keys: list[Line]) -> tuple[list[Line], list[Line]]:
    """The first section, and the rest: on a narrow page the guard is explained right after the keys that act."""
    end = next((at for at, each in enumerate(keys) if at and not each.pieces), len(keys))
    return keys[:end], keys[end:]


def _guard(cells: int) -> list[Line]:
    return [line(), *_said(GUARD, cells)]


def _explained(cells: int) -> list[Line]:
    lines = [line(), line("  ", Piece("Marks", Role.STRONG))]
    for severity, said in MARKS.items():
        mark = Piece(marks.MARK[severity], marks.ROLE[severity])
        blank = " " * (4 - len(marks.MARK[severity]))
        lines.append(line("    ", mark, blank, Piece(f"{marks.WORD[severity]:<11}"), Piece(said, Role.DIM)))
    lines += [line(), line("  ", Piece("Why a rollout is flagged (STATE)", Role.STRONG))]
    for reason in FlagReason:
        head = f"    {marks.REASON[reason]:<15}"
        for at, part in enumerate(wrap(words.FLAG[reason], max(20, cells - 19), 3)):
            lines.append(line(Piece(head if not at else " " * len(head), Role.FLAGGED), Piece(part, Role.DIM)))
    lines += [line(), line("  ", Piece("Figures", Role.STRONG)), *_said(SCORE, cells), line(), *_said(FIGURES, cells)]
    return lines


def _said(text: str, cells: int) -> list[Line]:
    return [line("    ", Piece(part, Role.DIM)) for part in wrap(text, min(cells - 4, 96), 12)]


def _entry(entry: Entry) -> Line:
    others = f"  (or {' '.join(entry.others)})" if entry.others else ""
    return line("    ", Piece(f"{entry.key:<7} ", Role.KEY), Piece(entry.help), Piece(others, Role.DIM))
