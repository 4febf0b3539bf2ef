"""The pane under the board: why a rollout needs a person, what it is doing, and what the two keys would do.

The same order everywhere, most needed first, so that a short pane loses its least important lines: title, why, steps,
``p`` and ``x``, last news; charts stand at the right where there is room.
"""

from __future__ import annotations

import msgspec

from opsroom.domain.board import Happening, Row
from opsroom.domain.deed import Verb
from opsroom.domain.freshness import age
from opsroom.domain.intent import open_to
from opsroom.domain.offer import offer
from opsroom.domain.rollout import Rollout, Shape
from opsroom.domain.series import Metric
from opsroom.view import effects, evidence, marks, numbers, queue_words, short_news, two_people, words
from opsroom.view.cells import wrap
from opsroom.view.chart import Box, chart
from opsroom.view.line import Ground, Line, Piece, Role, beside, cut, line, padded, sides
from opsroom.view.rows import HARMFUL
from opsroom.view.spark import Graphs

LABEL = 9
"""Cells of the word at the left of each fact."""

TEXT_CELLS = 62
"""Cells of the facts where charts stand beside them."""

STANDS = ("CanaryPauseStep", "BlueGreenPause")
"""Messages of a controller that say no more than "paused at a step"."""

CHARTED = ("error_rate", "latency_p99", "cpu_usage", "memory_bytes", "memory_usage", "memory")


class Pane(msgspec.Struct, frozen=True):
    """What there is room for, and how it is drawn."""

    cells: int
    rows: int
    now: float
    graphs: Graphs = Graphs.BRAILLE
    plain: bool = False
    """Grounds look alike: the title is set off by a rule."""


def pane(row: Row | None, wide: Pane) -> list[Line]:
    """Exactly ``wide.rows`` lines on the pane's ground."""
    if row is None:
        lines = []
    elif wide.cells >= 110 and wide.rows >= 9 and row.metrics:
        text_cells = max(TEXT_CELLS, wide.cells * 45 // 100)
        rest = wide.cells - text_cells
        body = facts(row, wide, text_cells - 2)[: wide.rows - 1]
        lines = [title(row, wide), *beside(body, _charts(row, wide, rest - 1), text_cells, wide.cells)]
    else:
        lines = [title(row, wide), *facts(row, wide, wide.cells - 1)]
    lines = lines[: wide.rows] + [line()] * (wide.rows - len(lines))
    grounds = [Ground.BAR if row else Ground.PANE] + [Ground.PANE] * wide.rows
    return [padded(cut(one, wide.cells), wide.cells).on(ground) for one, ground in zip(lines, grounds, strict=False)]


def title(row: Row, wide: Pane) -> Line:
    """Name, place, from and to; since when it waits, and who took it."""
    rollout = row.rollout
    stable, canary = effects.revision_name(rollout, canary=False), effects.revision_name(rollout, canary=True)
    left = [Piece(" "), Piece(rollout.name, Role.STRONG), Piece(f"  {rollout.namespace}", Role.DIM), Piece("  ")]
    if canary:
        left += [Piece(stable or "nothing", Role.BASELINE), Piece(" to ", Role.DIM), Piece(canary, Role.CANARY)]
    else:
        left.append(Piece(stable, Role.BASELINE))
    shape = "" if rollout.shape is Shape.CANARY else f" {rollout.shape.value}"
    left.append(Piece(f"  {rollout.engine.value}{shape}", Role.DIM))
    if wide.cells >= 110 and rollout.change.author:
        left.append(Piece(f"  by {rollout.change.author}{_origin(rollout)}", Role.DIM))
    head, end = line(*left), line(*_standing(row, wide.now), " ")
    if wide.plain and head.width + end.width + 4 < wide.cells:
        head = line(*head.pieces, " ", Piece("-" * (wide.cells - head.width - end.width - 3), Role.RULE))
    return sides(head, end, wide.cells)


def _origin(rollout: Rollout) -> str:
    return f" ({rollout.change.origin})" if rollout.change.origin else ""


def _standing(row: Row, now: float) -> list[Piece]:
    if row.flag is None:
        return [Piece(marks.WORD[row.severity], marks.ROLE[row.severity])]
    since = numbers.fine_age(age(row.flag.since, now))
    taken = f", {row.flag.acknowledged_by} took it" if row.flag.acknowledged_by else ""
    return [Piece(f"{marks.MARK[row.severity]} flagged {since}{taken}", marks.ROLE[row.severity])]


def facts(row: Row, wide: Pane, cells: int) -> list[Line]:
    """The facts in words, in the pane's order."""
    roomy = wide.rows >= 12
    lines = _labelled("why", why(row, wide.now), cells, most=5 if roomy else 3)
    if roomy:
        lines.append(line())
    lines += steps(row.rollout, cells)
    lines += keys(row, cells, most=2 if roomy else 1)
    if roomy and row.happenings:
        lines.append(line())
    lines += news(row, cells, max(1, wide.rows - 1 - len(lines)))
    return lines


def why(row: Row, now: float) -> list[tuple[str, Role]]:
    """Sentences with their roles: the flag, the evidence, what weakens it."""
    said: list[tuple[str, Role]] = []
    flagged = words.flag(row)
    if flagged:
        said.append((flagged, Role.TEXT))
    found = row.verdict.evidence if row.verdict else ()
    for index, item in enumerate(sorted(found, key=lambda each: -each.harm)):
        stands_out = item.harm >= HARMFUL or bool(item.guard)
        said.append((evidence.sentence(item, row, now, traffic=index == 0), Role.FLAGGED if stands_out else Role.TEXT))
    verdict = words.verdict(row.verdict)
    if row.rollout.under_way and not row.waits:
        said.insert(1 if flagged else 0, (verdict, Role.TEXT))
    else:
        said = [(_rest(row, now), Role.TEXT), *((text, Role.DIM) for text, _ in said)]
    slow = words.too_slow(row)
    said += [(slow, Role.WATCH)] if slow else []
    said += [*_troubles(row.rollout), *((caveat, Role.WATCH) for caveat in words.caveats(row.verdict))]
    said_already = row.rollout.message in STANDS or (row.flag is not None and row.flag.detail == row.rollout.message)
    if row.rollout.message and not said_already:
        said.append((row.rollout.message, Role.DIM))
    return said


def _troubles(rollout: Rollout) -> list[tuple[str, Role]]:
    """What the canary's pods complain of, in one line: the worst of them; the detail page has each."""
    found = rollout.canary.troubles if rollout.canary is not None and rollout.under_way else ()
    if not found:
        return []
    worst = found[0]
    restarts = f"{worst.restarts} restart{'' if worst.restarts == 1 else 's'}" if worst.restarts else "does not start"
    reason = f", {worst.reason}" if worst.reason else ""
    more = f"; {len(found) - 1} more in trouble" if len(found) > 1 else ""
    return [(f"a canary pod: {restarts}{reason}{more}", Role.WATCH if worst.ready else Role.FLAGGED)]


def _rest(row: Row, now: float) -> str:
    if row.finished is not None and row.result:
        return f"{marks.RESULT.get(row.result, row.result)} {numbers.fine_age(age(row.finished, now))} ago"
    if row.queue is not None and not row.queue.running:
        said = queue_words.sentence(row.queue, now)
        return f"number {row.queue.position + 1} in lane {marks.LANE[row.queue.lane]}: {said}"
    return f"{marks.PHASE[row.rollout.phase]}, nothing under way"


def _labelled(label: str, said: list[tuple[str, Role]], cells: int, most: int) -> list[Line]:
    lines: list[Line] = []
    for index, (text, role) in enumerate(said):
        for part in wrap(text, cells - LABEL - 1, 2 if most > 3 and index == 0 else 1):
            if len(lines) < most:
                head = label if not lines else ""
                lines.append(line(" ", Piece(f"{head:<{LABEL}}", Role.DIM), Piece(part, role)))
    return lines


def steps(rollout: Rollout, cells: int) -> list[Line]:
    """The plan in one line, the present step in brackets; empty without steps, or with nothing under way."""
    if not rollout.steps or rollout.step is None or not (rollout.under_way or rollout.held):
        return []
    plan = [effects.step_name(step) for step in rollout.steps]
    at = min(rollout.step, len(plan))
    first = 0
    while first < at - 1 and sum(len(name) + 3 for name in plan[first:]) > cells - LABEL:
        first += 1
    pieces = [Piece(" "), Piece(f"{'steps':<{LABEL}}", Role.DIM), Piece(".. " if first else "", Role.DIM)]
    for index, name in enumerate(plan[first:], first):
        if index == at:
            pieces.append(Piece(f"[{name}]", Role.STRONG))
        else:
            pieces.append(Piece(name, Role.DIM if index < at else Role.TEXT))
        pieces.append(Piece("  " if index < len(plan) - 1 else ""))
    if at == len(plan):
        pieces.append(Piece("  [all done]", Role.STRONG))
    return [cut(Line(tuple(piece for piece in pieces if piece.text)), cells)]


def keys(row: Row, cells: int, most: int = 1) -> list[Line]:
    """What ``p`` and ``x`` would do, in words; dim where they would be refused."""
    lines: list[Line] = []
    for key, verb, known, right in (
        ("p", Verb.PROMOTE, row.promote, row.may_promote),
        ("x", Verb.ROLL_BACK, row.roll_back, row.may_roll_back),
    ):
        wish, may = known or offer(row.rollout, verb), open_to(row, verb)
        if not (row.rollout.under_way or may):
            continue
        text = two_people.effect(row, wish)
        if right.allowed is False:
            text = f"is off: {words.right(right)}"
        on = may and wish.effect is not None and right.allowed is not False
        if not may and wish.effect is not None:
            text = f"once flagged: {text}"
        for index, part in enumerate(wrap(text, cells - LABEL - 1, most)):
            head = key if index == 0 else ""
            lines.append(
                line(
                    " ",
                    Piece(f"{head:<{LABEL}}", Role.KEY if on else Role.DIM),
                    Piece(part, Role.TEXT if on else Role.DIM),
                )
            )
    return lines


def news(row: Row, cells: int, most: int, deep: int = 1) -> list[Line]:
    """The last happenings, newest first, a deed in one line; each on at most ``deep`` lines."""
    lines = []
    for index, item in enumerate(short_news.short(row.happenings)[:most]):
        label = "last" if index == 0 else ""
        when, said, by = happening(item)
        head = line(" ", Piece(f"{label:<{LABEL}}", Role.DIM), when)
        first, *rest = wrap(said.text + by.text, max(20, cells - head.width), deep) or [""]
        whole = first == said.text + by.text
        lines.append(line(*head.pieces, *((said, by) if whole else (said._replace(text=first),))))
        lines += [line(" " * head.width, said._replace(text=part)) for part in rest]
    return lines


def happening(item: Happening) -> list[Piece]:
    """Time and words of one piece of news."""
    role = Role.WATCH if item.warning else Role.TEXT
    by = f" by {item.by}" if item.by else ""
    return [Piece(f"{numbers.clock(item.at)}  ", Role.DIM), Piece(words.news(item), role), Piece(by, Role.DIM)]


def _eventful(metric: Metric) -> bool:
    """Whether there is more to see than that nothing ever happened, as with restarts on a good day."""
    return any(value for series in (metric.canary, metric.baseline) for value in series.values)


def charted(row: Row, every: bool = False) -> list[str]:
    """Names of the metrics with a chart, the harmful ones first, then in the fixed order; the usual ones or all."""
    harm = {found.metric: found.harm for found in (row.verdict.evidence if row.verdict else ())}
    present = [metric.name for metric in row.metrics if metric.name in CHARTED or (every and _eventful(metric))]
    place = {name: at for at, name in enumerate((*CHARTED, *present))} | {name: at for at, name in enumerate(CHARTED)}
    return sorted(present, key=lambda name: (-(harm.get(name, 0.0) >= HARMFUL), place[name]))


def _charts(row: Row, wide: Pane, cells: int) -> list[Line]:
    harm = {found.metric: found.harm for found in (row.verdict.evidence if row.verdict else ())}
    both = wide.rows >= 11
    room = wide.rows - 1
    rows = (room - 3) // 2 if both else room - 1
    lines: list[Line] = []
    for name in charted(row)[: 2 if both else 1]:
        metric = evidence.metric(row, name)
        if metric is not None:
            if lines:
                lines.append(line())
            lines += chart(metric, Box(cells, rows, wide.graphs), harm.get(name, 0.0) >= HARMFUL)
    return lines
