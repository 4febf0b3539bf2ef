"""Sparklines and charts: fixed scales, gaps kept, cells that do not change once drawn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.series import Metric, Series
from opsroom.view.chart import AXIS, Box, ceiling, chart
from opsroom.view.spark import Graphs, buckets, draw, level, spark
from tests.ui.scenes import NOW, metrics

VALUES = st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=1e6)), max_size=80)


def test_levels_are_those_of_the_metric_not_of_the_row() -> None:
    assert level("error_rate", 0.0, None) == 0.0
    assert level("error_rate", 0.1, None) == 1.0
    assert level("error_rate", 0.005, None) > 0.2
    assert level("latency_p99", 200.0, 200.0) == 0.25
    assert level("latency_p99", 20.0, 20.0) == 0.25
    assert level("latency_p99", 1600.0, 200.0) == 1.0


def test_gaps_are_blanks() -> None:
    assert draw([0.1, None, None, 0.1, None, None], Graphs.BRAILLE) == "⡀⢀ "
    assert draw([0.0, None, 1.0], Graphs.ASCII) == ". #"
    assert draw([0.0, None, 1.0], Graphs.BLOCK) == "▁ █"


@given(VALUES, st.integers(min_value=1, max_value=40), st.sampled_from(list(Graphs)))
def test_a_sparkline_has_exactly_its_cells(values: list[float | None], cells: int, graphs: Graphs) -> None:
    series = Series(1000.0, 10.0, tuple(values))
    assert len(spark("latency_p99", series, series, cells, graphs)) == cells


def test_old_cells_stay_as_they_were_when_time_goes_on() -> None:
    course = [0.001 * (at % 17) for at in range(200)]

    def at(end: int) -> str:
        series = Series(end * 10.0, 10.0, tuple(course[end - 60 : end]))
        return spark("error_rate", series, series, 15, Graphs.BRAILLE)

    assert at(104)[1:] == at(108)[:-1]


def test_buckets_are_means_on_the_wall_clock() -> None:
    values, seconds = buckets(Series(70.0, 10.0, (1.0, 3.0, 5.0, None)), 2)
    assert seconds == 20.0
    assert values == [2.0, 5.0]


@pytest.mark.parametrize(("most", "top"), [(0.5, 0.5), (1.9, 2.0), (2.1, 3.0), (7.1, 8.0), (101.0, 150.0), (0.0, 1e-9)])
def test_axes_end_at_round_numbers(most: float, top: float) -> None:
    assert math.isclose(ceiling("latency_p99", [most]), top)


@given(VALUES, VALUES, st.integers(min_value=20, max_value=120), st.integers(min_value=2, max_value=12))
def test_a_chart_fills_its_box_whatever_the_values(
    canary: list[float | None], baseline: list[float | None], cells: int, rows: int
) -> None:
    metric = Metric(
        name="latency_p99", canary=Series(500.0, 10.0, tuple(canary)), baseline=Series(500.0, 10.0, tuple(baseline))
    )
    for graphs in Graphs:
        lines = chart(metric, Box(cells, rows, graphs), stands_out=False)
        assert len(lines) == rows + 1
        assert all(line.width <= cells for line in lines)


def test_canary_and_baseline_can_be_told_apart_without_colour() -> None:
    flat = Series(600.0, 10.0, (100.0,) * 60)
    high = Series(600.0, 10.0, (300.0,) * 60)
    lines = chart(Metric(name="latency_p99", canary=high, baseline=flat), Box(48, 6, Graphs.BRAILLE), stands_out=True)
    solid, dotted = (
        lines[1].text.rstrip()[AXIS:],
        next(line.text[AXIS:] for line in lines[3:] if line.text[AXIS:].strip()),
    )
    assert len(set(solid)) == 1
    assert all(bin(ord(cell) - 0x2800).count("1") == 1 for cell in dotted.strip())
    assert all(bin(ord(cell) - 0x2800).count("1") == 2 for cell in solid)


def test_blocks_are_drawn_with_block_glyphs_only() -> None:
    metric = metrics("checkout-api", NOW, "errors gap")[0]
    plot = "".join(line.text[AXIS:] for line in chart(metric, Box(60, 8, Graphs.BLOCK), stands_out=True)[1:])
    assert set(plot) - {" "} <= {chr(code) for code in range(0x2580, 0x25A0)}
    assert len(set(plot)) > 4


@pytest.mark.parametrize("graphs", list(Graphs))
@pytest.mark.parametrize("values", [8, 23, 60])
def test_a_young_canary_has_the_whole_width(graphs: Graphs, values: int) -> None:
    course = (None,) * (60 - values) + tuple(100.0 + at for at in range(values))
    metric = Metric(name="latency_p99", canary=Series(600.0, 10.0, course), baseline=Series(600.0, 10.0, (None,) * 60))
    drawn = [line.text[AXIS:].rstrip() for line in chart(metric, Box(60, 6, graphs), stands_out=False)[1:]]
    columns = {at for text in drawn for at, sign in enumerate(text) if sign != " "}
    assert len(columns) >= 49
    assert {0, 50} <= columns


def test_the_score_stands_between_its_two_thresholds() -> None:
    score = Metric(name="score", canary=Series(600.0, 10.0, (0.5, 0.9)), baseline=Series(600.0, 10.0, ()))
    title, top, *_, bottom = chart(score, Box(80, 8, Graphs.BRAILLE), stands_out=False)
    assert "watched on from 0.20 to 0.80" in title.text
    grounds = [{piece.ground for piece in each.pieces[1:]} for each in (top, bottom)]
    assert grounds == [{None}, {None}]


@pytest.mark.parametrize(("most", "top"), [(150 * 2**20, 150 * 2**20), (151 * 2**20, 200 * 2**20), (900.0, 1000.0)])
def test_the_axis_of_memory_ends_at_a_round_number_of_its_unit(most: float, top: float) -> None:
    assert math.isclose(ceiling("memory_bytes", [most]), top)
