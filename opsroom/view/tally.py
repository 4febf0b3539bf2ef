"""How many rollouts stand where, in one line: the same four groups as in the list, the loud ones counted apart."""

from __future__ import annotations

from collections.abc import Mapping

from opsroom.domain.board import Severity
from opsroom.view import marks
from opsroom.view.line import Line, Piece, Role, line
from opsroom.view.order import Group, Kind

_PLAIN = {
    Group.NEEDS_YOU: Severity.FLAGGED,
    Group.MOVING: Severity.MOVING,
    Group.QUEUED: Severity.QUEUED,
    Group.DONE: Severity.DONE,
}
"""What a group's members are unless something is said of them."""

_WORD = {Group.MOVING: "moving", Group.QUEUED: "queued", Group.DONE: "done"}

_TIGHTER = (
    ("   ", 4, 4),
    ("  ", 4, 4),
    ("  ", 2, 4),
    ("  ", 1, 4),
    ("  ", 1, 2),
    ("  ", 1, 1),
    (" ", 0, 1),
    (" ", 0, 0),
)
"""Gap, groups whose loud ones are named, groups with their word: from much room to little."""


def tally(found: Mapping[Kind, int], gap: str, named: int = 4, worded: int = 4) -> list[Piece]:
    """``!! 3 need you (1 critical)   o 5 moving (1 watch)   . 2 queued   ok 4 done``.

    A group without members is left out, but for the first; only the first ``named`` say which of them are loud.
    """
    pieces: list[Piece] = []
    for at, (group, usual) in enumerate(_PLAIN.items()):
        members = {kind.severity: number for kind, number in found.items() if kind.group is group and number}
        number = sum(members.values())
        if not number and group is not Group.NEEDS_YOU:
            continue
        loudest = max(members, default=usual) if group is Group.NEEDS_YOU else usual
        role = marks.ROLE[loudest] if number else Role.DIM
        word = f" {_word(group, number)}" if at < worded else ""
        text = f" {number}{word}{_apart(members, usual) if at < named else ''}{gap}"
        pieces += [Piece(marks.MARK[loudest], role), Piece(text, Role.TEXT if number else Role.DIM)]
    return pieces


def fitting_tally(found: Mapping[Kind, int], cells: int) -> Line:
    """The tally with as much air as there is room for; the calm end loses its words first."""
    for gap, named, worded in _TIGHTER:
        fitting = line(" ", *tally(found, gap, named, worded))
        if len(fitting.text.rstrip()) <= cells:
            break
    return fitting


def _word(group: Group, number: int) -> str:
    if group is Group.NEEDS_YOU:
        return "needs you" if number == 1 else "need you"
    return _WORD[group]


def _apart(members: Mapping[Severity, int], usual: Severity) -> str:
    """Those that are not what the group's members usually are: `` (1 critical)``."""
    said = [f"{members[each]} {marks.WORD[each]}" for each in sorted(members, reverse=True) if each is not usual]
    return f" ({', '.join(said)})" if said else ""
