"""The sources page: how old each source of facts is, what it last said, who decides, and what holds the worker back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.freshness import Freshness, SourceState, age, freshness
from opsroom.view import marks, numbers, words
from opsroom.view.ages import NAMES
from opsroom.view.cells import fit, wrap
from opsroom.view.header import Status, feed_state
from opsroom.view.line import Line, Piece, Role, line

_WORD = {
    Freshness.FRESH: "fresh",
    Freshness.DOUBTFUL: "late",
    Freshness.STALE: "stale",
    Freshness.NEVER: "never",
}


def sources_page(room: Room | None, rows: Iterable[Row], status: Status, cells: int) -> list[Line]:
    """The page at a width; the rights are those that the rows came with."""
    lines = [line(), line("  ", Piece("Sources", Role.STRONG))]
    if room is None:
        said = status.lost or "connecting to the worker"
        return [*lines, *(line("    ", Piece(part, Role.FLAGGED)) for part in wrap(said, cells - 6, 4))]
    for source in (*room.sources, feed_state(room, status)):
        error = status.lost if source.name == "feed" else source.error
        lines += _source(source, error, status.now, cells)
    lines += [line(), line("  ", Piece("Worker", Role.STRONG))]
    for label, said in _worker(room, status.now):
        lines += _labelled(label, [said], cells)
    lines += [line(), line("  ", Piece("Rights", Role.STRONG))]
    for label, all_said in _rights(rows):
        lines += _labelled(label, all_said, cells)
    return [*lines, line()]


def _labelled(label: str, said: Sequence[str], cells: int) -> list[Line]:
    parts = [part for each in said for part in wrap(each, max(20, cells - 20), 3)]
    return [
        line("    ", Piece(f"{label if not at else '':<14}", Role.DIM), Piece(part)) for at, part in enumerate(parts)
    ]


def _rights(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """For each verb how many rollouts it is allowed on, and what is missing for the others."""
    promote: Counter[str] = Counter()
    roll_back: Counter[str] = Counter()
    for row in rows:
        promote[words.right(row.may_promote)] += 1
        roll_back[words.right(row.may_roll_back)] += 1
    return [
        (verb, [f"{said}, on {number} rollout{'' if number == 1 else 's'}" for said, number in found.most_common(5)])
        for verb, found in (("promote", promote), ("roll back", roll_back))
    ]


def _source(source: SourceState, error: str, now: float, cells: int) -> list[Line]:
    state = freshness(source, now)
    seconds = numbers.fine_age(age(source.at, now))
    name = NAMES.get(source.name, source.name)
    head = line(
        "    ",
        Piece(fit(name, 14)),
        Piece(fit(_WORD[state], 8), marks.FRESH_ROLE[state] if state is not Freshness.FRESH else Role.OK),
        Piece(fit(seconds, 9)),
        Piece(f"expected every {numbers.duration(source.interval)}", Role.DIM),
        Piece(f"   {source.detail}" if source.detail else "", Role.DIM),
    )
    return [head, *(line(" " * 18, Piece(part, Role.FLAGGED)) for part in wrap(error, cells - 20, 3))]


def _worker(room: Room, now: float) -> list[tuple[str, str]]:
    decider = room.decider
    if not decider.identity:
        who = "nobody decides here"
    else:
        since = f" for {numbers.duration(now - decider.since)}" if decider.since else ""
        who = (
            f"{decider.identity}{' (this worker)' if decider.me else ''}{since}, lease transition {decider.transitions}"
        )
    counts = room.counts
    frozen = "no"
    if room.freeze is not None:
        reason = f": {room.freeze.reason}" if room.freeze.reason else ""
        frozen = f"by {room.freeze.by} for {numbers.duration(now - room.freeze.since)}{reason}"
    return [
        ("context", room.context or "none"),
        ("namespaces", ", ".join(room.namespaces) or "all"),
        ("identity", room.identity or "not known"),
        ("mode", "read-only" if room.read_only else room.mode.value),
        ("decider", who),
        ("freeze", frozen),
        ("queue", f"{room.queue.state.value}, {room.queue.limit or 'no limit of'} slots"),
        ("policy", room.policy_note or "the newest one is in force"),
        ("since start", f"{counts.promoted} promoted, {counts.rolled_back} rolled back, {counts.flagged} flagged"),
        ("ticks", f"{counts.ticks:,}, the slowest {counts.worst_tick:.2f} s"),
    ]
