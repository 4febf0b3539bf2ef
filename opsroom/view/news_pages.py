"""Two lists of news: the deeds of the room (who did what, and what came of it), and the events of rollouts."""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.domain.board import Happening, Room, Row
from opsroom.view import numbers, short_news, words
from opsroom.view.cells import fit, wrap
from opsroom.view.deed_row import with_reason
from opsroom.view.line import Line, Piece, Role, cut, line

MOST = 500


def journal_page(room: Room | None, now: float, cells: int) -> list[Line]:
    """The room's last deeds, newest first."""
    lines = [
        line(),
        line("  ", Piece("Deeds", Role.STRONG), Piece("   opsroom journal has all of them", Role.DIM)),
        line(),
    ]
    deeds = room.deeds if room else ()
    if not deeds:
        return [*lines, line("    ", Piece("None since this worker began.", Role.DIM))]
    for deed in deeds[:MOST]:
        told = with_reason(deed, cells - 5, 14 if cells >= 100 else 8, 10)
        lines += [cut(line("    ", *each.pieces), cells) for each in told]
    return [*lines, line()]


def events_page(rows: Iterable[Row], chosen: Row | None, now: float, cells: int) -> list[Line]:
    """First the news of the rollout under the cursor, then of all others, newest first."""
    lines = [line()]
    if chosen is not None:
        lines += [
            line("  ", Piece(chosen.rollout.name, Role.STRONG)),
            *_news(((item, "") for item in short_news.short(chosen.happenings)), cells),
        ]
    others = [
        (item, row.rollout.name)
        for row in rows
        if chosen is None or row.rollout.uid != chosen.rollout.uid
        for item in short_news.short(row.happenings)
    ]
    others.sort(key=lambda pair: -pair[0].at)
    lines += [line(), line("  ", Piece("All others", Role.STRONG)), *_news(others[:MOST], cells)]
    return [*lines, line()]


def _news(items: Iterable[tuple[Happening, str]], cells: int) -> list[Line]:
    lines = []
    for item, name in items:
        head = Piece(fit(name, 24 if cells >= 100 else 16) + "  ", Role.TEXT) if name else Piece("")
        before = line("    ", Piece(f"{numbers.clock(item.at)}  ", Role.DIM), head)
        by = f" by {item.by}" if item.by else ""
        role = Role.WATCH if item.warning else Role.TEXT
        first, *rest = wrap(words.news(item) + by, max(20, cells - before.width - 1), 3) or [""]
        lines.append(line(*before.pieces, Piece(first, role)))
        lines += [line(" " * before.width, Piece(part, role)) for part in rest]
    return lines or [line("    ", Piece("No news.", Role.DIM))]
