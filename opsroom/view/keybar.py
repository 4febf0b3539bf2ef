"""The line of keys at the bottom: cut at whole keys, never in the middle of one, with ``? help`` always there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from opsroom.view.line import Ground, Line, Piece, Role, padded


class Hint(msgspec.Struct, frozen=True):
    """One key and what it does."""

    key: str
    word: str
    on: bool = True
    """False: shown dim, for a key that would be refused now (it keeps its place, for the hands)."""


def bar(hints: Sequence[Hint], last: Hint, cells: int) -> Line:
    """As many hints as fit, then ``last``."""
    pieces: list[Piece] = [Piece(" ")]
    room = cells - 1 - _size(last)
    for hint in hints:
        if _size(hint) > room:
            break
        pieces.extend(_pieces(hint))
        room -= _size(hint)
    pieces.extend(_pieces(last))
    return padded(Line(tuple(pieces), Ground.BAR), cells)


def with_more(keys: Callable[[int], Line], below: int, cells: int) -> Line:
    """The key bar that ``keys`` makes, and at its right end how many lines of a page are out of sight below."""
    if not below:
        return keys(cells)
    more = [Piece(" pgdn", Role.KEY), Piece(f" {below} more ", Role.DIM)]
    left = keys(cells - sum(len(piece.text) for piece in more))
    return Line((*left.pieces, *more), left.ground)


def _size(hint: Hint) -> int:
    return len(hint.key) + len(hint.word) + 3


def _pieces(hint: Hint) -> list[Piece]:
    return [
        Piece(hint.key, Role.KEY if hint.on else Role.DIM),
        Piece(f" {hint.word}  ", Role.TEXT if hint.on else Role.DIM),
    ]
