"""The queue page: what it does as a whole, who runs, and who waits in which lane for what and how long.

The same facts serve ``opsroom queue ls`` as plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.freshness import age
from opsroom.domain.queue import QueueEntry
from opsroom.view import marks, numbers, queue_words
from opsroom.view.cells import fit, width
from opsroom.view.line import Line, Piece, Role, cut, line

NAME_CELLS = 34
_TITLES = ("PLACE", "LANE", "NAME", "VERSION", "WAITING", "START", "REQUESTER", "WHY")


def queue_page(room: Room | None, rows: Iterable[Row], now: float, cells: int) -> list[Line]:
    """The page at a width."""
    lines = [line(), line("  ", Piece("Queue", Role.STRONG))]
    if room is None:
        return [*lines, line("    ", Piece("No picture yet.", Role.DIM))]
    known = list(rows)
    names = queue_words.names(known)
    lines.append(cut(line("    ", Piece(queue_words.state(room.queue))), cells))
    lost = queue_words.stranded(room)
    if lost:
        lines.append(cut(line("    ", Piece(lost, Role.FLAGGED)), cells))
    lines += [line(), line("  ", Piece("Waiting", Role.STRONG))]
    for entry, row in waiting(known):
        lines += _waiting(entry, row, queue_words.sentence(entry, now, names), now, cells)
    if not room.queue.waiting:
        lines.append(line("    ", Piece("Nothing waits.", Role.DIM)))
    lines += [line(), line("  ", Piece("Running", Role.STRONG))]
    lines += [cut(_running(entry, row, now), cells) for entry, row in running(known)]
    return [*lines, line()]


def waiting(rows: Iterable[Row]) -> list[tuple[QueueEntry, Row]]:
    """Who waits, the next one first."""
    found = [(row.queue, row) for row in rows if row.queue is not None and not row.queue.running]
    return sorted(found, key=lambda pair: (pair[0].position, pair[1].rollout.key))


def running(rows: Iterable[Row]) -> list[tuple[QueueEntry, Row]]:
    """Who holds a slot, the longest first."""
    found = [(row.queue, row) for row in rows if row.queue is not None and row.queue.running]
    return sorted(found, key=lambda pair: (pair[0].since, pair[1].rollout.key))


def _waiting(entry: QueueEntry, row: Row, said: str, now: float, cells: int) -> list[Line]:
    head = line(
        "    ",
        Piece(f"{entry.position + 1:>3}  ", Role.STRONG),
        Piece(fit(marks.LANE[entry.lane], 9)),
        Piece(fit(row.rollout.key, NAME_CELLS) + "  ", Role.STRONG),
        Piece(f"{numbers.age(age(entry.since, now)):>4}  ", Role.DIM),
    )
    room = cells - head.width
    if room >= width(said):
        return [line(*head.pieces, Piece(said))]
    return [cut(head, cells), cut(line(" " * 9, Piece(said, Role.DIM)), cells)]


def _running(entry: QueueEntry, row: Row, now: float) -> Line:
    return line(
        "         ",
        Piece(fit(marks.LANE[entry.lane], 9)),
        Piece(fit(row.rollout.key, NAME_CELLS) + "  "),
        Piece(f"{numbers.age(age(entry.since, now)):>4}  ", Role.DIM),
        Piece(marks.PHASE[row.rollout.phase], Role.DIM),
    )


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
    return "\n".join(lines)


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
