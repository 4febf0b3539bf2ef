"""The queue page: what it does as a whole, who runs, and who waits in which lane for what and how long.

The same facts serve ``opsroom queue ls`` as plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.clean import printable
from opsroom.domain.freshness import age
from opsroom.domain.queue import Queue, QueueEntry
from opsroom.view import marks, numbers, queue_words
from opsroom.view.cells import fit, width, wrap
from opsroom.view.line import Line, Piece, Role, cut, line

_TITLES = ("PLACE", "LANE", "NAME", "VERSION", "WAITING", "START", "REQUESTER", "WHY")

_GONE = "taken away after roll backs"


def queue_page(room: Room | None, rows: Iterable[Row], now: float, cells: int) -> list[Line]:
    """The page at a width."""
    lines = [line(), line("  ", Piece("Queue", Role.STRONG))]
    if room is None:
        return [*lines, line("    ", Piece("No picture yet.", Role.DIM))]
    known = list(rows)
    names = queue_words.names(known)
    lines += _wrapped(queue_words.state(room.queue), 4, cells, Role.TEXT)
    lines += _slots(room.queue, cells)
    lost = queue_words.stranded(room)
    if lost:
        lines += _wrapped(lost, 4, cells, Role.FLAGGED)
    lines += [line(), line("  ", Piece("Waiting", Role.STRONG))]
    waits = waiting(known)
    lines += [_head(("PLACE", "WAITED"), cells)] if waits else [line("    ", Piece("Nothing waits.", Role.DIM))]
    said = [queue_words.sentence(entry, now, names) for entry, _ in waits]
    beside = max((width(each) for each in said), default=0) <= cells - _name_cells(cells) - 32
    for (entry, row), each in zip(waits, said, strict=True):
        lines += _waiting(entry, row, each, now, cells, beside)
    lines += [line(), line("  ", Piece("Running", Role.STRONG))]
    runs = running(known)
    lines += (
        [_head(("", "SINCE", "ENDS IN"), cells)] if runs else [line("    ", Piece("Nothing runs in a slot.", Role.DIM))]
    )
    lines += [_running(entry, row, now, cells) for entry, row in runs]
    return [*lines, line()]


def _wrapped(text: str, indent: int, cells: int, role: Role) -> list[Line]:
    return [line(" " * indent, Piece(part, role)) for part in wrap(text, max(20, cells - indent - 1), 6)]


def _slots(queue: Queue, cells: int) -> list[Line]:
    """The slots over all, one sign each: in use, free, and taken away after roll backs."""
    if not queue.full_limit or queue.full_limit > cells - 20:
        return []
    used = min(queue.running, queue.full_limit)
    free = max(0, queue.limit - used)
    gone = queue.full_limit - used - free
    kinds = ((used, "#", "in use", Role.CANARY), (free, ".", "free", Role.BASELINE), (gone, "x", _GONE, Role.WATCH))
    signs = [Piece(sign * number, role) for number, sign, _, role in kinds]
    meant = [Piece(f"   {sign} {word}", Role.DIM) for number, sign, word, _ in kinds if number]
    whole = line("    ", Piece("slots ", Role.DIM), *signs, *meant)
    return [whole if whole.width <= cells else line("    ", Piece("slots ", Role.DIM), *signs)]


def waiting(rows: Iterable[Row]) -> list[tuple[QueueEntry, Row]]:
    """Who waits, the next one first."""
    found = [(row.queue, row) for row in rows if row.queue is not None and not row.queue.running]
    return sorted(found, key=lambda pair: (pair[0].position, pair[1].rollout.key))


def running(rows: Iterable[Row]) -> list[tuple[QueueEntry, Row]]:
    """Who holds a slot, the longest first."""
    found = [(row.queue, row) for row in rows if row.queue is not None and row.queue.running]
    return sorted(found, key=lambda pair: (pair[0].since, pair[1].rollout.key))


def _head(titles: tuple[str, ...], cells: int) -> Line:
    place, since, *more = titles
    name = _name_cells(cells)
    ends = "".join(f"  {title:>7}" for title in more)
    head = line("    ", Piece(f"{place:<7}{'LANE':<10}{fit('ROLLOUT', name)}  {since:>6}{ends}", Role.DIM))
    return cut(head, cells)


def _name_cells(cells: int) -> int:
    return min(56, max(24, cells - 48))


def _facts(place: str, entry: QueueEntry, row: Row, now: float, cells: int) -> list[Piece | str]:
    canary = row.rollout.canary
    version = "" if canary is None else f" {canary.version or canary.hash}"
    room = _name_cells(cells)
    name = row.rollout.key if width(row.rollout.key + version) <= room else row.rollout.name
    shown = fit(name, max(8, room - width(version)))
    shown, version = (shown.rstrip(), version) if version else (shown, "")
    return [
        Piece(f"    {place:<7}"),
        Piece(fit(marks.LANE[entry.lane], 10)),
        Piece(shown, Role.STRONG),
        Piece(fit(version, room - width(shown)), Role.DIM),
        Piece(f"  {numbers.age(age(entry.since, now)):>6}", Role.DIM),
    ]


def _waiting(entry: QueueEntry, row: Row, said: str, now: float, cells: int, beside: bool) -> list[Line]:
    """Who it is, and below it, never cut, what it waits for; ``beside`` it where that fits for all."""
    head = line(*_facts(f"{entry.position + 1:>3}", entry, row, now, cells))
    if beside:
        return [line(*head.pieces, "  ", Piece(said))]
    return [cut(head, cells), *_wrapped(said, 21 if cells >= 80 else 11, cells, Role.TEXT)]


def _running(entry: QueueEntry, row: Row, now: float, cells: int) -> Line:
    left = None if entry.eta_p50 is None else entry.eta_p50 - now
    late = left is not None and left <= 0
    ends = Piece(f"  {'late' if late else numbers.age(left):>7}", Role.DIM if late else Role.TEXT)
    phase = Piece(f"  {marks.PHASE[row.rollout.phase]}", Role.DIM)
    return cut(line(*_facts("", entry, row, now, cells), ends, phase), cells)


def plain_queue(room: Room, rows: Sequence[Row], now: float) -> str:
    """The queue for scripts and screen readers: one line on it, then one line for each that waits."""
    names = queue_words.names(rows)
    lines = [f"queue {queue_words.state(room.queue)}"]
    lost = queue_words.stranded(room)
    if lost:
        lines.append(lost)
    table = [_cells(entry, row, queue_words.sentence(entry, now, names), now) for entry, row in waiting(rows)]
    if table:
        lines += _aligned([_TITLES, *table])
    return "\n".join(map(printable, lines))


def _cells(entry: QueueEntry, row: Row, said: str, now: float) -> tuple[str, ...]:
    canary = row.rollout.canary
    version = "" if canary is None else canary.version or canary.hash
    eta = "" if entry.eta_p50 is None else numbers.age(max(0.0, entry.eta_p50 - now))
    waited = numbers.age(age(entry.since, now))
    cells = (str(entry.position + 1), marks.LANE[entry.lane], row.rollout.key, version, waited, eta, entry.requester)
    return (*(cell or numbers.NONE for cell in cells), said)


def _aligned(table: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(width(cells[at]) for cells in table) for at in range(len(table[0]))]
    return [
        "  ".join(cell + " " * (room - width(cell)) for cell, room in zip(cells, widths, strict=True)).rstrip()
        for cells in table
    ]
