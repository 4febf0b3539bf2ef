"""What the holder of these credentials may do to each rollout, asked in the background and remembered.

The board's keys show it before anybody presses them. One question a namespace and resource, never one a rollout; the
cluster's own answer at the deed is what counts. It must not know how rights are asked, only what for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from opsroom.domain.board import Right
from opsroom.domain.deed import Effect, Verb
from opsroom.domain.offer import offer
from opsroom.domain.rollout import Engine, Rollout

ASK_SECONDS = 120.0
"""Answers older than this are asked again: rights change while a control room runs."""

AT_ONCE = 4

Need = tuple[str, str, str, str]
"""Namespace, API group, resource, subresource; the verb is always patch."""

Ask = Callable[[str, str, str, str, str], Awaitable[Right]]
"""From namespace, group, resource, subresource and verb to the answer."""

_WHOLE_OBJECT = (Effect.UNDO, Effect.UNPAUSE)
"""Effects on an Argo Rollout's spec; all others are on its status."""


def need(rollout: Rollout, verb: Verb) -> Need | None:
    """The right that ``verb`` needs on ``rollout`` as it stands; None where nothing would be done."""
    effect = offer(rollout, verb).effect
    if effect is None:
        return None
    if rollout.engine is Engine.ARGO:
        part = "" if effect in _WHOLE_OBJECT else "status"
        return rollout.namespace, "argoproj.io", "rollouts", part
    if rollout.engine is Engine.DEPLOYMENT:
        return rollout.namespace, "apps", "deployments", ""
    if effect is Effect.UNDO:
        return rollout.namespace, "apps", "deployments", ""
    return rollout.namespace, "flagger.app", "canaries", "status" if effect is Effect.FAIL_CHECKS else ""


class Rights:
    """Answers by need."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[Need, tuple[float, Right]] = {}

    def of(self, rollout: Rollout) -> dict[Verb, Right]:
        """What is known now."""
        found: dict[Verb, Right] = {}
        for verb in (Verb.PROMOTE, Verb.ROLL_BACK):
            wanted = need(rollout, verb)
            if wanted is not None and wanted in self._known:
                found[verb] = self._known[wanted][1]
        return found

    async def refresh(self, rollouts: Iterable[Rollout], ask: Ask) -> bool:
        """Ask what is unknown or old; True when an answer changed."""
        wanted = {n for rollout in rollouts for verb in (Verb.PROMOTE, Verb.ROLL_BACK) if (n := need(rollout, verb))}
        self._known = {n: known for n, known in self._known.items() if n in wanted}
        now = self._clock()
        due = [n for n in wanted if n not in self._known or now - self._known[n][0] > ASK_SECONDS]
        room = asyncio.Semaphore(AT_ONCE)
        changed = False

        async def one(question: Need) -> None:
            nonlocal changed
            async with room:
                right = await ask(*question, "patch")
            if right.allowed is None:
                return
            changed = changed or self._known.get(question, (0.0, Right()))[1] != right
            self._known[question] = (self._clock(), right)

        await asyncio.gather(*(one(question) for question in due))
        return changed
