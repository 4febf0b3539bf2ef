"""The cluster's side of the worker: connected in the background, tried again until it works.

The feed is up before the first answer, so a person sees "the API server does not answer" instead of nothing. What
may write is made only where the mode and ``--read-only`` allow it: a worker that may not write holds no Writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import socket
import time
from collections.abc import Callable

import msgspec

from opsroom.clock import awake_or_not
from opsroom.delivery.lease import RETRY, Lease
from opsroom.domain.board import Decider, Mode
from opsroom.domain.freshness import Cause, SourceState
from opsroom.domain.rollout import Rollout
from opsroom.errors import ConfigError, OpsroomError, Unauthorized
from opsroom.kube.access import Access, whoami
from opsroom.kube.connection import Connection, connect
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer
from opsroom.sources.cluster import Cluster
from opsroom.worker.deferring import somebody_will
from opsroom.worker.shut import Shut

LONGEST_WAIT = 30.0
KEEPS = 30.0
"""Seconds for which a shared fact (freeze, quarantine, policy) counts: after that it may have changed unseen."""

OBSERVER_LOOKS = 5.0
"""Seconds between two looks of an observer at who decides."""

log = logging.getLogger(__name__)


class Outside:
    """Connection, watched cluster, access reviews and Lease; all None until the first connection."""

    def __init__(
        self,
        kubeconfig: str,
        context: str,
        namespaces: tuple[str, ...],
        *,
        mode: Mode,
        read_only: bool,
        gates: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.cluster: Cluster | None = None
        self.reader: Reader | None = None
        self.writer: Writer | None = None
        """Only in modes that write."""
        self.reviewer: Writer | None = None
        """Asks about others; not with ``--read-only``."""
        self.access: Access | None = None
        self.lease: Lease | None = None
        self.user = ""
        """Whom the API server takes us for."""
        self.identity = f"{socket.gethostname()}_{os.getpid()}_{random.randrange(16**6):06x}"  # noqa: S311 - a name
        self.context = context
        self.ready = asyncio.Event()
        """Set when ``cluster`` can be asked."""
        self._kubeconfig = kubeconfig
        self._namespaces = namespaces
        self._mode = mode
        self._read_only = read_only
        self._gates = gates
        self._now = now
        self._error: OpsroomError | None = None
        self._connection: Connection | None = None

    @property
    def may_act(self) -> bool:
        """Whether an automatic deed may be begun at this very moment."""
        return self._mode is Mode.AUTO and self.writer is not None and self.lease is not None and self.lease.held

    @property
    def somebody_will_act(self) -> bool:
        """Whether what is due will be done by another decider, or by this worker in a moment."""
        error = self.lease.error if self.lease is not None else ""
        return somebody_will(self.decider(), self._mode, error)

    def states(self) -> tuple[SourceState, ...]:
        """How the API server is, also before there is a connection."""
        if self.cluster is not None:
            return self.cluster.states()
        error = str(self._error) if self._error else ""
        return (SourceState(name="kube", interval=10.0, error=error, cause=_cause(self._error)),)

    def rollouts(self) -> list[Rollout]:
        """All rollouts, and of those with gates of ours whether the decider answers them."""
        found = self.cluster.rollouts() if self.cluster is not None else []
        if not self.decider().gates:
            return found
        return [msgspec.structs.replace(one, gates_served=True) if one.gates else one for one in found]

    def decider(self) -> Decider:
        """Who decides, as far as is known here."""
        return self.lease.decider() if self.lease is not None else Decider()

    async def run(self) -> None:
        """Connect, then watch until cancelled."""
        if self._connection is not None:
            await self._connection.aclose()
        connection = self._connection = await self._connected()
        reader = self.reader = Reader(connection)
        self.context = connection.endpoint.context or self.context
        self.cluster = Cluster(reader, self._namespaces, awake_or_not)
        if not self._read_only:
            self.reviewer = Writer(connection)
            self.access = Access(self.reviewer)
            if self._mode is not Mode.OBSERVE:
                self.writer = self.reviewer
        self.lease = Lease(reader, self.writer or Shut(), self.identity, gates=self._gates, now=self._now)
        self.ready.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.cluster.run())
            group.create_task(self._lead(self.lease))
            if self.reviewer is not None:
                group.create_task(self._name(self.reviewer))

    async def close(self) -> None:
        """Give the Lease back and close every socket."""
        if self.lease is not None and self.writer is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3.0):
                    await self.lease.release()
        if self._connection is not None:
            await self._connection.aclose()

    async def _connected(self) -> Connection:
        wait = 1.0
        while True:
            try:
                return await connect(self._kubeconfig or None, self.context or None)
            except OpsroomError as error:
                if str(error) != str(self._error):
                    log.warning("no connection: %s", error)
                self._error = error
            await asyncio.sleep(random.uniform(wait / 2, wait))  # noqa: S311 - spreads calls, guards nothing
            wait = min(LONGEST_WAIT, wait * 2)

    async def _lead(self, lease: Lease) -> None:
        if self.writer is not None:
            await lease.run()
        while True:
            await lease.watch()
            await asyncio.sleep(OBSERVER_LOOKS if lease.error == "" else max(OBSERVER_LOOKS, RETRY * 5))

    async def _name(self, writer: Writer) -> None:
        while not self.user:
            with contextlib.suppress(OpsroomError):
                self.user = await whoami(writer)
                return
            await asyncio.sleep(LONGEST_WAIT)


def _cause(error: OpsroomError | None) -> Cause | None:
    if isinstance(error, ConfigError):
        return Cause.CONFIGURATION
    return Cause.CREDENTIALS if isinstance(error, Unauthorized) else None
