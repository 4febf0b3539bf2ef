"""Foreign text after ``clean`` is one harmless line, whatever it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.clean import LINE_LIMIT, clean

ANY = st.text(alphabet=st.characters(codec=None), max_size=200)


@given(ANY)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    line = clean(text)
    assert all(unicodedata.category(char) not in ("Cc", "Cs", "Cf", "Co") for char in line)
    assert "\n" not in line
    assert len(line) <= LINE_LIMIT


@given(ANY)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz-./0123456789", max_size=60))
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b]52;c;cm0gLXJm\x07name", "]52;c;cm0gLXJm name"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("gpj.exe\u202etxt", "gpj.exe txt"),
        ("a\u0301\u0301\u0301\u0301\u0301b", "á\u0301\u0301b"),
        (None, ""),
        (12, "12"),
        ("[/", "[/"),
    ],
)
def test_known_attacks(text: object, line: str) -> None:
    assert clean(text) == line


def test_a_megabyte_is_cut() -> None:
    line = clean("é" * 1_000_000)
    assert len(line) == LINE_LIMIT
    assert line.endswith("…")
