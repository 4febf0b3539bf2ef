"""The detail screen: everything about one rollout on one page, most needed first."""

from __future__ import annotations

from opsroom.domain.board import Row
from opsroom.domain.freshness import age
from opsroom.domain.offer import PUTS_BACK
from opsroom.domain.rollout import Revision, Rollout
from opsroom.domain.series import Metric, Series
from opsroom.view import detail, effects, evidence, numbers, words
from opsroom.view.cells import fit
from opsroom.view.chart import Box, chart
from opsroom.view.detail import Pane
from opsroom.view.line import Ground, Line, Piece, Role, beside, cut, line, padded
from opsroom.view.rows import HARMFUL

CHART_ROWS = 7
WIDE = 110
"""Cells from which on charts stand two abreast."""


def dossier(row: Row | None, wide: Pane) -> list[Line]:
    """The page at a width."""
    if row is None:
        return [line(), line("  ", Piece("This rollout is gone.", Role.FLAGGED))]
    lines = [padded(detail.title(row, wide), wide.cells).on(Ground.PANE), line()]
    lines += _all_why(row, wide)
    lines += [line(), *detail.steps(row.rollout, wide.cells - 1), *detail.keys(row, wide.cells - 1)]
    lines += _charts(row, wide)
    lines += _facts("revisions", _revisions(row.rollout))
    lines += _facts("change", _change(row.rollout, wide.now))
    lines += _facts(
        "rights", [f"promote {words.right(row.may_promote)}", f"roll back {words.right(row.may_roll_back)}"]
    )
    if row.deed is not None:
        lines += _facts("deed", [effects.deed(row.deed, wide.now)])
    lines += [line(), *detail.news(row, wide.cells - 1, len(row.happenings))]
    return [cut(each, wide.cells) for each in [*lines, line()]]


def _all_why(row: Row, wide: Pane) -> list[Line]:
    lines = []
    for index, (text, role) in enumerate(detail.why(row, wide.now)):
        head = "why" if index == 0 else ""
        lines.append(line(" ", Piece(f"{head:<{detail.LABEL}}", Role.DIM), Piece(text, role)))
    return lines


def _charts(row: Row, wide: Pane) -> list[Line]:
    harm = {found.metric: found.harm for found in (row.verdict.evidence if row.verdict else ())}
    metrics = [found for name in detail.charted(row) if (found := evidence.metric(row, name)) is not None]
    abreast = 2 if wide.cells >= WIDE else 1
    cells = (wide.cells - 2 - 3 * (abreast - 1)) // abreast
    drawn = [chart(each, Box(cells, CHART_ROWS, wide.graphs), harm.get(each.name, 0.0) >= HARMFUL) for each in metrics]
    if len(row.scores) > 1:
        drawn.insert(0, chart(_score(row), Box(cells, CHART_ROWS, wide.graphs), stands_out=False))
    lines: list[Line] = []
    for at in range(0, len(drawn), abreast):
        pair = drawn[at : at + abreast]
        lines.append(line())
        lines += pair[0] if len(pair) == 1 else beside(pair[0], pair[1], cells + 3, wide.cells)
    return lines


def _score(row: Row) -> Metric:
    """The score's course as one more metric, without a baseline."""
    step = row.metrics[0].canary.step if row.metrics else 10.0
    end = row.verdict.at if row.verdict else 0.0
    return Metric(name="score", canary=Series(end, step, row.scores), baseline=Series(end, step, ()))


def _facts(label: str, said: list[str]) -> list[Line]:
    lines = [line()] if said else []
    for index, text in enumerate(said):
        head = label if index == 0 else ""
        lines.append(line(" ", Piece(f"{head:<{detail.LABEL + 2}}", Role.DIM), Piece(text)))
    return lines


def _revisions(rollout: Rollout) -> list[str]:
    said = []
    for name, revision in (("canary", rollout.canary), ("stable", rollout.stable)):
        if revision is not None:
            said.append(f"{name}  {_revision(revision)}")
    return said


def _revision(revision: Revision) -> str:
    restarts = f", {revision.restarts} restarts" if revision.restarts else ""
    number = f"  revision {revision.number}" if revision.number is not None else ""
    pods = f"{revision.ready} of {revision.replicas} pods ready{restarts}"
    return (
        f"{fit(revision.version or '-', 12)} {revision.hash}{number}  {pods}  {' '.join(map(_image, revision.images))}"
    )


def _image(name: str) -> str:
    """An image without most of its digest, which nobody reads."""
    head, at, digest = name.partition("@sha256:")
    return f"{head}{at}{digest[:8]}"


def _change(rollout: Rollout, now: float) -> list[str]:
    change = rollout.change
    by = f"by {change.author}" if change.author else "nobody said who made it"
    origin = f" ({change.origin})" if change.origin else ""
    commit = f", commit {change.commit[:12]}" if change.commit else ""
    started = f", began {numbers.fine_age(age(rollout.started, now))} ago" if rollout.started else ""
    reverts = rollout.owner in PUTS_BACK
    owner = [f"{rollout.owner} owns the spec: an undo would be reverted"] if reverts else []
    return [f"{by}{origin}{commit}{started}", *([change.url] if change.url else []), *owner]
