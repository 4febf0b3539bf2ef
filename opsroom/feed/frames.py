"""The frames of the feed: what one server-sent event holds, and how it is encoded.

``Hello`` comes first and names the protocol. Then a ``Picture`` (everything), then ``Delta`` frames (what changed
since the sequence that this viewer has seen). Large frames travel in parts (``more``), so that no decoding takes
long; a viewer shows them when the last part has come. Comments are beats: they carry the worker's clock, so that
the age of the feed is true even while nothing changes.
Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import math

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

BREATH_SECONDS = 0.004
"""Between the parts of a large picture, for a key that came meanwhile: it takes many turns of the loop to be drawn."""

EVENT_LIMIT = 16 * 1024 * 1024
"""Bytes of one event; a longer one is not ours."""

BEAT_SECONDS = 2.0
"""A viewer hears a frame or a beat at least this often."""


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

_DECODER: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_ENCODER = msgspec.json.Encoder()


def encode(frame: msgspec.Struct) -> bytes:
    """One frame as JSON on one line."""
    return _ENCODER.encode(frame)


def decode(data: bytes) -> Frame:
    """Read one frame.

    Raises:
        Unreachable: what came is no frame of ours, or of another protocol.
    """
    try:
        frame = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(
            f"the feed sent something that is not a frame ({clean(error, 200)})", "Is the address right?"
        ) from error
    if isinstance(frame, Hello) and frame.protocol != PROTOCOL:
        other = f"protocol {frame.protocol} (opsroom {clean(frame.version, 20) or '?'})"
        raise Unreachable(
            f"the feed speaks {other}, this opsroom {PROTOCOL}",
            "Use the same version on both sides",
        )
    return frame


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
