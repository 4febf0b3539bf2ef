"""Cutting a body into events, whatever the pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.errors import Unreachable, UsageError
from opsroom.feed.address import Address, parse
from opsroom.feed.frames import Beat, beat, event, read_beat
from opsroom.feed.stream import EventReader

payloads = st.lists(st.binary(min_size=1, max_size=20).filter(lambda b: b"\n" not in b and not b.startswith(b" ")))


@given(payloads, st.lists(st.integers(1, 9), min_size=1))
def test_events_come_out_whole_however_they_are_cut(payload: list[bytes], cuts: list[int]) -> None:
    body = b"".join(event(data) for data in payload)
    reader, found, at, turn = EventReader(), list[bytes](), 0, 0
    while at < len(body):
        size = cuts[turn % len(cuts)]
        found += [data for data, _ in reader.push(body[at : at + size])]
        at, turn = at + size, turn + 1
    assert found == payload


@given(st.lists(st.binary(max_size=50)))
def test_garbage_never_breaks_the_reader(pieces: list[bytes]) -> None:
    reader = EventReader()
    for piece in pieces:
        reader.push(piece)


def test_an_endless_event_is_refused() -> None:
    reader = EventReader(limit=100)
    with pytest.raises(Unreachable, match="event of more than"):
        reader.push(b"data: " + b"x" * 200)
    assert reader.push(event(b"{}")) == [(b"{}", b"")]


def test_a_beat_travels_in_a_comment() -> None:
    ((data, comment),) = EventReader().push(beat(1234.5, 1233.0))
    assert data == b""
    assert read_beat(comment) == Beat(at=1234.5, looked=1233.0)


@pytest.mark.parametrize("comment", [b"", b"at", b"at x y", b"at 1 2 3", b"at nan 1", b"at 1 inf", b"\xff\xfe 1 2"])
def test_other_comments_are_no_beats(comment: bytes) -> None:
    assert read_beat(comment) is None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("unix:/run/a.sock", Address(path="/run/a.sock")),
        ("127.0.0.1:8080", Address(host="127.0.0.1", port=8080)),
        ("https://feed.example", Address(host="feed.example", port=443, tls=True)),
        ("http://[::1]:9/base/", Address(host="::1", port=9, prefix="/base")),
    ],
)
def test_addresses_are_read_and_printed_alike(text: str, want: Address) -> None:
    assert parse(text) == want
    assert parse(str(want)) == want


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix:",
        "unix:relative",
        "unix:/" + "x" * 200,
        "host",
        "ftp://x:1",
        "h:99999",
        "h:x",
        "h..x:1",
        "x" * 64 + ":1",
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["http://u:hunter2@h:1", "https://hunter2@h", "http://u:hunter2@h:99999", "u:hunter2@h:1"]
)
def test_an_address_with_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="no user and no password") as refused:
        parse(text)
    assert "hunter2" not in str(refused.value)


def test_loopback_is_known() -> None:
    assert [parse(a).loopback for a in ("unix:/a", "localhost:1", "127.0.0.9:1", "[::1]:1", "10.0.0.1:1", "h:1")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
