"""Leadership: one decider at a time, by a coordination Lease, with a fencing number.

Timing as client-go has it: 15 s lease, 10 s to renew, 2 s between tries. A record is believed for its own duration
since WE last saw it change on our monotonic clock; the times written in it are never compared with a local clock.
A holder that could not renew for 10 s is no holder any more, 5 s before another one may begin; ``held`` asks the
clock each time, so a process that was stopped and resumed knows at once. ``transitions`` is the fencing number that
goes into every write and journal line. The Lease also bears what its holder has done automatically of late, so that the
next holder's limits begin where the last one's stood. Written anew because the client library's own election compares
wall clocks, counts no transitions and releases nothing. Source: client-go ``tools/leaderelection``.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from opsroom.clock import awake_or_not
from opsroom.delivery import raw
from opsroom.delivery.doors import Now, Raw, Reader, Wait, Writer
from opsroom.domain.board import Decider
from opsroom.domain.clean import clean
from opsroom.domain.marks import ACTS, GATES
from opsroom.errors import Conflict, Gone, OpsroomError

DURATION = 15
RENEW_WITHIN = 10.0
RETRY = 2.0
"""Seconds."""

NAMESPACE = "opsroom"
NAME = "opsroom-decider"


class Lease:
    """One candidate for one Lease."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        identity: str,
        *,
        namespace: str = NAMESPACE,
        name: str = NAME,
        gates: bool = False,
        clock: Callable[[], float] = awake_or_not,
        now: Now = time.time,
    ) -> None:
        """``gates``: this candidate answers the gates of Flagger Canaries, and says so while it holds the Lease."""
        self.identity = identity
        self.changed = asyncio.Event()
        """Set whenever the holder (or our own standing) changed; the reader clears it."""
        self.error = ""
        """Why the last try failed; empty after a good one."""
        self._reader, self._writer = reader, writer
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._meta: Raw = {"name": name, "namespace": namespace}
        self._gates = gates
        self._note: str | None = None
        """What stands for ``ACTS`` from the next write on; None: what stood there when we took the Lease."""
        self._turn = asyncio.Lock()
        self._clock, self._now = clock, now
        self._record: Raw = {}
        self._observed = 0.0
        self._renewed: float | None = None
        self._since: float | None = None

    @property
    def held(self) -> bool:
        """Whether we may act at this very moment."""
        return self._renewed is not None and self._clock() - self._renewed < RENEW_WITHIN

    @property
    def transitions(self) -> int:
        """The fencing number: changes of holder so far."""
        return raw.number(self._record, "spec", "leaseTransitions")

    @property
    def acts(self) -> str:
        """The annotation ``ACTS`` as it was last seen: of this holder, or of the one before."""
        return raw.annotation(self._record, ACTS)

    def note(self, acts: str) -> None:
        """Let ``acts`` stand on the Lease from the next write on."""
        self._note = acts

    async def noted(self) -> bool:
        """Whether what was noted stands on the Lease, and it is ours; writes it now where it does not stand yet."""
        if self._note is not None and self.acts != self._note:
            await self.step()
        return self.held and (self._note is None or self.acts == self._note)

    def decider(self) -> Decider:
        """Who decides, as far as this candidate knows."""
        if self.held:
            return Decider(
                identity=self.identity, since=self._since, transitions=self.transitions, me=True, gates=self._gates
            )
        holder = raw.text(self._record, "spec", "holderIdentity")
        if not holder or holder == self.identity or self._expired():
            return Decider(transitions=self.transitions)
        gates = bool(raw.annotation(self._record, GATES))
        return Decider(identity=clean(holder), since=self._since, transitions=self.transitions, gates=gates)

    async def run(self, wait: Wait = asyncio.sleep) -> None:
        """Try to lead, and to go on leading, until cancelled. Call ``release`` afterwards, when all work has ended."""
        while True:
            await self.step()
            jitter = 1.0 if self.held else random.uniform(1.0, 2.2)  # noqa: S311 - no secret
            await wait(RETRY * jitter)

    async def step(self) -> None:
        """One try: look, and renew, take or wait."""
        async with self._turn:
            await self._step()

    async def _step(self) -> None:
        before = (self.held, raw.text(self._record, "spec", "holderIdentity"))
        try:
            await self._try()
            self.error = ""
        except Conflict:
            await self._look_quietly()
        except Gone:
            # Somebody deleted it under us: whoever makes it anew holds it at once, and so nobody does now.
            self._renewed = None
        except OpsroomError as error:
            self.error = str(error)
        if not self.held:
            self._renewed = None
        if (self.held, raw.text(self._record, "spec", "holderIdentity")) != before:
            self.changed.set()

    async def watch(self) -> None:
        """Only look (an observer's step): who decides here?"""
        before = raw.text(self._record, "spec", "holderIdentity")
        await self._look_quietly()
        if raw.text(self._record, "spec", "holderIdentity") != before:
            self.changed.set()

    async def release(self) -> None:
        """Give the Lease back; only after all work has ended. Failing is harmless: it expires."""
        async with self._turn:
            await self._release()

    async def _release(self) -> None:
        if not self.held:
            return
        self._renewed = None
        spec = {**raw.table(self._record, "spec"), "holderIdentity": "", "leaseDurationSeconds": 1}
        spec |= {"renewTime": self._stamp(), "acquireTime": self._stamp()}
        try:
            await self._put(spec)
        except OpsroomError as error:
            self.error = str(error)
        self.changed.set()

    async def _try(self) -> None:
        if self.held:
            # The fast path: put on what we wrote last; 409 means that somebody else wrote.
            await self._write(raw.table(self._record, "spec"), mine=True)
            return
        # What we noted when we last held it says nothing of who held it since: theirs stands until we have read it.
        self._note = None
        try:
            await self._look()
        except Gone:
            await self._create()
            return
        spec = raw.table(self._record, "spec")
        holder = raw.text(spec, "holderIdentity")
        if holder and holder != self.identity and not self._expired():
            return
        await self._write(spec, mine=holder == self.identity)

    async def _create(self) -> None:
        asked = self._clock()
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": self._metadata(),
            "spec": self._spec({}, mine=True),
        }
        self._took(await self._writer.post(self._collection, body), asked, fresh=True)

    async def _write(self, spec: Raw, *, mine: bool) -> None:
        asked, fresh = self._clock(), not self.held
        self._took(await self._put(self._spec(spec, mine=mine)), asked, fresh=fresh)

    async def _put(self, spec: Raw) -> object:
        metadata = {**self._metadata(), "resourceVersion": raw.version(self._record)}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        return await self._writer.put(f"{self._collection}/{self._meta['name']}", body)

    def _metadata(self) -> Raw:
        notes = {GATES: "served"} if self._gates else {}
        acts = self.acts if self._note is None else self._note
        if acts:
            notes[ACTS] = acts
        return {**self._meta, "annotations": notes} if notes else self._meta

    def _spec(self, old: Raw, *, mine: bool) -> Raw:
        # A re-start under the same identity is a new holder as well: deeds of the former one may be in flight.
        again = mine and self.held
        stamp = self._stamp()
        first = not old
        return {
            **old,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": DURATION,
            "renewTime": stamp,
            "acquireTime": raw.text(old, "acquireTime") if again else stamp,
            "leaseTransitions": raw.number(old, "leaseTransitions") + (0 if again or first else 1),
        }

    def _took(self, answer: object, asked: float, *, fresh: bool) -> None:
        """Ours since before the request was sent: counting from its answer would overlap with the next holder."""
        self._record = answer if isinstance(answer, dict) else {}
        self._observed = self._renewed = asked
        if fresh:
            self._since = self._now()

    async def _look(self) -> None:
        record: Raw = await self._reader.get(f"{self._collection}/{self._meta['name']}", dict)
        if record != self._record:
            if raw.text(record, "spec", "holderIdentity") != raw.text(self._record, "spec", "holderIdentity"):
                self._since = self._now()
            self._record, self._observed = record, self._clock()

    async def _look_quietly(self) -> None:
        """After a lost race the record is another's; until we have read it we hold nothing."""
        self._renewed = None
        try:
            await self._look()
            self.error = ""
        except Gone:
            self._record, self.error = {}, ""
        except OpsroomError as error:
            self.error = str(error)

    def _expired(self) -> bool:
        seconds = raw.number(self._record, "spec", "leaseDurationSeconds") or DURATION
        return self._clock() >= self._observed + seconds

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
