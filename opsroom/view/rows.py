"""One rollout as one line of the board."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.freshness import age
from opsroom.domain.rollout import Phase, Rollout
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE
from opsroom.view import evidence, marks, numbers, queue_words, trend, words
from opsroom.view.cells import fit
from opsroom.view.columns import GAP, VALUE, Column, Field
from opsroom.view.line import Ground, Line, Piece, Role
from opsroom.view.order import Group, group_of
from opsroom.view.spark import Graphs, spark

Cell = tuple[tuple[str, Role], ...]
CURSOR = ">"
_METRICS = {Field.ERRORS: "error_rate", Field.P99: "latency_p99"}
HARMFUL = 0.5
"""From this strength of the case for harm on, a metric stands out."""


class Look(msgspec.Struct, frozen=True):
    """How a row is to be drawn."""

    columns: tuple[Column, ...]
    now: float
    """The worker's clock, epoch seconds."""
    graphs: Graphs = Graphs.BRAILLE
    selected: bool = False
    doing: str = ""
    """Word for the deed of this board that is under way; takes the place of the state."""


def row_line(row: Row, look: Look) -> Line:
    """The line of one rollout."""
    pieces: list[Piece] = []
    sign = ""
    for index, column in enumerate(look.columns):
        if index:
            pieces.extend(after(sign, GAP))
        pieces.extend(_fitted(_CELLS[column.field](row, column, look), column))
        sign = changed(row, column.field)
    return Line(tuple(pieces), Ground.SELECTED if look.selected else Ground.BASE)


def changed(row: Row, field: Field) -> str:
    """``+`` or ``-`` where the figure in ``field`` has just changed markedly."""
    if not row.rollout.under_way:
        return ""
    if field is Field.SCORE:
        return trend.sign("score", row.scores) if shown_score(row) is not None else ""
    found = evidence.metric(row, _METRICS[field]) if field in _METRICS else None
    return "" if found is None else trend.sign(found.name, found.canary.values)


def after(sign: str, cells: int) -> list[Piece]:
    """The blanks after a figure, with the mark of its change in the first of them."""
    if not sign:
        return [Piece(" " * cells)]
    return [Piece(sign, Role.WATCH if sign == trend.UP else Role.DIM), Piece(" " * (cells - 1))]


def titles(columns: tuple[Column, ...]) -> Line:
    """The line of column titles."""
    gap = " " * GAP
    return Line((Piece(gap.join(fit(column.title, column.cells, column.right) for column in columns), Role.DIM),))


def _fitted(cell: Cell, column: Column) -> list[Piece]:
    """A cell's pieces in exactly the column's width; only the last piece gives way."""
    *head, (text, role) = cell
    taken = sum(len(part) for part, _ in head)
    last = fit(text, column.cells - taken, column.right)
    return [Piece(part, look) for part, look in (*head, (last, role)) if part]


def _mark(row: Row, column: Column, look: Look) -> Cell:
    severity = row.severity
    cursor = CURSOR if look.selected else " "
    return ((cursor, Role.STRONG), (marks.MARK[severity], marks.ROLE[severity]), ("", Role.TEXT))


def _name(row: Row, column: Column, look: Look) -> Cell:
    return ((row.rollout.name, Role.STRONG if row.flag or look.selected else Role.TEXT),)


def _namespace(row: Row, column: Column, look: Look) -> Cell:
    return ((row.rollout.namespace, Role.DIM),)


def step(rollout: Rollout) -> str:
    """``3/6``: the step that runs, of all; ``-`` where there are none."""
    if not rollout.steps or rollout.step is None or not rollout.under_way:
        return numbers.NONE
    total = len(rollout.steps)
    return f"{min(rollout.step + 1, total)}/{total}"


def _step(row: Row, column: Column, look: Look) -> Cell:
    text = step(row.rollout)
    return ((text, Role.TEXT if text != numbers.NONE else Role.DIM),)


def _weight(row: Row, column: Column, look: Look) -> Cell:
    if not row.rollout.under_way:
        return ((numbers.NONE, Role.DIM),)
    return ((f"{row.rollout.weight}%", Role.TEXT),)


def score_role(score: float | None) -> Role:
    """The role of a score by the thresholds that are a promise to users."""
    if score is None:
        return Role.UNKNOWN
    if score > ROLL_BACK_ABOVE:
        return Role.FLAGGED
    return Role.OK if score < PROMOTE_BELOW else Role.WATCH if score >= HARMFUL else Role.TEXT


def shown_score(row: Row) -> float | None:
    """The score that belongs to what the row shows: a queued change has none, the last one's would mislead."""
    return None if row.verdict is None or group_of(row) is Group.QUEUED else row.verdict.score


def _score(row: Row, column: Column, look: Look) -> Cell:
    score = shown_score(row)
    return ((numbers.score(score), score_role(score) if row.rollout.under_way else Role.DIM),)


def _metric(metric: str) -> Callable[[Row, Column, Look], Cell]:
    def cell(row: Row, column: Column, look: Look) -> Cell:
        found = evidence.metric(row, metric)
        if found is None or not row.rollout.under_way:
            return (("", Role.DIM),)
        said = row.verdict.evidence if row.verdict else ()
        stands_out = any(item.metric == metric and item.harm >= HARMFUL for item in said)
        role = Role.FLAGGED if stands_out else Role.BASELINE
        cells = column.cells - VALUE - 1
        graph = spark(metric, found.canary, found.baseline, cells, look.graphs)
        text = fit(evidence.short_value(metric, found.canary.last), VALUE, right=True)
        return ((graph + " ", role), (text, Role.FLAGGED if stands_out else Role.TEXT))

    return cell


def since(row: Row) -> float | None:
    """Since when a row is in the state that it is shown in (epoch seconds)."""
    if row.flag is not None:
        return row.flag.since
    if row.queue is not None and not row.queue.running:
        return row.queue.since
    return row.rollout.started if row.rollout.under_way else row.finished


def _age(row: Row, column: Column, look: Look) -> Cell:
    return ((numbers.age(age(since(row), look.now)), Role.DIM),)


def state(row: Row, now: float) -> str:
    """The state in a word or two; a flagged row says why, for that is what a person needs first."""
    rollout = row.rollout
    if row.deed is not None and not row.deed.state.settled:
        return marks.DEED[row.deed.state]
    if row.flag is not None:
        return marks.REASON[row.flag.reason]
    if (rollout.phase is Phase.HELD or (rollout.idle and row.waits)) and row.queue is not None:
        return f"{marks.LANE[row.queue.lane]} #{row.queue.position + 1}"
    if rollout.phase is Phase.PAUSED and rollout.pause is not None:
        return f"paused {numbers.age(age(rollout.pause.since, now))}" if rollout.pause.since else "paused"
    if not rollout.under_way and row.result and rollout.phase is not Phase.DEGRADED:
        return marks.RESULT.get(row.result, row.result)
    return marks.PHASE[rollout.phase]


def _state(row: Row, column: Column, look: Look) -> Cell:
    if look.doing:
        return ((look.doing, Role.STRONG),)
    if row.deed is not None and not row.deed.state.settled:
        return ((marks.DEED[row.deed.state], marks.DEED_ROLE.get(row.deed.state, Role.STRONG)),)
    role = Role.DIM if group_of(row) is Group.QUEUED else marks.ROLE[row.severity]
    return ((state(row, look.now), Role.FLAGGED if role is Role.CRITICAL else role),)


def why(row: Row, now: float) -> str:
    """The strongest reason in a few words, for wide boards."""
    if row.queue is not None and not row.queue.running and row.flag is None:
        return queue_words.brief(row.queue, now)
    found = evidence.strongest(row)
    if found is not None:
        return evidence.brief(found)
    if row.flag is not None:
        return words.flag(row)
    if row.rollout.under_way and row.verdict is not None and row.verdict.decides_in:
        return words.too_slow(row) or f"decides in about {numbers.duration(row.verdict.decides_in)}"
    if row.verdict is not None and row.verdict.unknown is not None:
        return words.UNKNOWN[row.verdict.unknown]
    stable = row.rollout.stable
    return "" if row.rollout.under_way or stable is None else f"on {stable.version or stable.hash}"


def _why(row: Row, column: Column, look: Look) -> Cell:
    taken = f"{row.flag.acknowledged_by} took it: " if row.flag and row.flag.acknowledged_by else ""
    return ((taken + why(row, look.now), Role.TEXT if row.flag else Role.DIM),)


_CELLS: dict[Field, Callable[[Row, Column, Look], Cell]] = {
    Field.MARK: _mark,
    Field.NAME: _name,
    Field.NAMESPACE: _namespace,
    Field.STEP: _step,
    Field.WEIGHT: _weight,
    Field.SCORE: _score,
    Field.ERRORS: _metric(_METRICS[Field.ERRORS]),
    Field.P99: _metric(_METRICS[Field.P99]),
    Field.AGE: _age,
    Field.STATE: _state,
    Field.WHY: _why,
}
