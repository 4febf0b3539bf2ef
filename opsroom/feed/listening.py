"""The door of the feed: a unix socket of this user's own, or a TCP port.

A unix socket is the embedded default: mode 0600 in a folder of our own (0660 and a group for a shared worker), and
the kernel tells who calls, so a wrong mode on a folder above does not open the feed to others. A TCP port stays on
loopback unless told otherwise, and off loopback it must have somebody who checks tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette

from opsroom.errors import OpsroomError, UsageError
from opsroom.feed.address import Address
from opsroom.feed.callers import Guarded
from opsroom.feed.handshakes import HANDSHAKE_SECONDS, Handshakes
from opsroom.feed.server import Authorize, everybody

HEAD_LIMIT = 64 * 1024


class ListenError(OpsroomError):
    """The feed cannot listen where it was told to."""


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers (the worker ends itself), and with a limit on the time of a handshake."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        config, limit = self.config, HANDSHAKE_SECONDS if self.config.ssl else None
        for sock in sockets or ():
            server = await asyncio.get_running_loop().create_server(
                self._connected, sock=sock, ssl=config.ssl, backlog=config.backlog, ssl_handshake_timeout=limit
            )
            self.servers.append(server)

    def _connected(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Served(Protocol):
    """What can be served at a door: the feed, or the gates."""

    local_names_only: bool
    closing: asyncio.Event

    @property
    def authorize(self) -> Authorize:
        """Who may come in."""
        ...

    def asgi(self) -> Starlette:
        """The application."""
        ...


class Door:
    """An open feed; ``close`` ends every stream and removes the socket."""

    def __init__(self, app: Served, address: Address, server: _Quiet, sock: socket.socket) -> None:
        self.app = app
        self.address = address
        self._server = server
        self._sock = sock
        self._inode = os.stat(address.path).st_ino if address.path else 0
        self._task = asyncio.ensure_future(server.serve(sockets=[sock]))

    async def close(self) -> None:
        """Let everybody go; at most about two seconds."""
        self.app.closing.set()
        self._server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._sock.close()
        if self.address.path:
            with contextlib.suppress(OSError):
                # Another worker may have taken the name since.
                if os.stat(self.address.path).st_ino == self._inode:
                    os.unlink(self.address.path)


async def listen(
    app: Served,
    address: Address,
    *,
    anywhere: bool = False,
    uids: frozenset[int] | None = None,
    gid: int | None = None,
    certificate: tuple[str, str] | None = None,
) -> Door:
    """Open the feed at ``address`` (port 0: any free one).

    A unix socket serves ``uids`` (None: this user) and, with mode 0660, the members of the group ``gid``.
    ``certificate`` is (certificate file, key file).

    Raises:
        UsageError: not on loopback and not told so, or nobody checks tokens there.
        ListenError: the place is taken or not ours, or the certificate is none.
    """
    if not address.loopback and not anywhere:
        raise UsageError(f"{address} can be reached from outside", "Name a loopback address, or allow it expressly")
    if not address.loopback and app.authorize is everybody:
        raise UsageError(f"{address} can be reached from outside and nobody would check who calls")
    context = None if certificate is None else _context(*certificate)
    app.local_names_only = not address.path and app.authorize is everybody
    sock = _unix(address.path, gid) if address.path else _tcp(address)
    protocol = type("_GuardedFor", (Guarded,), {"uids": uids or frozenset({os.getuid()}), "gid": gid})
    config = uvicorn.Config(
        app.asgi(),
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        h11_max_incomplete_event_size=HEAD_LIMIT,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = context
    if not address.path:
        address = Address(host=address.host, port=sock.getsockname()[1], tls=certificate is not None)
    door = Door(app, address, _Quiet(config), sock)
    await asyncio.sleep(0)
    return door


def _context(certificate: str, key: str) -> Handshakes:
    try:
        return Handshakes(certificate, key)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ListenError(
            f"{certificate} and {key} are no certificate and its key ({why})", "Both are PEM files of one certificate"
        ) from error


def _tcp(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, place = found[0]
        sock = socket.socket(family, kind, proto)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(128)
    except OSError as error:
        raise ListenError(f"cannot listen at {address} ({error.strerror})", "Choose another with --listen") from error
    sock.setblocking(False)
    return sock


def _unix(path: str, gid: int | None) -> socket.socket:
    folder = Path(path).parent
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _own_folder(folder)
        _remove_dead(path)
        mask = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(mask)
        if gid is not None:
            os.chown(path, -1, gid)
            os.chmod(path, 0o660)
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen at unix:{path} ({error.strerror})", "Choose another with --listen") from error
    except OpsroomError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _own_folder(folder: Path) -> None:
    """Others who may write in the folder could put their own socket in our place."""
    told = folder.stat()
    if told.st_uid not in (os.getuid(), 0) or (told.st_mode & stat.S_IWOTH and not told.st_mode & stat.S_ISVTX):
        raise ListenError(f"the folder {folder} is not only ours to write", "Use a folder of your own, mode 0700")


def _remove_dead(path: str) -> None:
    """Take away the socket of a worker that was killed; a living one keeps its place."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise ListenError(f"{path} exists and is not a socket", "Choose another path with --listen")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        except TimeoutError:
            pass
    raise ListenError(f"a worker already listens at unix:{path}", "Use its feed, or end it first")
