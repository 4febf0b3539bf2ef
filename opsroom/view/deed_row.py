"""A deed in one line: when, who, what, to which rollout, and how it ended; the name gives way, never the end."""

from __future__ import annotations

from opsroom.domain.deed import Deed, DeedState
from opsroom.view import effects, marks, numbers, words
from opsroom.view.cells import fit, width, wrap
from opsroom.view.line import Line, Piece, Role, line

VERB_CELLS = 12
NAME_MOST = 40

REASON = {"admitted": "a slot was free", "no_slot": "no slot was free"}
"""Why the worker released or held, by its code."""

ROOMY = 60
"""Cells from which on there is room for how long it took."""


def deed_row(deed: Deed, cells: int, who_cells: int = 8) -> Line:
    """``12:01:44  worker  rolled back edge/geo-api  done in 2 s`` in at most ``cells``."""
    intent, done = deed.intent, deed.state is DeedState.DONE
    verb = words.PAST[intent.verb] if done else words.VERB[intent.verb]
    who = fit("worker" if intent.automatic else intent.actor, who_cells)
    head = f"{numbers.clock(deed.at)}  {who}  {verb:<{VERB_CELLS}}"
    head += "" if head.endswith(" ") else " "
    took = f" in {numbers.duration(deed.at - intent.at)}" if done and cells >= ROOMY else ""
    key = f"{intent.target.namespace}/{intent.target.name}"
    least = width(head) + len(marks.DEED[deed.state]) + 2
    name = key if width(key) + least + len(took) <= cells else intent.target.name
    room = min(NAME_MOST, max(8, cells - least - len(took)))
    return line(
        Piece(head, Role.TEXT),
        Piece(fit(name, room), Role.STRONG),
        Piece(f"  {marks.DEED[deed.state]}{took}", marks.DEED_ROLE.get(deed.state, Role.TEXT)),
    )


def reason(deed: Deed) -> str:
    """Why it was asked for, and why it was refused or failed; empty where nobody said."""
    why = "" if deed.state is DeedState.DONE else effects.because(deed)
    asked = REASON.get(deed.intent.reason, deed.intent.reason) if deed.intent.automatic else deed.intent.reason
    return " ".join(part for part in (f"({asked})" if asked else "", why) if part)


def with_reason(deed: Deed, cells: int, who_cells: int, indent: int) -> list[Line]:
    """A deed and its reason: in one line where that fits, else below it."""
    row, said = deed_row(deed, cells, who_cells), reason(deed)
    if not said:
        return [row]
    if row.width + 2 + width(said) <= cells:
        return [line(*row.pieces, Piece(f"  {said}", Role.DIM))]
    return [row, *_below(said, indent, cells)]


def _below(said: str, indent: int, cells: int) -> list[Line]:
    return [line(" " * indent, Piece(part, Role.DIM)) for part in wrap(said, max(20, cells - indent), 3)]
