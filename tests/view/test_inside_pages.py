"""Logs stand side by side where there is room; YAML says what JSON would, one scalar a line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.pod_logs import LogLine, PodLogs, Side
from opsroom.view.inside_pages import logs_answer, manifest_lines, plain_logs
from opsroom.view.line import Role
from opsroom.view.yaml_text import yaml_text


def said(pod: str, second: int, text: str) -> LogLine:
    return LogLine(at=f"2026-08-05T12:04:{second:02}.5Z", pod=pod, text=text)


LOGS = PodLogs(
    canary=Side(
        version="v2", pods=("cart-7d-aaaaa", "cart-7d-bbbbb"), lines=(said("cart-7d-aaaaa", 1, "timeout " * 30),)
    ),
    stable=Side(
        version="v1",
        pods=("cart-66-ccccc",),
        more=6,
        lines=tuple(said("cart-66-ccccc", at, "ok") for at in range(9)),
    ),
)


def texts(cells: int, logs: PodLogs = LOGS) -> list[str]:
    answer = logs_answer(logs, cells)
    lines = [*answer.heads, *answer.lines]
    assert all(line.width <= cells for line in lines)
    return ["".join(piece.text for piece in line.pieces) for line in lines]


def test_wide_screens_have_both_sides_in_one_line_ending_together() -> None:
    lines = texts(140)
    assert "canary v2" in lines[0]
    assert "stable v1" in lines[0]
    assert "1 pod of 7" in lines[0]
    assert lines[-1].rstrip().endswith("12:04:08 ok")
    assert "timeout" in lines[-1]


def test_narrow_screens_have_the_canary_first() -> None:
    lines = texts(80)
    assert lines[0].startswith("  canary v2")
    assert any(line.startswith("  stable v1") for line in lines)
    assert "aaaaa timeout" in lines[1]


def test_a_time_that_the_program_wrote_itself_is_not_shown_twice() -> None:
    side = Side(version="v2", pods=("p",), lines=(said("p", 1, "2026-08-05T12:04:01.714Z INFO GET /"),))
    assert texts(80, PodLogs(canary=side))[1] == " canary 12:04:01 INFO GET /"


def test_every_line_of_a_narrow_screen_says_whose_it_is() -> None:
    said_by = [line.split()[0] for line in texts(80) if "12:04:" in line]
    assert said_by == ["canary", *["stable"] * 9]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("ERROR GET /api 500", Role.FLAGGED),
        ('{"level":"error","msg":"refused"}', Role.FLAGGED),
        ("level=warn msg=slow", Role.WATCH),
        ("WARNING: pool is nearly empty", Role.WATCH),
        ("INFO ERROR_RATE is 0", Role.TEXT),
        ("INFO no terror here", Role.TEXT),
    ],
)
def test_errors_stand_out_by_the_programs_own_word(text: str, role: Role) -> None:
    side = Side(version="v2", pods=("p",), lines=(said("p", 1, text),))
    assert logs_answer(PodLogs(canary=side), 140).lines[0].pieces[2].role is role


def test_a_side_that_is_not_there_or_not_allowed_says_so() -> None:
    lines = texts(140, PodLogs(stable=Side(version="v1", error="pods/log is forbidden")))
    assert "canary: there is none now" in lines[0]
    assert any("forbidden" in line for line in lines)
    assert plain_logs(PodLogs(stable=Side(version="v1", error="no"))) == "stable v1: no"


ODD = ["yes", "1e3", "0x1f", "~", "-", "=", "2026-08-05", "null", "NaN", ".5", "_1", "/x", "1:2", "y", "N"]
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff\ufeff"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | WORDS | st.sampled_from([*ODD, "- a", "a: b", "a #b"])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=12
)


@given(TREES)
def test_yaml_means_the_same(tree: Any) -> None:
    assert yaml.safe_load(yaml_text(tree)) == tree


def test_keys_stand_out_and_long_lines_are_cut() -> None:
    lines = manifest_lines(yaml_text({"spec": {"image": "x" * 300, "env": [{"name": "A"}]}}), 60)
    assert all(line.width <= 60 for line in lines)
    assert lines[0].pieces[0].text == "    spec:"


@pytest.mark.parametrize("tree", [{}, [], {"a": []}, {"a": {}}, [[]], [[1, [2]]], {"a": [{"b": [1]}, {"c": 2}]}])
def test_corners(tree: Any) -> None:
    assert yaml.safe_load(yaml_text(tree)) == tree
