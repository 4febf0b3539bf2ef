"""Decisions into deeds: at most one at a time for each rollout, each in a task of its own.

The Lease is asked by ``delivery`` before every request; here only a decision becomes an intent, and whatever state the
deed reaches is told. A deed that cannot even begin is told as refused, so that the decider looks again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable

from opsroom.domain.decision import Decision, Outcome
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb, target_of
from opsroom.domain.intent import score_age
from opsroom.domain.offer import seen
from opsroom.domain.rollout import Rollout, Uid
from opsroom.domain.verdict import Verdict

Carry = Callable[[Intent], AsyncIterator[Deed]]
"""Carries out an intent; yields the deed in each state it reaches."""

CLOSE_SECONDS = 5.0
"""How long deeds under way may take to come to a journal line when the worker ends."""

VERBS = {
    Outcome.PROMOTE: Verb.PROMOTE,
    Outcome.PROMOTE_FULLY: Verb.PROMOTE_FULLY,
    Outcome.ROLL_BACK: Verb.ROLL_BACK,
}

log = logging.getLogger(__name__)


def intent_of(decision: Decision, rollout: Rollout, verdict: Verdict | None, actor: str, fencing: int) -> Intent:
    """The intent that carries out ``decision`` on ``rollout`` as it was when it was decided."""
    verb = VERBS[decision.outcome]
    return Intent(
        id=uuid.uuid4().hex,
        verb=verb,
        target=target_of(rollout),
        precondition=seen(rollout, verb),
        actor=actor,
        at=decision.at,
        automatic=True,
        reason=decision.detail,
        score=decision.score,
        score_age=score_age(verdict, decision.at),
        row=decision.row,
        fencing=fencing,
    )


class Automatic:
    """The deeds that are under way."""

    def __init__(self, carry: Carry, told: Callable[[Deed], None], now: Callable[[], float]) -> None:
        self._carry = carry
        self._told = told
        self._now = now
        self._tasks: dict[asyncio.Task[None], Uid] = {}

    @property
    def busy(self) -> int:
        """Deeds under way."""
        return len(self._tasks)

    def at_work(self, uid: Uid) -> bool:
        """Whether a deed on this rollout is under way."""
        return uid in self._tasks.values()

    def begin(self, intent: Intent) -> None:
        """Start ``intent``; refused at once while another deed on the same rollout is under way."""
        uid = intent.target.uid
        if self.at_work(uid):
            self._told(Deed(intent=intent, state=DeedState.REFUSED, at=self._now(), refusal=Refusal.BUSY))
            return
        self.follow(uid, self._carry(intent), intent)

    def follow(self, uid: Uid, states: AsyncIterator[Deed], intent: Intent) -> None:
        """Tell every state of a deed that is under way (or is being settled) until it ends."""
        task = asyncio.ensure_future(self._follow(states, intent))
        # A deed that is settled may be followed by a younger one of the same rollout: both are looked after.
        self._tasks[task] = uid
        task.add_done_callback(self._tasks.pop)

    async def close(self) -> None:
        """Let deeds under way come to their journal line; what does not is settled by the next worker."""
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, states: AsyncIterator[Deed], intent: Intent) -> None:
        last: Deed | None = None
        try:
            async for deed in states:
                last = deed
                self._told(deed)
        except Exception:
            # A fault of ours must not leave a rollout that looks as if nobody had touched it.
            log.exception("deed %s broke off", intent.id)
            # Once journalled it may have been sent; only what never got so far has surely not happened.
            state = DeedState.FAILED if last is None else DeedState.UNKNOWN
            self._told(Deed(intent=intent, state=state, at=self._now(), detail="broke_off"))
