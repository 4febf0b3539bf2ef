"""The contexts of one board: one is shown, all of them are live, and the strip tells of those that are not shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from opsroom.ui.context import Context, Desk
from opsroom.ui.options import Options
from opsroom.ui.sight import SLICE, Feed
from opsroom.view.strip import Neighbour


class Contexts:
    """At least one; the first is shown first."""

    def __init__(self, opened: Sequence[tuple[Options, Feed]], desk: Desk) -> None:
        self._desk = desk
        self._untold: deque[tuple[str, bool]] = deque()
        """What came to its end where nobody looked, and has still to be said."""
        later = lambda text, bad: self._untold.append((text, bad))  # noqa: E731 - it fills one line and has one use
        self.all = [Context(options, feed, desk, later) for options, feed in opened]
        self.at = 0
        self.shown.shown = True
        if len(self.all) > 1:
            for context in self.all:
                context.sight.others = self._others
                context.control.several = True

    @property
    def shown(self) -> Context:
        """The one on the screen."""
        return self.all[self.at]

    def show(self, at: int) -> None:
        """Show another one; what was armed in the one before is stopped."""
        self.shown.leave()
        self.at = at
        self.shown.come()

    def look(self, environment: Mapping[str, str]) -> None:
        """Take what came in, and ring for new flags wherever they are."""
        self.shown.sight.take()
        for context in self.all:
            if not context.shown:
                context.sight.absorb(SLICE)
            context.alerts.look(self._desk.clock(), environment)

    def count(self) -> None:
        """Let countdowns run, and say what came of deeds in other contexts once the line is free."""
        for context in self.all:
            context.deeds.tick()
        if self._untold and self.shown.deeds.quiet:
            self.shown.deeds.say(*self._untold.popleft())

    async def close(self) -> None:
        """The screen ends: nothing armed outlives it."""
        for context in self.all:
            await context.deeds.close()

    def _others(self) -> tuple[Neighbour, ...]:
        return tuple(each.sight.seen_from_elsewhere() for each in self.all if not each.shown)
