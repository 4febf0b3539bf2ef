"""The operator's own door to the cluster: the hands of every deed by a person, with that person's credentials.

Opened with the same settings as every other command; whoever opens it closes it. What is done is written into the
operator's journal.
"""

from __future__ import annotations

import contextlib
import getpass
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry, Journal
from opsroom.domain.board import Right
from opsroom.kube.access import may, whoami
from opsroom.kube.connection import Connection, connect
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
        hands = await hands_at(connection)
        yield OpenDoor(hands, Writer(connection), hands.user or getpass.getuser())
    finally:
        await connection.aclose()


async def hands_at(connection: Connection, journal: Path | None = None) -> Hands:
    """What a deed of this operator's is done with; ``journal`` is another file than the operator's own.

    Raises:
        Unreachable, Unauthorized: the cluster does not say who we are.
    """
    writer = Writer(connection)

    async def allowed(namespace: str, group: str, resource: str, subresource: str, verb: str) -> Right:
        return await may(writer, namespace, group, resource, subresource, verb)

    file = journal or paths.journal_folder() / "operator.jsonl"
    record = Journal(file, f"{getpass.getuser()}@{socket.gethostname()}")
    return Hands(Reader(connection), writer, record, may=allowed, user=await whoami(writer))
