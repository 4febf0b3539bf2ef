"""How the worker's feed is opened: for its user alone, for a group on this machine, or for the cluster.

Off loopback there must be a certificate and somebody who checks tokens; a group is for unix sockets only.
"""

from __future__ import annotations

import grp
from collections.abc import Callable, Iterable
from pathlib import Path

from opsroom.errors import ConfigError, UsageError
from opsroom.feed.address import parse
from opsroom.feed.listening import Door, listen
from opsroom.feed.server import FeedApp
from opsroom.kube.writer import Writer
from opsroom.worker.doorkeeper import Doorkeeper

CERTIFICATE, KEY = "tls.crt", "tls.key"
"""As in a Secret of type ``kubernetes.io/tls``."""


async def open_feed(
    app: FeedApp,
    where: str,
    *,
    group: str = "",
    tls: Path | None = None,
    read_only: bool = False,
    reviewer: Callable[[], Writer | None] = lambda: None,
    namespaces: Callable[[], Iterable[str]] = tuple,
) -> Door:
    """Open ``app`` at the address ``where``.

    Raises:
        UsageError: the options do not fit together. ConfigError: no such group, no certificate.
        ListenError: the place is taken or not ours.
    """
    address = parse(where)
    if group and not address.path:
        raise UsageError("--group is for a unix socket", "Use --listen unix:PATH, or --tls for a port")
    gid = _gid(group) if group else None
    if tls is None:
        if address.tls:
            raise UsageError(f"{where} needs a certificate", "Name its folder with --tls")
        return await listen(app, address, gid=gid)
    if address.path:
        raise UsageError("--tls is for a port", "Use --listen https://HOST:PORT")
    if read_only:
        raise UsageError("--tls needs to ask the API server about each token, and --read-only asks nothing")
    certificate, key = tls / CERTIFICATE, tls / KEY
    for file in (certificate, key):
        if not file.is_file():
            raise ConfigError(f"there is no {file}", "--tls names a folder with tls.crt and tls.key")
    app.authorize = Doorkeeper(reviewer, namespaces)
    return await listen(app, address, anywhere=True, certificate=(str(certificate), str(key)))


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"there is no group {group}", f"Make it: groupadd --system {group}") from None
