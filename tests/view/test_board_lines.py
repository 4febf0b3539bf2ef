"""The board's lines: columns at every width, order, filter, plain text."""

from __future__ import annotations

import unicodedata
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Row, Severity
from opsroom.domain.queue import Lane
from opsroom.domain.rollout import Phase, Uid
from opsroom.view import detail, rows
from opsroom.view.columns import Field, layout
from opsroom.view.order import Group, Heading, Sort, Wish, arrange, counts, group_of, matcher, uids
from opsroom.view.plain import plain_board, plain_row
from opsroom.view.queue_page import plain_queue
from opsroom.view.spark import Graphs
from opsroom.view.tally import fitting_tally, tally
from tests.ui.scenes import NOW, all_rows, needing, queued, room
from tests.ui.show import hostile

ALWAYS = {Field.MARK, Field.NAME, Field.STEP, Field.SCORE, Field.STATE}


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("cells", range(60, 240))
def test_columns_fit_and_the_five_that_matter_stay(cells: int, wide: bool) -> None:
    columns = layout(cells, wide)
    assert {column.field for column in columns} >= ALWAYS
    assert sum(column.cells + 2 for column in columns) - 2 <= cells - 1


def test_a_wide_list_has_every_namespace_at_80_columns_and_every_reason_at_120() -> None:
    assert Field.NAMESPACE in {column.field for column in layout(80, wide=True)}
    assert {Field.NAMESPACE, Field.WHY} <= {column.field for column in layout(120, wide=True)}


@pytest.mark.parametrize("wide", [False, True])
def test_columns_go_in_one_order_as_it_gets_narrower(wide: bool) -> None:
    before = {column.field for column in layout(240, wide)}
    for cells in range(239, 59, -1):
        now = {column.field for column in layout(cells, wide)}
        assert now <= before, cells
        before = now


@pytest.mark.parametrize("cells", [60, 80, 120, 200])
@pytest.mark.parametrize("graphs", list(Graphs))
def test_every_row_has_the_width_of_its_columns(cells: int, graphs: Graphs) -> None:
    columns = layout(cells)
    wide = sum(column.cells + 2 for column in columns) - 2
    for row in all_rows():
        assert rows.row_line(row, rows.Look(columns, NOW, graphs)).width == wide


def test_no_sign_of_ours_in_a_row_has_an_ambiguous_width() -> None:
    for row in all_rows():
        text = rows.row_line(row, rows.Look(layout(200), NOW)).text
        assert not [char for char in text if unicodedata.east_asian_width(char) in "AWF"]


@pytest.mark.parametrize(("cells", "lines"), [(60, 3), (80, 8), (120, 16), (200, 22), (300, 40)])
def test_the_pane_fills_exactly_its_place(cells: int, lines: int) -> None:
    for row in (*all_rows(), *hostile(all_rows()), None):
        made = detail.pane(row, detail.Pane(cells, lines, NOW))
        assert len(made) == lines
        assert {line.width for line in made} == {cells}


def test_severity_comes_first_and_then_the_oldest() -> None:
    order = arrange(all_rows(), Wish())
    assert order[:4] == [Heading(Group.NEEDS_YOU, 3), "uid-checkout-api", "uid-ledger-writer", "uid-fraud-scorer"]


def test_the_order_of_moving_rows_does_not_follow_the_score() -> None:
    before = arrange(all_rows(), Wish())
    shuffled = []
    for row in all_rows():
        said = row.verdict
        if said is not None and said.score is not None and said.score < 0.5:
            row = msgspec.structs.replace(row, verdict=msgspec.structs.replace(said, score=0.49 - said.score / 9))
        shuffled.append(row)
    assert arrange(shuffled, Wish()) == before


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("checkout", {"checkout-api"}),
        ("PAYMENTS", {"checkout-api", "ledger-writer"}),
        ("payments !ledger", {"checkout-api"}),
        ("label:team=risk", {"fraud-scorer"}),
        ("label:risk", {"fraud-scorer"}),
        ("v2.31.0 label:team=search", {"search-gateway"}),
        ("!", {row.rollout.name for row in all_rows()}),
        ("nothing-like-it", set()),
    ],
)
def test_the_filter(text: str, names: set[str]) -> None:
    passes = matcher(text)
    assert {row.rollout.name for row in all_rows() if passes(row)} == names


@pytest.mark.parametrize("sort", list(Sort))
def test_every_sort_shows_every_row_once(sort: Sort) -> None:
    shown = uids(arrange(all_rows(), Wish(sort=sort)))
    assert sorted(shown) == sorted(row.rollout.uid for row in all_rows())


lately = st.none() | st.sampled_from([0.0, 5.0, NOW]) | st.floats(0.0, 4e9).map(lambda seconds: round(seconds, 3))


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(all_rows()) - 1), st.sampled_from(Phase), lately, lately, st.integers(0, 12_000)),
        max_size=8,
    )
)
def test_the_order_is_that_of_the_facts(wishes: list[tuple[int, Phase, float | None, float | None, int]]) -> None:
    made = []
    for number, (which, phase, started, finished, position) in enumerate(wishes):
        row = all_rows()[which]
        rollout = msgspec.structs.replace(row.rollout, uid=Uid(str(number)), phase=phase, started=started)
        queue = row.queue and msgspec.structs.replace(row.queue, position=position)
        made.append(msgspec.structs.replace(row, rollout=rollout, finished=finished, queue=queue))
    for sort in Sort:
        wanted = sorted(made, key=lambda row: (list(Group).index(group_of(row)), facts(row, sort), row.rollout.uid))
        assert uids(arrange(made, Wish(sort=sort))) == [row.rollout.uid for row in wanted]


def facts(row: Row, sort: Sort) -> tuple[float | str, ...]:
    """Where a row stands in its group, the smallest first."""
    group, name = group_of(row), row.rollout.key
    since = row.flag.since if row.flag else row.rollout.started or row.finished or 0.0
    if sort is Sort.NAME:
        return (name,)
    if sort is Sort.SCORE:
        score = row.verdict.score if row.verdict else None
        return (1.0 if score is None else -score, name)
    if sort is Sort.AGE:
        return (since, name)
    if group is Group.QUEUED and row.queue is not None:
        return (list(Lane).index(row.queue.lane), row.queue.position, name)
    return (-row.severity, -(row.finished or 0.0) if group is Group.DONE else since, name)


def test_the_header_counts_the_groups_of_the_list() -> None:
    listed = {entry.group: entry.count for entry in arrange(all_rows(), Wish()) if isinstance(entry, Heading)}
    counted = Counter[Group]()
    for kind, number in counts(all_rows()).items():
        counted[kind.group] += number
    assert counted == listed
    words = "".join(piece.text for piece in tally(counts(all_rows()), "; "))
    assert words == ("!! 3 need you (1 critical); o 5 moving (1 watch, 1 unknown); . 2 queued; ok 5 done (1 watch); ")


def test_nobody_needed_is_said_and_empty_groups_are_not() -> None:
    assert "".join(piece.text for piece in tally(Counter(), "")) == "! 0 need you"


@pytest.mark.parametrize("cells", range(40, 140, 5))
def test_the_tally_fits_and_never_loses_a_number(cells: int) -> None:
    text = fitting_tally(counts(all_rows()), cells).text.rstrip()
    assert len(text) <= cells
    assert [word for word in text.replace("(", " ").split() if word in ["3", "5", "2"]][:4] == ["3", "5", "2", "5"]


def test_a_row_in_the_queue_is_queued_however_its_engine_calls_it() -> None:
    assert {row.severity for row in queued(NOW)} == {Severity.QUEUED}


def state_of(row: Row) -> str:
    return rows.state(row, NOW)


def test_a_flagged_row_says_why_in_its_state() -> None:
    assert [state_of(row) for row in needing(NOW)] == ["due, frozen", "undecided", "no data"]


def test_plain_text_has_one_line_a_rollout_and_no_blank_cells() -> None:
    lines = plain_board(room(), all_rows(), NOW, wide=True).splitlines()
    assert len(lines) == 2 + len(all_rows())
    assert lines[1].split()[:4] == ["MARK", "NAME", "NAMESPACE", "STEP"]
    assert all(len(line.split()) >= 14 for line in lines[2:])
    assert all(len(line.split()) == 10 for line in plain_board(room(), all_rows(), NOW, wide=False).splitlines()[1:])


def test_plain_text_of_a_feed_that_anybody_may_have_made_is_harmless() -> None:
    rows, around = hostile(all_rows()), room(NOW, context="c\x1b[2J\nflagged  none")
    texts = [plain_board(around, rows, NOW, wide=True), plain_queue(around, rows, NOW)]
    texts += [plain_row(around, row, NOW) for row in rows]
    assert len(texts[0].splitlines()) == 2 + len(rows)
    assert all(line.isprintable() for text in texts for line in text.split("\n"))


def test_plain_row_tells_of_pods_and_analysis_runs() -> None:
    assert "pod       canary fraud-scorer-7d4f9b6c5d-x2k4p  4 restarts" in plain_row(room(), needing(NOW)[2], NOW)
    assert "analysis  Inconclusive of this step, ledger-writer" in plain_row(room(), needing(NOW)[1], NOW)


def test_plain_row_tells_all() -> None:
    text = plain_row(room(), needing(NOW)[0], NOW)
    for words in ("payments/checkout-api", "!! critical", "4/7", "p99 1.9 s against 0.4 s", "goes on to step 5/7"):
        assert words in text
