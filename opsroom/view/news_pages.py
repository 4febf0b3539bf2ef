"""Two lists of news: the deeds of the room (who did what, and what came of it), and the events of rollouts."""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.domain.board import Happening, Room, Row
from opsroom.domain.deed import Deed, DeedState
from opsroom.view import effects, marks, numbers, short_news, words
from opsroom.view.cells import fit
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
    return [*lines, *(cut(deed_row(deed), cells) for deed in deeds[:MOST]), line()]


def deed_row(deed: Deed, name_cells: int = 34) -> Line:
    """Time, who, what, to what, and how far it came."""
    intent = deed.intent
    who = "worker" if intent.automatic else intent.actor
    verb = words.PAST[intent.verb] if deed.state is DeedState.DONE else words.VERB[intent.verb]
    role = marks.DEED_ROLE.get(deed.state, Role.TEXT)
    took = f" in {numbers.duration(deed.at - intent.at)}" if deed.state is DeedState.DONE else ""
    because = "" if deed.state is DeedState.DONE else effects.because(deed)
    return line(
        "    ",
        Piece(f"{numbers.clock(deed.at)}  ", Role.DIM),
        Piece(fit(who, 14) + "  "),
        Piece(fit(verb, 14)),
        Piece(fit(f"{intent.target.namespace}/{intent.target.name}", name_cells) + "  ", Role.STRONG),
        Piece(f"{marks.DEED[deed.state]}{took}", role),
        Piece(f"  {because}" if because else "", Role.DIM),
    )


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
        head = Piece(fit(name, 24) + "  ", Role.TEXT) if name else Piece("")
        said = Piece(words.news(item), Role.WATCH if item.warning else Role.TEXT)
        by = Piece(f"  by {item.by}" if item.by else "", Role.DIM)
        lines.append(cut(line("    ", Piece(f"{numbers.clock(item.at)}  ", Role.DIM), head, said, by), cells))
    return lines or [line("    ", Piece("No news.", Role.DIM))]
