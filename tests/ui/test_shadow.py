"""Whatever is written, the difference leaves a terminal as the whole text would have left it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.ui.sgr import transition
from opsroom.ui.shadow import Shadow

WIDE, HIGH = 24, 5
STYLES = ["", "1", "7", "3;38;2;1;2;3", "1;38;2;9;9;9;48;2;4;5;6", "31", "1;31;44", "48;5;17", "4;96"]
WRITES = st.lists(
    st.tuples(
        st.integers(0, WIDE - 1),
        st.integers(0, HIGH - 1),
        st.text(alphabet="ab ⣀⣿", min_size=1, max_size=12),
        st.sampled_from(STYLES),
    ),
    min_size=1,
    max_size=12,
)


def sequence(x: int, y: int, text: str, style: str) -> str:
    room = text[: WIDE - x]
    return f"\x1b[{y + 1};{x + 1}H\x1b[{style}m{room}\x1b[0m" if style else f"\x1b[{y + 1};{x + 1}H{room}"


def screen() -> tuple[pyte.Screen, pyte.Stream]:
    made = pyte.Screen(WIDE, HIGH)
    return made, pyte.Stream(made)


def cells(of: pyte.Screen) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for y in range(HIGH):
        for x in range(WIDE):
            cell = of.buffer[y][x]
            seen = cell.data != " " or cell.reverse or cell.underscore
            found.append(
                (cell.data, cell.bg, cell.reverse, cell.underscore, seen and (cell.fg, cell.bold, cell.italics))
            )
    return found


@settings(max_examples=150)
@given(st.lists(WRITES, min_size=1, max_size=5))
def test_differences_add_up_to_what_was_written(frames: list[list[tuple[int, int, str, str]]]) -> None:
    whole, whole_stream = screen()
    ours, our_stream = screen()
    shadow = Shadow(WIDE, HIGH)
    for frame in frames:
        text = "".join(sequence(*write) for write in frame)
        whole_stream.feed(text)
        assert shadow.read(text) == []
        our_stream.feed(shadow.difference())
        assert cells(ours) == cells(whole)


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mab\x1b[2;3Hcd\x1b[0mef",
        "\x1b[31mab\x1b[0m\x1b[1;44mcd\x1b[2;1Hxy\x1b[0mef",
        "\x1b[31mab\x1b[0m\x1b[mcd\ref\x1b[0mgh",
        "\x1b[0mab\x1b[0mcd\x1b[7m\x1b[0mef",
    ],
)
def test_a_style_lasts_until_the_next(text: str) -> None:
    whole, whole_stream = screen()
    ours, our_stream = screen()
    shadow = Shadow(WIDE, HIGH)
    whole_stream.feed("\x1b[1;1H" + text.replace("\r", ""))
    shadow.read("\x1b[1;1H" + text)
    our_stream.feed(shadow.difference())
    assert cells(ours) == cells(whole)


def test_the_same_picture_again_sends_nothing() -> None:
    shadow = Shadow(WIDE, HIGH)
    text = sequence(0, 0, "abc", "31") + sequence(2, 2, "b", "")
    shadow.read(text)
    assert shadow.difference()
    shadow.read(text)
    assert shadow.difference() == ""


def test_one_changed_cell_sends_one_cell() -> None:
    shadow = Shadow(WIDE, HIGH)
    home = "\x1b[1;1H"
    shadow.read(sequence(0, 0, "ok", "31") + sequence(0, 1, "p99 1.9 s against", "31") + home)
    shadow.difference()
    shadow.read(sequence(0, 1, "p99 1.8 s against", "31") + home)
    assert shadow.difference() == "\x1b[2;7H8"


def test_wide_glyphs_keep_their_neighbours_in_place() -> None:
    shadow = Shadow(WIDE, HIGH)
    ours, stream = screen()
    for text in ("決済-api", "決x-api", "ab済-api"):
        shadow.read(sequence(0, 0, text + " " * 6, ""))
        stream.feed(shadow.difference())
        assert ours.display[0].rstrip() == text


def test_control_sequences_are_handed_on() -> None:
    shadow = Shadow(WIDE, HIGH)
    controls = ["\x1b[?1049h", "\x1b[>31u", "\x1b]52;c;aGk=\x07", "\x07"]
    assert shadow.read(controls[0] + "\x1b[1;1Hab" + "".join(controls[1:])) == controls


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("", "31", "\x1b[31m"),
        ("31", "", "\x1b[m"),
        ("1;31", "31", "\x1b[22m"),
        ("1;38;2;1;2;3", "1;38;2;1;2;4", "\x1b[38;2;1;2;4m"),
        ("31;44", "31", "\x1b[49m"),
        ("1;31", "2;31", "\x1b[22;2m"),
    ],
)
def test_a_change_of_style_is_as_short_as_it_can_be(old: str, new: str, text: str) -> None:
    assert transition(old, new) == text
