"""Where a feed is: ``unix:PATH``, ``http://HOST:PORT``, ``https://HOST:PORT`` or plain ``HOST:PORT``.

Server and client read addresses here, so that what one prints the other takes.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from opsroom.errors import UsageError

UNIX_PATH_LIMIT = 107
"""Bytes in ``sun_path`` without its end mark (Linux, unix(7)); macOS has 103."""

_FIX = "Use unix:PATH, HOST:PORT or https://HOST:PORT"


class Address(msgspec.Struct, frozen=True):
    """One place to listen at or to call."""

    path: str = ""
    """Of the unix socket; empty for TCP."""
    host: str = ""
    port: int = 0
    tls: bool = False
    prefix: str = ""
    """Path before ``/feed``, for a feed behind a proxy."""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.prefix}"

    @property
    def loopback(self) -> bool:
        """Nobody outside this machine can reach it."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse(text: str) -> Address:
    """Read an address.

    Raises:
        UsageError: it is none.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path.startswith("/"):
            raise UsageError(f"{text!r} does not name an absolute path", _FIX)
        if len(path.encode(errors="surrogateescape")) > UNIX_PATH_LIMIT:
            raise UsageError(f"the socket path {path!r} is longer than {UNIX_PATH_LIMIT} bytes", "Use a shorter one")
        return Address(path=path)
    return _tcp(text)


def _tcp(text: str) -> Address:
    if "@" in text:
        raise UsageError("a feed's address names no user and no password", "Store a token with: opsroom login feed")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{text!r} is no feed address ({error})", _FIX) from error
    tls = parts.scheme == "https"
    named = all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))  # RFC 1035
    if parts.scheme not in ("http", "https") or not named or parts.query or parts.fragment:
        raise UsageError(f"{text!r} is no feed address", _FIX)
    if port is None:
        if "://" not in text:
            raise UsageError(f"{text!r} names no port", _FIX)
        port = 443 if tls else 80
    return Address(host=host, port=port, tls=tls, prefix=parts.path.rstrip("/"))
