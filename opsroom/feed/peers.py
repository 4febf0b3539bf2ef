"""Who is at the other end of a unix socket, as the kernel tells it (unix(7)).

``SO_PEERCRED`` gives the user; ``SO_PEERGROUPS`` (Linux 4.13) all groups the caller had when it connected. A mode of
the socket file alone would let in whoever can open a wrongly set folder.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

_PEERGROUPS = 59
"""``SO_PEERGROUPS`` of asm-generic/socket.h; Python has no name for it."""

BYTES = 1024
"""Python asks for no more: 256 groups."""


def peer_uid(sock: Any) -> int | None:
    """The user at the other end; None where the system cannot tell (then the socket's mode must do)."""
    told = _credentials(sock)
    return None if told is None else told[1]


def peer_groups(sock: Any) -> frozenset[int]:
    """All groups of the caller; empty where the system cannot tell."""
    told = _credentials(sock)
    if told is None:
        return frozenset()
    size = struct.calcsize("I")
    try:
        more = sock.getsockopt(socket.SOL_SOCKET, _PEERGROUPS, BYTES)
    except OSError:
        # An older kernel, or more groups than fit: the caller's own group must do.
        more = b""
    return frozenset((told[2], *struct.unpack(f"{len(more) // size}I", more)))


def _credentials(sock: Any) -> tuple[int, int, int] | None:
    """(pid, uid, gid)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid, uid, gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return int(pid), int(uid), int(gid)
