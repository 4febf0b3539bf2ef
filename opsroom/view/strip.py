"""The strip of contexts: where this board could also look, and how many rollouts need a person there.

One line's part, for the header. A context of which nobody knows how it stands must not look calm: a lost or old feed
is a word with its age, and a count that was true once carries a ``?``. Where there is little room it says less in a
fixed order, and the last thing to go is whether somebody is needed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from opsroom.view import numbers
from opsroom.view.cells import fit, width
from opsroom.view.line import Line, Piece, Role, line

ONE_CONTEXT = "This board shows one context; opsroom --context A --context B shows several"

NAME_CELLS = 24
_SEPARATORS = "/:@_"
"""Stand before what tells a name from its neighbours (``arn:aws:eks:eu-west-1:1234:cluster/prod``)."""


class Trouble(StrEnum):
    """Why a context's count is not to be trusted."""

    NONE = ""
    LOST = "LOST"
    OLD = "OLD"
    STOPPED = "STOPPED"
    """A person has stopped its picture."""
    NEVER = "NO PICTURE"


class Neighbour(msgspec.Struct, frozen=True):
    """One context, as the strip tells of it."""

    name: str
    needing: int = 0
    """Flagged rollouts, as far as they are known."""
    critical: bool = False
    trouble: Trouble = Trouble.NONE
    since: float | None = None
    """Seconds for which there has been this trouble."""


def beside(
    name: Piece, rest: Sequence[Piece], here: Neighbour, others: Sequence[Neighbour], cells: int, times: Sequence[str]
) -> tuple[Line, Line, str]:
    """``name`` with its count and ``rest``, the strip, and one of ``times``, as they fit into ``cells`` together.

    Names of others go only after the date (the first of ``times``), and all others are one sum at last.
    """
    counted = line(name, " ", *needing(here), *([" "] if rest else []), *rest)
    *named, summed = [line(Piece("  |", Role.DIM), *strip) for strip in strips(here, others)]
    for said, time in [*((strip, time) for time in times for strip in named), (summed, times[0])]:
        if counted.width + said.width + width(time) <= cells:
            return counted, said, time
    return line(name, *rest), summed, times[-1]


def strips(here: Neighbour, others: Sequence[Neighbour]) -> Iterator[list[Piece]]:
    """The strip beside ``here``, the context that is shown, from much room to little."""
    names = [other.name for other in others]
    yield _named(others, names, worded=True)
    yield _named(others, names)
    yield _named(others, shortened([here.name, *names])[1:])
    yield _summed(others)


def needing(one: Neighbour, worded: bool = False) -> list[Piece]:
    """``!!3``, ``!1?``, ``0``; with words ``!! 3 need you``. Nothing where only the trouble is known."""
    known = one.trouble is Trouble.NONE
    if not one.needing:
        return [Piece("0", Role.DIM)] if known else []
    mark, role = ("!!", Role.CRITICAL) if one.critical else ("!", Role.FLAGGED)
    doubt = "" if known else "?"
    if not worded:
        return [Piece(f"{mark}{one.needing}{doubt}", role)]
    return [Piece(mark, role), Piece(f" {one.needing}{doubt} {'needs' if one.needing == 1 else 'need'} you")]


def shortened(names: Sequence[str]) -> list[str]:
    """Names without what all of them begin with, so that what is cut off never tells them apart."""
    first, last = min(names), max(names)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    start = 1 + max(first.rfind(separator, 0, same) for separator in _SEPARATORS)
    rests = [name[start:] or name for name in names]
    return [fit(rest, min(NAME_CELLS, width(rest))) for rest in rests]


def _named(others: Sequence[Neighbour], names: Sequence[str], worded: bool = False) -> list[Piece]:
    pieces: list[Piece] = []
    for one, name in zip(others, names, strict=True):
        pieces += [
            Piece(f"   {name}" if pieces else f"  {name}"),
            *_spaced(needing(one, worded)),
            *_spaced(_trouble(one)),
        ]
    return pieces


def _summed(others: Sequence[Neighbour]) -> list[Piece]:
    """``2 others: !!3? 1 LOST``: all of them as one."""
    found = sum(one.needing for one in others)
    doubtful = [one.trouble for one in others if one.trouble is not Trouble.NONE and (one.needing or not found)]
    whole = Neighbour("", found, any(one.critical for one in others), next(iter(doubtful), Trouble.NONE))
    head = "  1 other:" if len(others) == 1 else f"  {len(others)} others:"
    pieces = [Piece(head), *_spaced(needing(whole))]
    if len(others) == 1:
        return pieces + _spaced(_trouble(others[0]))
    for kind in Trouble:
        number = sum(one.trouble is kind for one in others)
        if number and kind is not Trouble.NONE:
            pieces.append(Piece(f" {number} {kind.value}", Role.FLAGGED))
    return pieces


def _trouble(one: Neighbour) -> list[Piece]:
    if one.trouble is Trouble.NONE:
        return []
    age = "" if one.since is None else f" {numbers.age(one.since)}"
    return [Piece(f"{one.trouble.value}{age}", Role.FLAGGED)]


def _spaced(pieces: list[Piece]) -> list[Piece]:
    return [Piece(" "), *pieces] if pieces else []


def called(context: str, told: str) -> str:
    """``prod-eu``, or ``prod-eu (feed of eu-1)`` where a worker looks at it under another name, or at another one."""
    return context if told in ("", "in-cluster", context) else f"{context} (feed of {told})"


def elsewhere(name: str, text: str) -> str:
    """What came of something in a context that is not shown."""
    return f"{name}: {text}"
