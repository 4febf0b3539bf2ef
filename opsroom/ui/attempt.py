"""One deed of this screen: what is asked for, the child process that does it, and how far it has come."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.deed import Deed, DeedState, Intent, Verb, target_of
from opsroom.domain.intent import score_age
from opsroom.domain.offer import seen
from opsroom.ui.child import Child


class Clocks(msgspec.Struct, frozen=True):
    """Both clocks: monotonic seconds here, epoch seconds of the worker."""

    here: Callable[[], float]
    worker: Callable[[], float]


def intent_for(row: Row, verb: Verb, actor: str, now: float) -> Intent:
    """The intent of a key press on ``row``: what was on screen at the press is its precondition."""
    rollout = row.rollout
    return Intent(
        id=uuid.uuid4().hex,
        verb=verb,
        target=target_of(rollout),
        precondition=seen(rollout, verb),
        actor=actor,
        at=now,
        score=row.verdict.score if row.verdict else None,
        score_age=score_age(row.verdict, now),
        two_people=row.two_people,
    )


class Attempt:
    """One intent on its way, from its arming to what the cluster made of it."""

    def __init__(self, intent: Intent, clocks: Clocks, noted: Callable[[Attempt], None]) -> None:
        self.intent = intent
        self.deed = Deed(intent=intent, state=DeedState.ARMED, at=intent.at, effect=intent.precondition.effect)
        self.changed = clocks.here()
        """Monotonic seconds."""
        self.child: Child | None = None
        self.go = asyncio.Event()
        """Set at the end of the countdown."""
        self.stopped = False
        self._clocks = clocks
        self._noted = noted

    async def run(self, command: Sequence[str]) -> None:
        """Start the child and follow it to its end; every state is noted."""
        if self.stopped:
            return
        try:
            self.child = Child.start(command, self.intent)
        except OSError as error:
            self._end(DeedState.FAILED, f"opsroom act did not start: {error.strerror}")
            return
        going = asyncio.create_task(self._say_go(self.child))
        try:
            async for deed in self.child.deeds():
                if not self.stopped:
                    self._note(deed)
        finally:
            going.cancel()
        told = self.deed.state.settled or self.deed.state in (DeedState.SEEN, DeedState.UNKNOWN)
        if not told and not self.stopped:
            state = DeedState.UNKNOWN if self.go.is_set() else DeedState.FAILED
            self._end(state, self.child.error or "opsroom act ended without a word")

    async def _say_go(self, child: Child) -> None:
        await self.go.wait()
        if not self.stopped:
            child.say(b"go")

    def _note(self, deed: Deed) -> None:
        self.deed, self.changed = deed, self._clocks.here()
        self._noted(self)

    def _end(self, state: DeedState, detail: str) -> None:
        self._note(Deed(intent=self.intent, state=state, at=self._clocks.worker(), detail=detail))
