"""Frames that were tampered with, cut, sent twice or out of order: a sentence or a picture, and never a crash.

Whatever is accepted can also be drawn: a recording may come from anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Room, Row
from opsroom.errors import Unreachable
from opsroom.feed.frames import Delta, Hello, Picture, beat, decode, encode, event, opened, read_beat
from opsroom.feed.published import Published, Viewer
from opsroom.feed.state import Board
from opsroom.feed.stream import EventReader
from tests.feed.drawing import draw
from tests.feed.mutations import changes, tampered
from tests.feed.reading import read
from tests.ui.scenes import NOW, all_rows, room

MakeRow = Callable[..., Row]


def conversation(make_row: MakeRow) -> list[bytes]:
    """Everything that a viewer hears: hello, a picture, changes of every kind, a beat."""
    published, seen, said = Published(), 0, [encode(Hello(version="9"))]
    looks = [{1: 0, 2: 0, 3: 0}, {1: 1, 2: 0, 3: 2}, {1: 1, 3: 3, 4: 0}, {4: 1}]
    for at, look in enumerate(looks):
        published.publish(Room(at=float(at), context="c"), [make_row(n, w, big=n == 1) for n, w in look.items()])
        said += published.frames_since(seen, Viewer())
        seen = published.seq
    return said


def hear(board: Board, body: bytes) -> None:
    """What the client does with a body. Raises Unreachable."""
    for data, comment in EventReader().push(body):
        if comment:
            heard = read_beat(comment)
            if heard is not None:
                board.hear(heard, 1.0)
            continue
        frame = decode(data)
        if not isinstance(frame, Hello):
            for part in opened(frame, most=2):
                board.apply(part, 1.0)


def body_of(frames: list[bytes]) -> bytes:
    return b"".join(event(frame) for frame in frames) + beat(4.0, 4.0)


order = st.lists(st.integers(0, 30), min_size=1, max_size=12)
cuts = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=4)), max_size=2)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(order, changes, cuts)
def test_a_tampered_conversation_is_refused_in_a_sentence_and_a_new_picture_heals_all(
    make_row: MakeRow, places: list[int], wishes: list[Any], cuts: list[tuple[int, bytes]]
) -> None:
    frames = conversation(make_row)
    said = [frames[place % len(frames)] if place < 24 else frames[0] for place in sorted(places, key=lambda p: p // 6)]
    documents = tampered([msgspec.json.decode(frame) for frame in said], wishes)
    body = body_of([msgspec.json.encode(document) for document in documents])
    for at, put in cuts:
        at %= len(body)
        body = body[:at] + put + body[at + len(put) + 1 :]
    board = Board()
    try:
        hear(board, body)
    except Unreachable as error:
        assert str(error).isprintable()  # noqa: PT017 - most conversations end here
    board.restart()
    hear(board, body_of(frames))
    assert set(board.rows) == {"uid-4"}
    assert board.rows["uid-4"] == make_row(4, 1)  # type: ignore[index]
    assert board.room == Room(at=3.0, context="c")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2), changes)
def test_whatever_a_feed_says_can_be_drawn_or_is_refused(which: int, wishes: list[Any]) -> None:
    rows = all_rows()
    picture = Picture(seq=1, room=room(), rows=(rows[which], rows[7 + which]))
    document = tampered(msgspec.json.decode(encode(picture)), wishes)
    board = Board()
    try:
        frame = read(msgspec.json.encode(document))
        assert isinstance(frame, Picture | Delta | Hello)
        if isinstance(frame, Hello) or not board.apply(frame, 0.0):
            return
    except Unreachable:
        return
    assert all(isinstance(text, str) for text in draw(board))


def test_no_time_of_any_clock_ends_a_screen() -> None:
    for at in (0.0, -1e12, 1e300, -1e300, 2.6e11, NOW):
        board = Board()
        board.apply(Picture(seq=1, room=room(at), rows=all_rows(at)[:2]), 0.0)
        assert all(isinstance(text, str) for text in draw(board)), at
