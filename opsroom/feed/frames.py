"""The frames of the feed: what one server-sent event holds, and how it is encoded.

``Hello`` comes first and names the protocol. Then a ``Picture`` (everything), then ``Delta`` frames (what changed
since the sequence that this viewer has seen). Large frames travel in parts (``more``), so that no decoding takes
long; a viewer shows them when the last part has come. Comments are beats: they carry the worker's clock, so that
the age of the feed is true even while nothing changes.
Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from opsroom.domain.board import Room, Row
from opsroom.domain.clean import clean
from opsroom.domain.rollout import Uid
from opsroom.errors import Unreachable
from opsroom.feed.change import RowChange

PROTOCOL = 1
"""Raised by any change that an older viewer would misread; new optional fields do not need it."""

PART_ROWS = 100
"""Rows in one part: half a megabyte and 5 ms of decoding at most; more than a screen shows."""

NAMESPACE = "namespace"
"""Query parameter, repeatable: the caller wants to see no more than these."""

PIECE_ROWS = 20
"""Rows that a viewer reads at once: a millisecond, and no more of them stand decoded in its memory together."""

WORK_SECONDS = 0.002
"""After so long a viewer that makes a large change takes breath."""

BREATH_SECONDS = 0.004
"""For a key that came meanwhile: it takes many turns of the loop to be drawn."""

EVENT_LIMIT = 16 * 1024 * 1024
"""Bytes of one event; a longer one is not ours."""

BEAT_SECONDS = 2.0
"""A viewer hears a frame or a beat at least this often."""


class NoFrame(Unreachable):
    """What came is no frame as this version knows them."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """First event of every stream."""

    protocol: int = PROTOCOL
    version: str = ""
    """The worker's version of opsroom."""
    beat: float = BEAT_SECONDS


class Picture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="picture"):
    """Everything there is at one sequence."""

    seq: int
    room: Room
    rows: tuple[Row, ...] = ()
    more: bool = False
    """Another part of the same picture follows."""


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="delta"):
    """What changed between ``since`` and ``seq``."""

    seq: int
    since: int
    room: Room
    rows: tuple[Row, ...] = ()
    changes: tuple[RowChange, ...] = ()
    """Rows of which only some fields changed; they rest on the row as it was at ``since``."""
    gone: tuple[Uid, ...] = ()
    more: bool = False


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """The worker is alive: its clock, and when its last picture was made (both epoch seconds)."""

    at: float
    looked: float


Frame = Hello | Picture | Delta


class SealedPicture(Picture, frozen=True, kw_only=True, tag="picture"):
    """A ``Picture`` as it came: none of its rows is read yet."""

    rows: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]


class SealedDelta(Delta, frozen=True, kw_only=True, tag="delta"):
    """A ``Delta`` as it came: none of its rows and changes is read yet."""

    rows: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]
    changes: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]


Sealed = SealedPicture | SealedDelta

_DECODER: msgspec.json.Decoder[Hello | Sealed] = msgspec.json.Decoder(Hello | Sealed)
_ROW = msgspec.json.Decoder(Row)
_CHANGE = msgspec.json.Decoder(RowChange)
_ENCODER = msgspec.json.Encoder()
_NUMBERS = msgspec.msgpack.Encoder()


def encode(frame: msgspec.Struct) -> bytes:
    """One frame as JSON on one line."""
    return _ENCODER.encode(frame)


def decode(data: bytes) -> Hello | Sealed:
    """Read one frame, but for its rows.

    Raises:
        NoFrame: what came is no frame of ours. Unreachable: it is of another protocol.
    """
    with ours("the feed sent something that is not a frame"):
        frame = _DECODER.decode(data)
    if isinstance(frame, Hello) and frame.protocol != PROTOCOL:
        other = f"protocol {frame.protocol} (opsroom {clean(frame.version, 20) or '?'})"
        raise Unreachable(
            f"the feed speaks {other}, this opsroom {PROTOCOL}",
            "Use the same version on both sides",
        )
    return frame


def opened(sealed: Sealed, most: int = PIECE_ROWS) -> Iterator[Picture | Delta]:
    """The frame in parts of at most ``most`` rows and changes, each read when it is taken.

    Raises:
        NoFrame: a row is none.
    """
    rows, changes = sealed.rows, sealed.changes if isinstance(sealed, SealedDelta) else ()
    number = len(rows) + len(changes)
    for start in range(0, max(1, number), most):
        more = sealed.more or start + most < number
        with ours("the feed sent something that is not a frame"):
            some = tuple(map(_ROW.decode, rows[start : start + most]))
            few = tuple(map(_CHANGE.decode, changes[max(0, start - len(rows)) : max(0, start + most - len(rows))]))
            bounded((None if start else sealed.room, some, few))
        if isinstance(sealed, SealedPicture):
            yield Picture(seq=sealed.seq, room=sealed.room, rows=some, more=more)
            continue
        gone = () if start else sealed.gone
        yield Delta(seq=sealed.seq, since=sealed.since, room=sealed.room, rows=some, changes=few, gone=gone, more=more)


def bounded(decoded: object) -> None:
    """Refuse whole numbers of more than 64 bits: JSON has them, and they would only be found when they are drawn.

    Raises:
        OverflowError: there is one.
    """
    _NUMBERS.encode(decoded)  # MessagePack has none


@contextmanager
def ours(otherwise: str) -> Iterator[None]:
    """Read what should be a frame; ``otherwise`` is said of what is none (NoFrame)."""
    try:
        yield
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise NoFrame(f"{otherwise} ({clean(error, 200)})", "Is the address right?") from error


def event(data: bytes) -> bytes:
    """Wrap one encoded frame as a server-sent event."""
    return b"data: " + data + b"\n\n"


def beat(at: float, looked: float) -> bytes:
    """A comment that carries the worker's clock and the time of its last picture."""
    return f": at {at:.3f} {looked:.3f}\n\n".encode()


def read_beat(comment: bytes) -> Beat | None:
    """The beat in a comment's text (after the colon); None for any other comment."""
    words = comment.split()
    if len(words) != 3 or words[0] != b"at":
        return None
    try:
        at, looked = float(words[1]), float(words[2])
    except ValueError:
        return None
    return Beat(at=at, looked=looked) if math.isfinite(at) and math.isfinite(looked) else None
