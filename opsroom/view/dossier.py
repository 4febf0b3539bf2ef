"""The detail screen: everything about one rollout on one page, most needed first.

What needs a person stands at the top at any width; in a wide terminal the facts about change and pods stand beside it,
in a narrow one below the charts. A chart that shows trouble is taller than one that does not.
"""

from __future__ import annotations

from opsroom.domain.board import Row
from opsroom.domain.freshness import age
from opsroom.domain.offer import PUTS_BACK
from opsroom.domain.rollout import Analysis, Revision, Rollout
from opsroom.view import detail, effects, evidence, numbers, words
from opsroom.view.cells import wrap
from opsroom.view.chart import SCORE, Box, chart
from opsroom.view.detail import Pane
from opsroom.view.line import Ground, Line, Piece, Role, beside, cut, line, padded
from opsroom.view.rows import HARMFUL

_GROWS = {True: (7, 18), False: (4, 12)}
"""Least and most lines of a chart that shows trouble (or the score), and of one that does not."""

ABREAST = ((150, 3), (96, 2), (0, 1))
"""Charts side by side, from so many cells on."""

BESIDE = 150
"""Cells from which on the facts stand beside the reasons."""

Said = list[tuple[str, Role]]

_STATUS = {
    "Failed": Role.FLAGGED,
    "Error": Role.FLAGGED,
    "Inconclusive": Role.WATCH,
    "Successful": Role.OK,
}
"""Roles of Argo's words for an analysis run."""

_STAGE = {"step": "of this step", "background": "in the background", "before": "before the switch", "after": "after it"}


def head(row: Row, wide: Pane) -> Line:
    """The line above the page."""
    return cut(padded(detail.title(row, wide), wide.cells).on(Ground.PANE), wide.cells)


def dossier(row: Row | None, wide: Pane) -> list[Line]:
    """The page below ``head``, at a width."""
    if row is None:
        return [line(), line("  ", Piece("This rollout is gone.", Role.FLAGGED))]
    half = wide.cells // 2 if wide.cells >= BESIDE else 0
    above = [line()]
    below = [line(), *detail.news(row, wide.cells - 1, len(row.happenings), deep=3), line()]
    if half:
        above += beside(_reasons(row, wide, half - 2), _facts(row, wide, wide.cells - half), half, wide.cells)
    else:
        above += _reasons(row, wide, wide.cells)
        below = [line(), *_facts(row, wide, wide.cells), *below]
    charts = _charts(row, wide, wide.rows - len(above) - len(below))
    return [cut(each, wide.cells) for each in [*above, *charts, *below]]


def _reasons(row: Row, wide: Pane, cells: int) -> list[Line]:
    """Why, where it stands, and what the two keys would do."""
    lines = _labelled("why", detail.why(row, wide.now), cells)
    return [*lines, line(), *detail.steps(row.rollout, cells - 1), *detail.keys(row, cells - 1, most=3)]


def _facts(row: Row, wide: Pane, cells: int) -> list[Line]:
    """The change, both revisions, what the engine's analysis and the pods say, rights, the last deed."""
    rollout = row.rollout
    told = f"promote {words.right(row.may_promote)}, roll back {words.right(row.may_roll_back)}"
    parts: list[tuple[str, Said]] = [
        ("change", _change(rollout, wide.now)),
        ("canary", _revision(rollout.canary)),
        ("stable", _revision(rollout.stable)),
        ("analysis", [analysis(run) for run in rollout.analyses]),
        ("pods", [*troubles("canary", rollout.canary), *troubles("stable", rollout.stable)]),
        ("rights", [(told, Role.TEXT)]),
        ("deed", [] if row.deed is None else [(effects.deed(row.deed, wide.now), Role.TEXT)]),
    ]
    lines: list[Line] = []
    for label, said in parts:
        lines += _labelled(label, said, cells)
    return lines


def _labelled(label: str, said: Said, cells: int) -> list[Line]:
    """Facts after their label, wrapped."""
    lines: list[Line] = []
    for text, role in said:
        for part in wrap(text, max(20, cells - detail.LABEL - 2), 4):
            head = label if not lines else ""
            lines.append(line(" ", Piece(f"{head:<{detail.LABEL}}", Role.DIM), Piece(part, role)))
    return lines


def _charts(row: Row, wide: Pane, room: int) -> list[Line]:
    """The score's course and every metric's, as many abreast as there is room for; up to ``room`` lines are filled."""
    abreast = next(number for least, number in ABREAST if wide.cells >= least)
    cells = (wide.cells - 3 - 3 * (abreast - 1)) // abreast
    loud = {found.metric for found in (row.verdict.evidence if row.verdict else ()) if found.harm >= HARMFUL}
    shown = [found for name in detail.charted(row, every=True) if (found := evidence.metric(row, name)) is not None]
    score = evidence.course(row)
    shown = shown if score is None else [score, *shown]
    sides = [shown[at : at + abreast] for at in range(0, len(shown), abreast)]
    heights = _heights([any(each.name in loud or each.name == SCORE for each in side) for side in sides], room)
    lines: list[Line] = []
    for side, rows in zip(sides, heights, strict=True):
        drawn = [chart(each, Box(cells, rows, wide.graphs), each.name in loud) for each in side]
        joined = drawn[0]
        for index, more in enumerate(drawn[1:], 1):
            joined = beside(joined, more, index * (cells + 3), wide.cells)
        lines += [line(), *(line(" ", *each.pieces) for each in joined)]
    return lines


def _heights(loud: list[bool], room: int) -> list[int]:
    """Lines of each row of charts: the least, and what is left over of ``room``, first for those that show trouble."""
    heights = [least for least, _ in map(_GROWS.__getitem__, loud)]
    left = room - sum(heights) - 2 * len(heights)
    for wanted in (True, False):
        growing = [at for at, is_loud in enumerate(loud) if is_loud is wanted]
        while left >= len(growing) > 0 and heights[growing[0]] < _GROWS[wanted][1]:
            for at in growing:
                heights[at] += 1
            left -= len(growing)
    return heights


def _revision(revision: Revision | None) -> Said:
    if revision is None:
        return []
    restarts = f", {revision.restarts} restarts" if revision.restarts else ""
    number = f"  revision {revision.number}" if revision.number is not None else ""
    pods = f"{revision.ready} of {revision.replicas} pods ready{restarts}"
    role = Role.WATCH if revision.restarts or revision.ready < revision.replicas else Role.TEXT
    head = f"{revision.version or '-'}  {revision.hash}{number}  {pods}"
    return [(head, role), *((_image(name), Role.DIM) for name in revision.images)]


def _image(name: str) -> str:
    """An image without most of its digest, which nobody reads."""
    head, at, digest = name.partition("@sha256:")
    return f"{head}{at}{digest[:8]}"


def analysis(run: Analysis) -> tuple[str, Role]:
    """What one of the engine's own analysis runs says."""
    message = f": {run.message}" if run.message else ""
    said = f"{run.status} {_STAGE.get(run.stage, run.stage)}, {run.name}{message}"
    return said, _STATUS.get(run.status, Role.TEXT)


def troubles(side: str, revision: Revision | None) -> Said:
    """The pods that restart or do not start, with the kubelet's reasons."""
    said: Said = []
    for one in revision.troubles if revision else ():
        restarts = f"{one.restarts} restart{'' if one.restarts == 1 else 's'}" if one.restarts else "not started"
        ready = "" if one.ready else ", not ready"
        reason = f", {one.reason}" if one.reason else ""
        said.append((f"{side} {one.pod}  {restarts}{reason}{ready}", Role.WATCH if one.ready else Role.FLAGGED))
    return said


def _change(rollout: Rollout, now: float) -> Said:
    change = rollout.change
    by = f"by {change.author}" if change.author else "nobody said who made it"
    origin = f" ({change.origin})" if change.origin else ""
    commit = f", commit {change.commit[:12]}" if change.commit else ""
    started = f", began {numbers.fine_age(age(rollout.started, now))} ago" if rollout.started else ""
    said: Said = [(f"{by}{origin}{commit}{started}", Role.TEXT)]
    if change.url:
        said.append((change.url, Role.TEXT))
    if rollout.owner in PUTS_BACK:
        said.append((f"{rollout.owner} owns the spec: an undo would be reverted", Role.WATCH))
    return said
