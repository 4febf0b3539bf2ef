"""Frames as tests want them: whole."""

from __future__ import annotations

from opsroom.feed.frames import Delta, Hello, Picture, decode, opened


def read(data: bytes) -> Hello | Picture | Delta:
    """One frame with all of its rows."""
    frame = decode(data)
    if isinstance(frame, Hello):
        return frame
    (whole,) = opened(frame, most=1_000_000)
    return whole
