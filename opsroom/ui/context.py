"""One kube context on this board: its feed, what is seen of it, and everything that is armed and done there.

Screens are made for one context and hold its ``control``: a key that goes to a screen cannot act on another context
than the one whose rows that screen draws. It must not know which context is shown beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from opsroom.errors import OpsroomError
from opsroom.feed.frames import BREATH_SECONDS
from opsroom.feed.state import Link, LinkState
from opsroom.ui.alerts import Alerts
from opsroom.ui.control import Control, Keyboard
from opsroom.ui.deeds import Deeds
from opsroom.ui.freezing import Freezing
from opsroom.ui.options import Options
from opsroom.ui.paint import Paint
from opsroom.ui.sight import SLICE, Feed, Sight
from opsroom.view import strip
from opsroom.view.spark import Graphs


@dataclass(slots=True)
class Desk:
    """What all contexts of one screen share: colours, keyboard, clock, the terminal."""

    paint: Paint
    graphs: Graphs
    keyboard: Keyboard
    clock: Callable[[], float]
    write: Callable[[str], None]
    """Sends a sequence to the terminal."""
    changed: Callable[[], None]
    """The intent line has changed."""


class Context:
    """One context; ``tell_later`` is given what came to its end while another one is shown."""

    def __init__(
        self, options: Options, feed: Feed, desk: Desk, tell_later: Callable[[str, bool], None] = lambda text, bad: None
    ) -> None:
        replay = options.replay
        clock = desk.clock if replay is None else replay.time
        self.sight = sight = Sight(feed, clock, options.read_only, replay, options.context)
        sight.worker = options.worker
        self.deeds = Deeds(sight, options, desk.changed)
        self.deeds.ended = self._ended
        self.control = Control(options, sight, desk.paint, desk.graphs, self.deeds, desk.keyboard, desk.clock)
        self.freezing = Freezing(sight, options, self._say)
        self.alerts = Alerts(sight, options.bell, options.notices, desk.write)
        self.shown = False
        self.heard = asyncio.Event()
        """Set when the feed has brought a picture, or that nobody answers."""
        self._tell_later = tell_later

    async def read(self, painted: asyncio.Event, news: Callable[[], None]) -> None:
        """Read the feed as long as the screen stands; ``news`` is called where a picture should be drawn at once.

        Only what is shown is arranged and drawn; of the others the flagged rows are counted.
        """
        sight = self.sight
        try:
            async for told in sight.feed:
                if self.shown and (sight.room is None or sight.standing or isinstance(told, Link)):
                    news()
                else:
                    filling = sight.filling
                    while sight.absorb(SLICE):  # noqa: ASYNC110 - it waits for nothing, it lets keys pass
                        await asyncio.sleep(BREATH_SECONDS)
                    if self.shown and filling and not sight.filling:
                        news()
                if sight.room is not None or sight.feed.link.state is LinkState.LOST:
                    self.heard.set()
                if sight.filling:
                    await painted.wait()
        except OpsroomError as error:
            sight.broken = str(error)
        except Exception as error:  # the picture stays up whatever its source does
            sight.broken = f"its reader ended ({type(error).__name__}); start opsroom again"

    def come(self) -> None:
        """It is shown from now on."""
        self.shown = True
        self.sight.come()

    def leave(self) -> None:
        """Another one is shown from now on: nothing stays armed or half asked that nobody can see.

        What ended just now may not have been read yet, so it is told once more.
        """
        self.deeds.stop()
        self.freezing.forget()
        self.shown = False
        ended = self.deeds.under_way.end(self.sight.clock())
        if ended is not None:
            self._say(*ended)

    def _ended(self, text: str, bad: bool) -> None:
        if not self.shown:
            self._say(text, bad)

    def _say(self, text: str, bad: bool = False) -> None:
        if self.shown:
            self.deeds.say(text, bad)
        else:
            self._tell_later(strip.elsewhere(self.sight.name, text), bad)
