"""How old each source is, for a line that has little room: a frozen picture must never look alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsroom.domain.freshness import Freshness, SourceState, age, freshness
from opsroom.view import marks, numbers
from opsroom.view.line import Piece, Role

NAMES = {"kube": "k8s", "prometheus": "prom"}
"""Short names of sources."""


def age_text(source: SourceState, now: float) -> str:
    """``prom 4s``, ``prom 9s?``, ``prom stale 48s``, ``prom never``."""
    name = NAMES.get(source.name, source.name)
    seconds = numbers.age(age(source.at, now))
    match freshness(source, now):
        case Freshness.FRESH:
            return f"{name} {seconds}"
        case Freshness.DOUBTFUL:
            return f"{name} {seconds}?"
        case Freshness.STALE:
            return f"{name} stale {seconds}"
    return f"{name} never"


def cells_of(sources: Sequence[SourceState], now: float) -> int:
    """Cells that all ages take."""
    return sum(len(age_text(source, now)) + 2 for source in sources)


def fitting_ages(sources: Sequence[SourceState], now: float, cells: int) -> list[Piece]:
    """The ages of ``sources``; where there are too many the fresh ones go first and are counted, then the old ones.

    The last source, the feed, always stays.
    """
    shown = list(sources)
    left_out: dict[bool, int] = {True: 0, False: 0}
    for fresh in (True, False):
        for source in reversed(shown[:-1]):
            if (freshness(source, now) is Freshness.FRESH) is not fresh:
                continue
            if cells_of(shown, now) + _counted(left_out) <= cells:
                break
            shown.remove(source)
            left_out[fresh] += 1
    ages = [Piece(f"  {age_text(source, now)}", marks.FRESH_ROLE[freshness(source, now)]) for source in shown]
    fewer = [Piece(f"  +{left_out[True]}", Role.DIM)] if left_out[True] else []
    older = [Piece(f"  +{left_out[False]} old", Role.FLAGGED)] if left_out[False] else []
    return [*fewer, *older, *ages]


def _counted(left_out: Mapping[bool, int]) -> int:
    return 5 * bool(left_out[True]) + 9 * bool(left_out[False])
