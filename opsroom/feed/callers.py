"""Who is at the other end of a connection to a door, and how long it may stay there.

Strangers, callers that say or take nothing, and those that are too many are let go, so that nobody can use up the
file descriptors that the worker needs for the cluster. It must not know what is served.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from opsroom.feed.peers import peer_groups, peer_uid

HEAD_SECONDS = 10.0
"""Between two looks at a connection; who asked for nothing in between, and is owed nothing, is let go."""

STILL_LOOKS = 6
"""Looks in a row at which a caller has taken nothing of what waits for it, after which it is let go."""

CONNECTIONS_MAX = 400
"""Twice the viewers; more would use up the file descriptors that the worker needs for the cluster."""


class Guarded(H11Protocol):
    """Ends connections of strangers, of callers that say or take nothing, and those that are too many."""

    uids: frozenset[int] = frozenset()
    """Whom a unix socket serves."""
    gid: int | None = None
    """A group that it serves besides."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        stranger = sock is not None and sock.family == socket.AF_UNIX and not self._known(sock)
        if stranger or len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self.loop.call_later(HEAD_SECONDS, self._look, transport, None, 0, 0)

    def send_400_response(self, msg: str) -> None:
        """Refuse garbage; where it follows a request that is being answered, that answer ends.

        uvicorn would let both answers stumble over one another, with a traceback in the log each time.
        """
        asked: object = self.cycle
        if asked is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            # No such answer may follow what was asked (the body of an answer to HEAD).
            self.transport.close()

    def _known(self, sock: Any) -> bool:
        uid = peer_uid(sock)
        if uid is None or uid in self.uids:
            return True
        return self.gid is not None and self.gid in peer_groups(sock)

    def _look(self, transport: asyncio.Transport, former: object, owed: int, still: int) -> None:
        """``former`` request, bytes ``owed`` and looks that it stood ``still`` are those of the look before."""
        if self not in self.connections:
            return
        # uvicorn leaves ``cycle`` None until the first request's head has come, whatever its annotation says.
        asked: object = self.cycle
        waiting = transport.get_write_buffer_size()
        still = still + 1 if waiting and waiting >= owed > 0 else 0
        idle = not waiting and asked is former and (asked is None or self.cycle.response_complete)
        if idle or still >= STILL_LOOKS:
            transport.abort()
            return
        self.loop.call_later(HEAD_SECONDS, self._look, transport, asked, waiting, still)
