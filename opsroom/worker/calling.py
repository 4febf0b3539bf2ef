"""People are called for new flags: once a flag, again only where the policy says so, and never for what stood before.

Several flags that come together are one notice. A worker that may decide calls only while it does; an observer calls
for whoever gave it addresses. It must not know how a notice is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from opsroom.domain.board import Row
from opsroom.domain.notice_policy import NoticePolicy
from opsroom.domain.rollout import Uid
from opsroom.view import calling as words
from opsroom.worker.sender import Notice

APART = 10.0
"""Seconds between two notices; flags that come sooner are in the next one."""


class Sender(Protocol):
    """Takes notices and says what went wrong."""

    @property
    def error(self) -> str:
        """What went wrong with the last notice; empty while all is well."""

    def put(self, notice: Notice) -> None:
        """Send it soon; returns at once."""


class Calling:
    """What was told already, and what is told next."""

    def __init__(self, sender: Sender, policy: Callable[[], NoticePolicy], mine: Callable[[], bool]) -> None:
        """``mine``: whether it is this worker that calls, and not the one that decides."""
        self._sender = sender
        self._policy = policy
        self._mine = mine
        self._told: dict[Uid, tuple[float, float]] | None = None
        """Since when each flag stands, and when it was last told of; None before the first look."""
        self._last: float | None = None

    @property
    def error(self) -> str:
        """What went wrong with the last notice; empty while all is well."""
        return self._sender.error

    def look(self, rows: Iterable[Row], context: str, now: float) -> None:
        """Tell what is new; ``now`` in epoch seconds. Call it with every row, and only once all are known."""
        flagged = {row.rollout.uid: row for row in rows if row.flag is not None}
        if self._told is None or not self._mine():
            self._told = {uid: (_since(row), now) for uid, row in flagged.items()}
            return
        self._told = {uid: told for uid, told in self._told.items() if uid in flagged}
        if self._last is not None and 0.0 <= now - self._last < APART:
            return
        due = [row for row in flagged.values() if self._due(row, now)]
        self._told |= {row.rollout.uid: (_since(row), now) for row in due}
        calls = [row for row in due if row.flag is not None and row.flag.calls]
        if calls:
            self._last = now
            self._sender.put(Notice(words.title(calls, context), words.body(calls)))

    def _due(self, row: Row, now: float) -> bool:
        told = (self._told or {}).get(row.rollout.uid)
        if told is None or told[0] != _since(row):
            return True
        repeat = self._policy().repeat
        return bool(repeat) and abs(now - told[1]) >= repeat


def _since(row: Row) -> float:
    return 0.0 if row.flag is None else row.flag.since
