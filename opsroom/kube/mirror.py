"""A local copy of one kind of objects, kept true by list and watch for as long as ``run`` runs.

The loop is client-go's reflector (tools/cache/reflector.go): list in pages, watch from there, watch again after a
clean end, list again after a 410 with deletes made up by comparing uids, back off with jitter otherwise. It never
ends by itself: whatever happens is shown in ``error`` and tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from opsroom.errors import Gone, NotPermitted, OpsroomError, Unauthorized, Unreachable
from opsroom.kube.failures import Expired
from opsroom.kube.objects import ObjectLike
from opsroom.kube.reader import Reader
from opsroom.kube.served import absent

O = TypeVar("O", bound=ObjectLike)  # noqa: E741

BACKOFF = 0.8
BACKOFF_MAX = 7.0
"""Seconds; client-go's 30 would leave the picture old for half a minute after the server is well again."""

HEALTHY_AFTER = 120.0
"""Seconds of a working watch after which the next failure waits only briefly again (client-go's number)."""

SLOWLY = 30.0
"""Seconds between attempts while the server forbids the kind or does not know it."""

FIRST_REFUSAL = 2.0
"""Seconds, doubled each time up to ``SLOWLY``: a server that has just started refuses what it will soon serve."""

KEPT_SECONDS = 60.0
"""For how long at least what was seen of a kind stays when the server does not know the kind any more."""

SHORT_LIVED = 1.0
"""A stream that ends cleanly sooner than this is not followed by another at once."""


class Mirror(Generic[O]):
    """Objects of one kind at one path, by uid.

    ``on_change(old, new)`` is called for every difference: old is None for a new object, new is None for one that is
    gone. It must not raise and must not wait.
    """

    def __init__(
        self,
        reader: Reader,
        path: str,
        type_: type[O],
        on_change: Callable[[O | None, O | None], None],
        *,
        clock: Callable[[], float],
        params: dict[str, str] | None = None,
        keep: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``keep`` False: nothing is remembered, ``on_change`` only ever sees (None, new)."""
        self.path = path
        self.objects: dict[str, O] = {}
        self.listed = False
        """A whole list has been seen once."""
        self.at: float | None = None
        """Clock reading when what was last answered was asked for, or came by itself: never later than the truth."""
        self.error: OpsroomError | None = None
        self.unreadable = 0
        self._reader = reader
        self._type = type_
        self._on_change = on_change
        self._clock = clock
        self._params = params
        self._keep = keep
        self._sleep = sleep
        self._version = ""
        self._backoff = BACKOFF
        self._refusals = 0
        self._not_served: float | None = None
        """Clock reading of the first of several 404 in a row for the kind itself."""

    async def run(self) -> None:
        """Keep the copy true until cancelled."""
        while True:
            began = self._clock()
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                wait = 0.0 if self._clock() - began >= SHORT_LIVED else self._next_backoff(began)
            except Expired:
                self._version = ""
                wait = self._next_backoff(began)
            except OpsroomError as error:
                self.error = await self._doubted(error) if isinstance(error, Gone) else error
                wait = self._pause(error, began)
            await self._sleep(wait)

    async def _doubted(self, error: Gone) -> OpsroomError:
        """``error``, or what is said while a kind that was there is only away as far as anybody knows.

        A server that starts, and an aggregated one that is away, answer 404 for what they served before. Nothing is
        dropped for that before some time has passed and discovery agrees.
        """
        if not self.objects:
            return error
        now = self._clock()
        first = self._not_served = now if self._not_served is None else self._not_served
        if now - first >= KEPT_SECONDS and await absent(self._reader, self.path):
            self._keep_only(set())
            return error
        return Unreachable(f"{error.message}, though it did before", "What was seen last is shown")

    async def _list(self) -> None:
        asked = self._clock()
        listing = await self._reader.list_pages(self.path, self._type, self._params)
        self._heard(asked)
        self.unreadable = listing.unreadable
        present = set()
        for item in listing.items:
            present.add(item.metadata.uid)
            self._put(item)
        self._keep_only(present)
        self._version = listing.resource_version
        self.listed = True

    async def _watch(self) -> None:
        asked = self._clock()
        stream = self._reader.watch(
            self.path, self._type, self._version, self._params, opened=lambda: self._heard(asked)
        )
        async with aclosing(stream) as events:
            async for event in events:
                self._heard(self._clock())
                item = event.object
                if item.metadata.resource_version:
                    self._version = item.metadata.resource_version
                if event.type in ("ADDED", "MODIFIED"):
                    self._put(item)
                elif event.type == "DELETED":
                    self._drop(item)

    def _keep_only(self, present: set[str]) -> None:
        for uid in [uid for uid in self.objects if uid not in present]:
            self._on_change(self.objects.pop(uid), None)

    def _put(self, item: O) -> None:
        uid = item.metadata.uid
        old = self.objects.get(uid)
        # The same version comes again after a reconnect, and whole lists of it after a relist.
        if old is not None and old.metadata.resource_version == item.metadata.resource_version:
            return
        if self._keep:
            self.objects[uid] = item
        self._on_change(old, item)

    def _drop(self, item: O) -> None:
        old = self.objects.pop(item.metadata.uid, None)
        if old is not None:
            self._on_change(old, None)

    def _heard(self, at: float) -> None:
        self.at = at
        self.error = None
        self._refusals = 0
        self._not_served = None

    def _pause(self, error: OpsroomError, began: float) -> float:
        if isinstance(error, NotPermitted | Gone):
            # What was seen before may be long gone; a list comes first when the server lets us in again.
            self._version = ""
            if self.listed and not isinstance(error, Gone):
                # We were let in before: more often a moment of confusion than a right that was taken away.
                return self._next_backoff(began)
            self._refusals = min(self._refusals + 1, 10)
            wait: float = min(SLOWLY, FIRST_REFUSAL * 2.0 ** (self._refusals - 1))
            return wait * random.uniform(0.75, 1.25)  # noqa: S311
        if isinstance(error, Unreachable) and error.retry_after is not None:
            return error.retry_after * random.uniform(1.0, 1.25)  # noqa: S311
        if isinstance(error, Unauthorized):
            return max(self._next_backoff(began), BACKOFF)
        return self._next_backoff(began)

    def _next_backoff(self, began: float) -> float:
        if self._clock() - began > HEALTHY_AFTER:
            self._backoff = BACKOFF
        wait, self._backoff = self._backoff, min(BACKOFF_MAX, self._backoff * 2)
        return random.uniform(0.0, wait)  # noqa: S311
