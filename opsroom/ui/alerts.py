"""A bell and a desktop notice when something new waits for a person: once a flag, and never for what was there before.

Several flags that come together are one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opsroom.domain.rollout import Uid
from opsroom.ui.notices import Notices, notice, wrapped
from opsroom.ui.sight import Sight
from opsroom.view import notes

APART = 5.0
"""Seconds between two alerts; flags that come sooner are in the next one."""


class Alerts:
    """What was told already, and what is told next."""

    def __init__(self, sight: Sight, bell: bool, how: Notices, write: Callable[[str], None]) -> None:
        self._sight = sight
        self._bell = bell
        self._how = how
        self._write = write
        self._told: dict[Uid, float] | None = None
        """Since when each flag stands that was told, or was there from the beginning; None before the first picture."""
        self._last = -APART

    def look(self, clock: float, environment: Mapping[str, str]) -> None:
        """Tell what is new; ``clock`` is monotonic seconds."""
        flags = self._sight.census.flags
        if self._sight.room is None or self._sight.filling or not (self._bell or self._how is not Notices.OFF):
            return
        if self._told is None:
            self._told = {uid: flag.since for uid, flag in flags.items()}
        told = self._told
        for uid in told.keys() - flags.keys():
            del told[uid]
        if clock - self._last < APART:
            return
        new = [uid for uid, flag in flags.items() if told.get(uid) != flag.since]
        told.update((uid, flags[uid].since) for uid in new)
        names = sorted(row.rollout.name for uid in new if flags[uid].calls and (row := self._sight.rows.get(uid)))
        if not names:
            return
        self._last = clock
        text = notice(notes.needed(names, self._sight.name), self._how)
        self._write(("\x07" if self._bell else "") + (wrapped(text, environment) if text else ""))
