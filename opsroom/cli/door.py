"""The operator's own door to the cluster, for what needs no feed and no worker: freeze, switch, release.

Opened with the same settings as every other command; whoever opens it closes it. Notes go to the operator's journal.
"""

from __future__ import annotations

import contextlib
import getpass
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry, Journal
from opsroom.domain.board import Right
from opsroom.kube.access import may, whoami
from opsroom.kube.connection import connect
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A connected cluster, and who we are in it."""

    hands: Hands
    writer: Writer
    user: str

    def note(self, text: str) -> None:
        """Write a line about what was done to the room as a whole; raises JournalError."""
        self.hands.journal.write(Entry(at=time.time(), writer="", note=f"{text} by {self.user}"))


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[OpenDoor]:
    """Connect with the operator's credentials.

    Raises:
        ConfigError, Unreachable, Unauthorized: there is no way in.
    """
    connection = await connect(settings.kubeconfig or None, settings.context or None)
    try:
        writer = Writer(connection)

        async def allowed(namespace: str, group: str, resource: str, subresource: str, verb: str) -> Right:
            return await may(writer, namespace, group, resource, subresource, verb)

        here = getpass.getuser()
        journal = Journal(paths.journal_folder() / "operator.jsonl", f"{here}@{socket.gethostname()}")
        yield OpenDoor(Hands(Reader(connection), writer, journal, may=allowed), writer, await whoami(writer) or here)
    finally:
        await connection.aclose()
