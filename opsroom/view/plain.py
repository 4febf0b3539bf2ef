"""The board as plain text, once: for scripts, and for screen readers, which a full screen cannot serve.

No colour, no graph, no cursor; one rollout a line in the board's order, columns as wide as their contents, so that
``awk`` and a voice both get along with it. A column without a value holds ``-``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from opsroom.domain.board import Room, Row
from opsroom.domain.clean import printable
from opsroom.domain.deed import Verb
from opsroom.domain.freshness import age
from opsroom.domain.offer import offer
from opsroom.view import ages, detail, dossier, effects, evidence, header, marks, numbers, rows, short_news, two_people
from opsroom.view.cells import width
from opsroom.view.order import Wish, arrange, uids

_PLAIN = ("MARK", "NAME", "NAMESPACE", "STEP", "WEIGHT", "SCORE", "ERRORS", "P99", "AGE", "STATE")
_WIDE = (*_PLAIN, "ENGINE", "STABLE", "CANARY", "AUTHOR", "WHY")


def plain_board(room: Room, rows_: Iterable[Row], now: float, wide: bool) -> str:
    """One line on the room, then a table of the rows, loudest first."""
    known = {row.rollout.uid: row for row in rows_}
    ordered = [known[uid] for uid in uids(arrange(known.values(), Wish()))]
    titles = _WIDE if wide else _PLAIN
    table = [titles, *(_row_cells(row, now, wide) for row in ordered)]
    return "\n".join(map(printable, [room_line(room, now), *_table(table)]))


def room_line(room: Room, now: float) -> str:
    """Context, mode, ages of the sources, and what is out of the ordinary."""
    old = ", ".join(ages.age_text(source, now) for source in room.sources)
    said = header.notice(room, header.Status(now=now))
    mode = "read-only" if room.read_only else header.mode_word(room)
    parts = [f"context {room.context or 'none'}", mode, old, said]
    return ", ".join(part for part in parts if part)


def _row_cells(row: Row, now: float, wide: bool) -> tuple[str, ...]:
    rollout = row.rollout
    moving = rollout.under_way
    cells = (
        marks.MARK[row.severity],
        rollout.name,
        rollout.namespace,
        rows.step(rollout),
        f"{rollout.weight}%" if moving else numbers.NONE,
        numbers.score(rows.shown_score(row)),
        _last(row, "error_rate"),
        _last(row, "latency_p99"),
        numbers.age(age(rows.since(row), now)),
        rows.state(row, now).replace(" ", "-"),
    )
    if not wide:
        return cells
    stable, canary = effects.revision_name(rollout, canary=False), effects.revision_name(rollout, canary=True)
    more = (rollout.engine.value, stable, canary, rollout.change.author.replace(" ", "-"), rows.why(row, now))
    return (*cells, *(text or numbers.NONE for text in more))


def _last(row: Row, metric: str) -> str:
    found = evidence.metric(row, metric)
    return numbers.NONE if found is None else evidence.short_value(metric, found.canary.last)


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(width(line[at]) for line in lines) for at in range(len(lines[0]))]
    return [
        "  ".join(cell + " " * (cells - width(cell)) for cell, cells in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def plain_row(room: Room, row: Row, now: float) -> str:
    """Everything about one rollout, a fact a line: ``label`` and words."""
    facts: list[tuple[str, str]] = [("rollout", row.rollout.key), ("context", room.context or "none")]
    for part in (_state_facts, _change_facts, _key_facts):
        facts.extend(part(row, now))
    told = (detail.happening(item) for item in short_news.short(row.happenings))
    facts.extend(("news", "".join(piece.text for piece in pieces)) for pieces in told)
    return "\n".join(printable(f"{label:<10}{text}") for label, text in facts if text)


def _state_facts(row: Row, now: float) -> list[tuple[str, str]]:
    rollout = row.rollout
    facts = [
        ("severity", f"{marks.MARK[row.severity]} {marks.WORD[row.severity]}"),
        ("state", rows.state(row, now)),
        ("engine", f"{rollout.engine.value} {rollout.shape.value}"),
        ("step", rows.step(rollout)),
        ("weight", f"{rollout.weight}%" if rollout.under_way else ""),
        ("steps", "".join(line.text for line in detail.steps(rollout, 10_000))[detail.LABEL + 1 :].strip()),
    ]
    return facts + [("why", text) for text, _ in detail.why(row, now)]


def _change_facts(row: Row, now: float) -> list[tuple[str, str]]:
    rollout, change = row.rollout, row.rollout.change
    facts = []
    for label, revision in (("canary", rollout.canary), ("stable", rollout.stable)):
        if revision is not None:
            restarts = f", {revision.restarts} restarts" if revision.restarts else ""
            pods = f"{revision.ready} of {revision.replicas} pods ready{restarts}"
            facts.append((label, f"{revision.version or '-'} {revision.hash} {pods} {' '.join(revision.images)}"))
    facts += [("pod", text) for text, _ in dossier.troubles("canary", rollout.canary)]
    facts += [("pod", text) for text, _ in dossier.troubles("stable", rollout.stable)]
    facts += [("analysis", dossier.analysis(run)[0]) for run in rollout.analyses]
    facts += [("author", change.author), ("commit", change.commit), ("origin", change.origin), ("url", change.url)]
    return facts


def _key_facts(row: Row, now: float) -> list[tuple[str, str]]:
    wishes: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("promote", lambda each: two_people.effect(each, each.promote or offer(each.rollout, Verb.PROMOTE))),
        ("roll back", lambda each: effects.effect(each.roll_back or offer(each.rollout, Verb.ROLL_BACK), each.rollout)),
    )
    facts = [(label, say(row)) for label, say in wishes]
    if row.deed is not None:
        facts.append(("last deed", effects.deed(row.deed, now, typed=True)))
    return facts
