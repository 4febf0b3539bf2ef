"""What stands in the cluster about the queue: its state, its switch, the quarantine, the cluster's own policy.

Read every few seconds, each fact by itself: one that may not be read, or an outage, leaves what was read before,
because a queue must not change its mind when the API server is away; but what was read long ago is not ``known``. It
decides nothing and writes nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from opsroom.clock import awake_or_not
from opsroom.delivery.queue_facts import (
    enabled_namespaces,
    installed,
    may_jump,
    read_policy,
    read_quarantine,
    read_state,
    switched_on,
)
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.queue import QueueState
from opsroom.errors import NotPermitted, OpsroomError
from opsroom.kube.reader import Reader
from opsroom.worker.outside import KEEPS, Outside

LOOK_SECONDS = 3.0
SELDOM_SECONDS = 30.0
"""Between two looks at what only an installation changes."""

FORBIDDEN_SECONDS = 60.0
JUMPS_REMEMBERED = 60.0
"""Seconds: whoever loses the right to the hotfix lane loses it soon."""

NEEDED = frozenset(("state", "switch", "namespaces", "quarantine", "policy"))
"""Facts without which nothing automatic is begun: a pause, a quarantine or a policy that was not read is not absent."""

OF_INSTALLATION = frozenset(("installed", "namespaces"))
"""Whoever may not read these works as where nothing is installed: holds come late, no namespace takes part."""

ANSWER_SECONDS = 10.0
"""How long one answer may take: two of them, and the pause between, must be over before the first one is too old."""

Read = Callable[[Reader], Awaitable[object]]

FACTS: dict[str, tuple[str, float, Read]] = {
    "state": ("said", LOOK_SECONDS, read_state),
    "switch": ("switch", LOOK_SECONDS, switched_on),
    "quarantine": ("quarantine", LOOK_SECONDS, read_quarantine),
    "policy": ("policy", LOOK_SECONDS, read_policy),
    "installed": ("installed", SELDOM_SECONDS, installed),
    "namespaces": ("enabled", SELDOM_SECONDS, enabled_namespaces),
}
"""Each fact: where it is kept, seconds between two looks, and how it is read."""


class Standing:
    """The facts as they were last read."""

    def __init__(self, outside: Outside, clock: Callable[[], float] = awake_or_not) -> None:
        self.said = QueueState.RUNNING
        """What somebody asked the queue to do."""
        self.switch = False
        """Something is to be held at all."""
        self.installed = False
        """The admission policy and its binding are there."""
        self.enabled: frozenset[str] = frozenset()
        """Namespaces that take part."""
        self.quarantine: dict[str, Quarantined] = {}
        self.policy: str | None = None
        self.counts: dict[str, float] = {}
        """Until when, by the clock, the last answer to each fact counts."""
        self._outside = outside
        self._clock = clock
        self._again: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._jumps: dict[tuple[str, str], tuple[float, bool]] = {}
        self._wanted: set[tuple[str, str]] = set()

    @property
    def known(self) -> bool:
        """Whether everything that an automatic deed rests on was read, and not too long ago."""
        return not self._unknown()

    @property
    def answered(self) -> bool:
        """Whether all of it was read at all: a queue keeps what it holds, and no more, while nobody answers."""
        return self.counts.keys() >= NEEDED

    @property
    def error(self) -> str:
        """Why one of the facts that are needed is not known; empty while all are, and before the first answer."""
        unknown = self._unknown()
        old = [f"{name} was read too long ago" for name in unknown if name in self.counts]
        return next((self._errors[name] for name in unknown if name in self._errors), next(iter(old), ""))

    @property
    def nobody(self) -> bool:
        """No namespace takes part, as far as one may look; not so where nobody may."""
        return not self.enabled and "namespaces" in self.counts and "namespaces" not in self._errors

    @property
    def state(self) -> QueueState:
        """What the queue does. Without its switch, where there was one, nothing is held any more."""
        if self.said is QueueState.OFF or (self.installed and not self.switch):
            return QueueState.OFF
        return self.said

    def may_jump(self, user: str, namespace: str) -> bool:
        """Whether ``user`` may use the hotfix lane, as far as it was asked; asks if it was not."""
        if not user:
            return False
        self._wanted.add((user, namespace))
        return self._jumps.get((user, namespace), (0.0, False))[1]

    async def run(self, changed: Callable[[], None]) -> None:
        """Read until cancelled."""
        await self._outside.ready.wait()
        async with asyncio.TaskGroup() as tasks:
            # Apart: an authorizer that hangs must not make the facts old.
            for look in (self.look, self.ask_jumps):
                tasks.create_task(self._again_and_again(look, changed))

    async def _again_and_again(self, look: Callable[[Reader], Awaitable[bool]], changed: Callable[[], None]) -> None:
        while True:
            reader = self._outside.reader
            if reader is not None and await look(reader):
                changed()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, reader: Reader) -> bool:
        """Read everything that is due, all at once; True when something is different."""
        before = self._all()
        await asyncio.gather(*(self._read(reader, name, *how) for name, how in FACTS.items()))
        return before != self._all()

    def _unknown(self) -> list[str]:
        now = self._clock()
        return sorted(name for name in NEEDED if now > self.counts.get(name, -math.inf))

    async def _read(self, reader: Reader, name: str, kept: str, every: float, read: Read) -> None:
        """Read one fact, if it is due, and keep it at once: others may take longer, and are changed by us meanwhile."""
        now = self._clock()
        if now < self._again.get(name, 0.0):
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = await read(reader)
        except NotPermitted as error:
            # One that was allowed before may be again in a moment: an API server that starts knows no rights yet.
            if name in OF_INSTALLATION or name not in self.counts:
                self._again[name] = now + FORBIDDEN_SECONDS
            if name in OF_INSTALLATION:
                self.counts[name] = now + FORBIDDEN_SECONDS + KEEPS
            self._errors[name] = str(error)
            return
        except TimeoutError:
            self._errors[name] = f"the API server did not say within {ANSWER_SECONDS:.0f} s ({name})"
            return
        except OpsroomError as error:
            self._errors[name] = str(error)
            return
        setattr(self, kept, found)
        self._again[name] = now + every * 0.9
        self.counts[name] = now + every + KEEPS
        self._errors.pop(name, None)

    async def ask_jumps(self, _reader: Reader) -> bool:
        """Ask who of those that want to may use the hotfix lane; True when an answer is another one."""
        writer, now, before = self._outside.writer, self._clock(), self._all()
        self._jumps = {one: known for one, known in self._jumps.items() if now - known[0] < JUMPS_REMEMBERED}
        wanted, self._wanted = self._wanted, set()
        if writer is None:
            return False
        for user, namespace in wanted - self._jumps.keys():
            try:
                self._jumps[user, namespace] = (now, await may_jump(writer, user, namespace))
            except OpsroomError:
                self._jumps[user, namespace] = (now, False)
        return before != self._all()

    def _all(self) -> tuple[object, ...]:
        jumps = {one: known[1] for one, known in self._jumps.items()}
        return self.said, self.switch, self.installed, self.enabled, self.quarantine, self.policy, self.known, jumps
