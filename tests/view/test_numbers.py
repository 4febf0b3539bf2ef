"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.view import numbers
from opsroom.view.cells import fit, width, wrap


@pytest.mark.parametrize(
    ("seconds", "short", "fine"),
    [
        (None, "-", "-"),
        (-3.0, "0s", "0s"),
        (0.0, "0s", "0s"),
        (59.9, "59s", "59s"),
        (60.0, "1m", "1m 00s"),
        (252.0, "4m", "4m 12s"),
        (7500.0, "2h", "2h 05m"),
        (90000.0, "1d", "1d 1h"),
    ],
)
def test_ages(seconds: float | None, short: str, fine: str) -> None:
    assert numbers.age(seconds) == short
    assert numbers.fine_age(seconds) == fine


@pytest.mark.parametrize(
    ("part", "text"),
    [(None, "-"), (0.0, "0.0%"), (0.0001, "<0.1%"), (0.003, "0.3%"), (0.0714, "7.1%"), (0.25, "25%"), (1.0, "100%")],
)
def test_percents(part: float | None, text: str) -> None:
    assert numbers.percent(part) == text


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [(38.2, None, "38 ms"), (1900.0, 412.0, "1.9 s"), (412.0, 1900.0, "0.4 s"), (412.0, None, "412 ms")],
)
def test_a_pair_of_times_has_one_unit(value: float, like: float | None, text: str) -> None:
    assert numbers.milliseconds(value, like) == text


@pytest.mark.parametrize(("seconds", "text"), [(48, "48 s"), (360, "6 min"), (7800, "2 h 10 min"), (90000, "25 h")])
def test_durations(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@given(st.text(max_size=40), st.integers(min_value=0, max_value=60), st.booleans())
def test_fit_takes_exactly_its_cells(text: str, cells: int, right: bool) -> None:
    assert width(fit(text, cells, right)) == cells


def test_wide_letters_are_cut_between_letters() -> None:
    assert fit("決済サービス", 7) == "決済.. "
    assert fit("checkout-api", 8) == "checko.."


@given(st.text(alphabet="ab ", max_size=80), st.integers(4, 30), st.integers(1, 4))
def test_wrapped_lines_fit(text: str, cells: int, most: int) -> None:
    lines = wrap(text, cells, most)
    assert len(lines) <= most
    assert all(width(line) <= cells for line in lines)
