"""The lower part of the wall: what moves and waits; beside it how fast things go, and the last deeds."""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.queue import QueueState
from opsroom.view import evidence, marks, numbers, queue_page, queue_words, rows
from opsroom.view.cells import fit
from opsroom.view.columns import Field
from opsroom.view.deed_row import deed_row
from opsroom.view.line import Line, Piece, Role, beside, cut, line
from opsroom.view.spark import spark
from opsroom.view.wall_tiles import Wall

BESIDE = 110
"""Cells from which on the deeds stand beside the table."""


def table(
    room: Room | None, listed: Sequence[Row], others: Sequence[Row], high: int, size: Wall, paced: bool
) -> list[Line]:
    """Exactly ``high`` lines; ``paced``: queue and pace stand above already."""
    if size.cells >= BESIDE:
        left_cells = size.cells * (58 if size.cells >= 150 else 52) // 100
        left = _moving(others, high, left_cells, size)
        return beside(left, _lately(room, listed, high, size.cells - left_cells, size, paced), left_cells, size.cells)
    deeds = min(3, len(room.deeds)) if room else 0
    said = "" if paced else f"   {finished(room)}"
    below = [line("  ", Piece("LAST DEEDS" if deeds else "", Role.DIM), Piece(said, Role.TEXT))]
    below += [line("  ", *each.pieces) for each in _deeds(room, deeds, size.cells - 4)]
    return [*_moving(others, high - len(below), size.cells, size), *below]


def queue(room: Room | None, listed: Sequence[Row], now: float) -> str:
    """``queue: 2 waiting, 5 of 12 slots in use, next in about 6 min``."""
    if room is None:
        return ""
    state = "" if room.queue.state is QueueState.RUNNING else f" {room.queue.state.value},"
    slots = f"{room.queue.running} of {room.queue.limit} slots in use" if room.queue.limit else ""
    first = next((entry for entry, _ in queue_page.waiting(listed)), None)
    soon = queue_words.start(first, now).partition(" (")[0] if first is not None else ""
    parts = [f"{room.queue.waiting} waiting", slots, soon.replace("starts", "next", 1)]
    return f"queue:{state} {', '.join(part for part in parts if part)}"


def finished(room: Room | None) -> str:
    """``last hour 12 promoted, 1 rolled back; since start 41 and 3``."""
    if room is None:
        return ""
    counts = room.counts
    if counts.hour is None:
        return f"since start {counts.promoted} promoted, {counts.rolled_back} rolled back"
    hour = f"{counts.hour[0]} promoted, {counts.hour[1]} rolled back"
    return f"last hour {hour}; since start {counts.promoted} and {counts.rolled_back}"


def _moving(others: Sequence[Row], high: int, cells: int, size: Wall) -> list[Line]:
    lines = [line("  ", Piece("MOVING AND QUEUED", Role.DIM))]
    fits = max(0, high - 1 - (len(others) > high - 1))
    lines += [cut(_row(row, cells - 2, size), cells - 2) for row in others[:fits]]
    if len(others) > fits:
        lines.append(line("  ", Piece(f"and {len(others) - fits} more", Role.DIM)))
    if not others:
        lines.append(line("    ", Piece("nothing is on its way", Role.DIM)))
    return [*lines, *([line()] * (high - len(lines)))][:high]


def _row(row: Row, cells: int, size: Wall) -> Line:
    rollout = row.rollout
    mark, role = marks.MARK[row.severity], marks.ROLE[row.severity]
    score = rows.shown_score(row)
    weight = f"{rollout.weight}%" if rollout.under_way else numbers.NONE
    metric = evidence.metric(row, "error_rate")
    graph = ""
    if metric is not None and cells >= 100:
        graph = spark("error_rate", metric.canary, metric.baseline, 16, size.graphs)
    return line(
        Piece("  "),
        Piece(mark, role),
        Piece(" " * (4 - len(mark))),
        Piece(fit(rollout.name, 26 if cells >= 76 else 18) + "  ", Role.TEXT),
        Piece(fit(rollout.namespace, 12) + "  " if cells >= 76 else "", Role.DIM),
        Piece(fit(rows.step(rollout), 5, right=True)),
        Piece(fit(weight, 6, right=True)),
        Piece(fit(numbers.score(score), 7, right=True), rows.score_role(score)),
        *rows.after(rows.changed(row, Field.SCORE), 2),
        Piece(fit(graph, 18) if cells >= 100 else "", Role.BASELINE),
        Piece(rows.state(row, size.now), role),
    )


def _lately(room: Room | None, listed: Sequence[Row], high: int, cells: int, size: Wall, paced: bool) -> list[Line]:
    pace = (queue(room, listed, size.now).removeprefix("queue: "), finished(room))
    lines = [] if paced else [line(Piece("QUEUE AND PACE", Role.DIM)), *(line(Piece(said, Role.TEXT)) for said in pace)]
    lines.append(line(Piece("LAST DEEDS", Role.DIM)))
    deeds = _deeds(room, high - len(lines), cells - 2)
    return [cut(each, cells) for each in [*lines, *(deeds or [line(Piece("none since start", Role.DIM))])]]


def _deeds(room: Room | None, most: int, cells: int) -> list[Line]:
    return [deed_row(deed, cells) for deed in (room.deeds if room else ())[: max(0, most)]]
