"""Deeds that were begun at this screen, one a rollout, each followed to what the cluster made of it.

Whether one may be begun is ``deeds``' business; here is what runs. A deed that was sent goes on whatever the screen
shows meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsroom.domain.board import Row
from opsroom.domain.deed import Deed, DeedState, Verb
from opsroom.domain.rollout import Uid
from opsroom.ui.options import Options
from opsroom.ui.sight import Sight
from opsroom.view import effects, marks

if TYPE_CHECKING:
    from opsroom.ui.attempt import Attempt

SETTLED_FOR = 10.0
"""Seconds for which the end of a deed is still told."""


def ending(deed: Deed, now: float) -> tuple[str, bool] | None:
    """How a deed has ended, as a sentence, and whether badly; None while it is on its way. ``now``: epoch seconds."""
    if not (deed.state.settled or deed.state is DeedState.UNKNOWN):
        return None
    return effects.deed(deed, now), deed.state not in (DeedState.DONE, DeedState.CANCELLED)


class UnderWay:
    """The deeds of one context."""

    def __init__(self, sight: Sight, options: Options, noted: Callable[[Attempt], None]) -> None:
        self._sight = sight
        self._options = options
        self._noted = noted
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self.attempts: dict[Uid, Attempt] = {}
        self.last: Attempt | None = None
        self._ended: Deed | None = None
        """What ``end`` has said."""

    def begin(self, row: Row, verb: Verb) -> Attempt:
        """Start the child for ``verb`` on ``row``; it sends nothing before its ``go`` is set."""
        from opsroom.ui.attempt import Attempt, Clocks, intent_for  # imported late: the first frame waits for imports

        intent = intent_for(row, verb, self._options.actor, self._sight.live_now)
        clocks = Clocks(self._sight.clock, lambda: self._sight.live_now)
        attempt = Attempt(intent, clocks, self._noted)
        self.attempts[row.rollout.uid] = self.last = attempt
        task = self._running[intent.id] = asyncio.create_task(attempt.run(self._options.act))
        task.add_done_callback(lambda _: self._running.pop(intent.id, None))
        return attempt

    def drop(self, uid: Uid) -> None:
        """Stop a deed that was not sent."""
        attempt = self.attempts.pop(uid, None)
        if attempt is None:
            return
        attempt.stopped = True
        if self.last is attempt:
            self.last = None
        if attempt.child is not None:
            task = asyncio.create_task(attempt.child.stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    def doing(self, uid: Uid) -> str:
        """Word for a row's state while a deed of ours is on its way."""
        attempt = self.attempts.get(uid)
        if attempt is None or attempt.deed.state in (DeedState.DONE, DeedState.CANCELLED, DeedState.REFUSED):
            return ""
        return marks.DEED[attempt.deed.state]

    def followed(self, uid: Uid) -> bool:
        """Whether a deed on this rollout is on its way and somebody follows it.

        What nobody follows any more (UNKNOWN, a child that died) must not lock the row: the cluster guards the rest.
        """
        attempt = self.attempts.get(uid)
        return attempt is not None and attempt.intent.id in self._running and not attempt.deed.state.settled

    def told(self, now: float) -> Attempt | None:
        """The last deed, while there is something to tell of it."""
        last = self.last
        return None if last is None or (last.deed.state.settled and now - last.changed > SETTLED_FOR) else last

    def end(self, now: float) -> tuple[str, bool] | None:
        """How the last deed has ended, as a sentence, and whether badly; None while it has not, or long after.

        Said once: one whose outcome is unknown never counts as long done.
        """
        last = self.told(now)
        if last is None or last.deed is self._ended:
            return None
        found = ending(last.deed, self._sight.live_now)
        if found is not None:
            self._ended = last.deed
        return found

    def forget(self, now: float) -> bool:
        """Forget what is long done; whether there was any."""
        old = [
            uid
            for uid, attempt in self.attempts.items()
            if attempt.deed.state.settled and now - attempt.changed > SETTLED_FOR
        ]
        for uid in old:
            del self.attempts[uid]
        return bool(old)

    async def close(self) -> None:
        """Wait for children that were stopped, let the others go on alone."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), *self._stopping, return_exceptions=True)
