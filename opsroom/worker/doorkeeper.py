"""Who may watch a feed that can be reached from outside, and which namespaces they see.

A caller's bearer token is shown to the API server (TokenReview), then it is asked what its owner may list
(SubjectAccessReview): all rollouts, or those of single namespaces. Answers are remembered for a minute by the token's
hash; the token itself is kept nowhere. Nobody is let in because a question could not be asked.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable

from opsroom.clock import awake_or_not
from opsroom.errors import NotPermitted, OpsroomError, Unauthorized, Unreachable
from opsroom.feed.published import Viewer
from opsroom.kube.reviews import Subject, name_of, subject_may, subject_of
from opsroom.kube.writer import Writer

REMEMBERED = 60.0
REFUSED_FOR = 10.0
"""Seconds. A refusal is remembered for less: somebody may be waiting for the right that was just granted."""

KNOWN_MAX = 1000
TOKEN_MAX = 16 * 1024
"""Bytes; service account tokens have about 1,000."""

AT_ONCE = 8
"""Tokens that are asked about at the same time, and namespaces of each: strangers must not load the API server."""

Answer = Viewer | OpsroomError


class Doorkeeper:
    """Bearer token in, viewer out."""

    def __init__(
        self,
        writer: Callable[[], Writer | None],
        namespaces: Callable[[], Iterable[str]],
        clock: Callable[[], float] = awake_or_not,
    ) -> None:
        """``writer`` gives None while there is no connection; ``namespaces`` those that are watched or shown."""
        self._writer = writer
        self._namespaces = namespaces
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, token: str) -> Viewer:
        """The viewer behind ``token``.

        Raises:
            Unauthorized: no token, or nobody's. NotPermitted: its owner may list no rollouts that are shown here.
            Unreachable: the API server cannot be asked.
        """
        if not token:
            raise Unauthorized("This feed wants a bearer token", "Store one with opsroom login feed")
        if len(token) > TOKEN_MAX or not token.isprintable():
            raise Unauthorized("That is no token")
        key = hashlib.sha256(token.encode()).digest()
        known = self._fresh(key)
        if known is None:
            async with self._turns:
                # Who waited for a turn with the same token may have the answer by now.
                known = self._fresh(key) or await self._ask(key, token)
        answer = known[1]
        if isinstance(answer, Viewer):
            return answer
        raise type(answer)(answer.message, answer.fix)

    def _fresh(self, key: bytes) -> tuple[float, Answer] | None:
        known = self._known.get(key)
        return known if known is not None and self._clock() < known[0] else None

    async def _ask(self, key: bytes, token: str) -> tuple[float, Answer]:
        writer = self._writer()
        if writer is None:
            raise Unreachable("The worker has no connection to its API server yet", "Try again")
        try:
            who = await subject_of(writer, token)
            answer: Answer = await self._viewer(writer, who)
        except Unauthorized as error:
            answer = error
        except NotPermitted as error:
            # Ours is missing, not the caller's.
            raise Unreachable(f"The worker may not check tokens: {error}") from error
        except Unreachable:
            raise
        except OpsroomError as error:
            raise Unreachable(f"The token could not be checked: {error}") from error
        until = self._clock() + (REMEMBERED if isinstance(answer, Viewer) else REFUSED_FOR)
        self._known[key] = (until, answer)
        self._known.move_to_end(key)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return self._known[key]

    async def _viewer(self, writer: Writer, who: Subject) -> Answer:
        if await subject_may(writer, who, "", "argoproj.io", "rollouts", "list"):
            return Viewer(name=name_of(who))
        turns = asyncio.Semaphore(AT_ONCE)

        async def may(namespace: str) -> str:
            async with turns:
                allowed = await subject_may(writer, who, namespace, "argoproj.io", "rollouts", "list")
            return namespace if allowed else ""

        seen = frozenset(await asyncio.gather(*(may(name) for name in sorted(set(self._namespaces()))))) - {""}
        if not seen:
            return NotPermitted(f"{name_of(who)} may list rollouts in no namespace that is shown here")
        return Viewer(name=name_of(who), namespaces=seen)
