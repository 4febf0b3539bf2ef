"""TLS for a door that strangers may knock at: no more than so many handshakes at once, and none for long.

A caller that has not ended its handshake is no connection yet for the HTTP server, which would count and watch it; so
whoever only opens sockets could use up the worker's file descriptors. A certificate that is renewed on the disk is
served from the next handshake on. It must not know what is served.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import time
import weakref
from collections import deque

HANDSHAKE_SECONDS = 10.0
HANDSHAKES_MAX = 100


class _Refused(ssl.SSLObject):
    """One too many: asyncio closes the connection at its first step."""

    def do_handshake(self) -> None:
        raise ssl.SSLError("too many handshakes at once")


class Handshakes(ssl.SSLContext):
    """A server's side of TLS that refuses to begin another handshake while too many are unfinished."""

    def __new__(cls, certificate: str, key: str) -> Handshakes:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, certificate: str, key: str) -> None:
        """With a certificate and its key from files.

        Raises:
            OSError: they cannot be read, or are none (ssl.SSLError is one).
        """
        self._files = certificate, key
        self._read = _changed(certificate)
        self._begun: deque[tuple[float, weakref.ref[ssl.SSLObject]]] = deque()
        self.load_cert_chain(certificate, key)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Called by asyncio once for each connection that was accepted."""
        now = time.monotonic()
        while self._begun and (now - self._begun[0][0] > HANDSHAKE_SECONDS or _over(self._begun[0][1])):
            self._begun.popleft()
        many = sum(not _over(one) for _, one in self._begun) >= HANDSHAKES_MAX
        self.sslobject_class = _Refused if many else ssl.SSLObject
        self._renew()
        found = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if not many:
            self._begun.append((now, weakref.ref(found)))
        return found

    def _renew(self) -> None:
        """Read the certificate again where it was replaced; one that is half-written leaves the former one."""
        with contextlib.suppress(OSError):
            changed = _changed(self._files[0])
            if changed != self._read:
                self.load_cert_chain(*self._files)
                self._read = changed


def _changed(file: str) -> int:
    return os.stat(file).st_mtime_ns


def _over(begun: weakref.ref[ssl.SSLObject]) -> bool:
    """Whether that handshake has ended, well or not; a TLS version is agreed on at its end."""
    found = begun()
    return found is None or found.version() is not None
