"""What board and wall have in common: the contexts they show, the ticks, colours, and keys on their way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.driver import Driver

from opsroom.clock import awake_or_not
from opsroom.domain.intent import STALL
from opsroom.ui import splash, terminal
from opsroom.ui.actions import Place
from opsroom.ui.context import Desk
from opsroom.ui.contexts import Contexts
from opsroom.ui.control import Control, Keyboard, LinesScreen
from opsroom.ui.options import Options
from opsroom.ui.paint import Paint
from opsroom.ui.settled import Palette
from opsroom.ui.sight import Feed
from opsroom.ui.theme_file import find
from opsroom.ui.themed_app import ThemedApp
from opsroom.view import notes, strip

if TYPE_CHECKING:
    from textual.command import Provider

TICK = 0.5
"""Seconds between two looks at the feed: the picture is repainted at most twice a second."""

COUNT = 0.2
"""Seconds between two looks at the countdown."""

FIRST_NEWS = 0.15
"""Seconds for which the first frame waits for a picture, so that it is not painted twice; a worker on this machine
needs a tenth of that."""


def _action_provider() -> type[Provider]:
    from opsroom.ui.commands import ActionProvider

    return ActionProvider


def _mode(at: int) -> str:
    """Textual's name for the stack of screens of the context at this place."""
    return f"context-{at}"


class RoomApp(ThemedApp):
    """What board and wall have in common."""

    CSS_PATH = "opsroom.tcss"
    DEFAULT_MODE = _mode(0)
    ENABLE_COMMAND_PALETTE = False
    COMMANDS = {_action_provider}  # noqa: RUF012
    COMMAND_PALETTE_BINDING = "f24"
    tick_seconds = TICK

    def __init__(
        self,
        options: Options,
        feed: Feed,
        clock: Callable[[], float] = awake_or_not,
        driver_class: type[Driver] | None = None,
        found: terminal.Terminal | None = None,
        others: Sequence[tuple[Options, Feed]] = (),
    ) -> None:
        """``others`` are the contexts beside the first; what is not about a context is as ``options`` say."""
        here = found or terminal.Terminal(colourless=bool(os.environ.get("NO_COLOR")), sixteen=False, unicode=True)
        theme = find(here.theme(options.theme), options.theme_folders)
        paint = Paint(theme)
        super().__init__(paint, options.theme_folders, driver_class, clock)
        desk = Desk(paint, here.graphs(options.graphs), Keyboard(focused=None), clock, self._write, self._changed)
        self.contexts = Contexts([(options, feed), *others], desk)
        self._painted = asyncio.Event()

    @property
    def control(self) -> Control:
        """What the screens of the shown context share."""
        return self.contexts.shown.control

    def first_screen(self, control: Control) -> LinesScreen:
        """The screen of a context that stays below all its others."""
        raise NotImplementedError

    def get_default_screen(self) -> LinesScreen:
        """Textual's hook: no empty screen is made and painted before ours."""
        return self.first_screen(self.control)

    async def on_load(self) -> None:
        """Read the feed; the splash stands until the board is painted."""
        self.heed_signals()
        first = self.contexts.shown
        self.run_worker(first.read(self._painted, self._tick), exit_on_error=False)
        if first.sight.feed.board.room is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_NEWS):
                    await first.heard.wait()
        first.sight.take()

    def on_mount(self) -> None:
        """Begin to look and listen."""
        splash.handed_over()
        for at, context in enumerate(self.contexts.all):
            self.add_mode(_mode(at), partial(self.first_screen, context.control))
        self.set_keymap(self.control.options.keymap)
        self.control.keyboard.focused = self.control.clock()
        self.call_after_refresh(self._first_painted)
        self.set_interval(self.tick_seconds, self._tick)
        self.set_interval(COUNT, self._count)
        self.set_interval(1.0, self._reload_theme)
        self.set_interval(1.0, self._watch_terminal)

    def _first_painted(self) -> None:
        self._painted.set()
        # What a deed needs is not first read at the deed: an upgrade may have exchanged the files by then.
        from opsroom.ui import attempt  # noqa: F401 - the first frame did not wait for it

        for context in self.contexts.all[1:]:
            self.run_worker(context.read(self._painted, self._tick), exit_on_error=False)
        if not gc.isenabled():
            # What is here now stays, but for the argument parser and the like; from here on the collector need not look
            # through it, which would hold up keys.
            gc.collect()
            gc.freeze()
            gc.enable()

    async def on_unmount(self) -> None:
        """Nothing armed outlives the screen."""
        await self.contexts.close()

    def disarm(self) -> bool:
        """Stop what is armed; whether anything was."""
        return self.control.deeds.stop()

    def interrupted(self) -> None:
        """``ctrl+c`` came, and nothing was armed."""
        self.say(notes.INTERRUPT)

    def say(self, text: str, bad: bool = False) -> None:
        """A note on the intent line."""
        self.control.deeds.say(text, bad)

    def _tick(self) -> None:
        self.contexts.look(os.environ)
        self.redraw()

    def _count(self) -> None:
        stalled: float = getattr(self._driver, "stalled_for", 0.0)
        if stalled > STALL:
            self.control.deeds.stalled()
        self.contexts.count()

    def _changed(self) -> None:
        if self.is_running and isinstance(self.screen, LinesScreen):
            self.screen.draw_bar()

    def redraw(self) -> None:
        """Draw what changed on the screen that is on top."""
        if self.screen_stack and isinstance(self.screen, LinesScreen) and self.screen.is_mounted:
            self.screen.redraw()

    def action_repaint(self) -> None:
        """Paint everything again."""
        self.control.sight.take()
        self.redraw()
        self.screen.refresh(layout=True)

    def action_freeze_all(self) -> None:
        """Freeze or thaw: the same key twice."""
        self.control.deeds.stop()
        screen = self.screen
        modal = not (isinstance(screen, LinesScreen) and screen.place is not Place.PAGE and not screen.cramped)
        self.contexts.shown.freezing.press(self.control.keyboard.hands(self.control.clock(), modal=modal))

    def action_show(self, page: str) -> None:
        """Open a page."""
        from opsroom.ui.pages import PageScreen

        self.control.deeds.stop()
        self.push_screen(PageScreen(self.control, page))

    def action_palette(self) -> None:
        """Find an action by its name."""
        self.control.deeds.stop()
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_context(self, by: int) -> None:
        """The next context, or the one before."""
        if len(self.contexts.all) == 1:
            self.control.deeds.stop()
            self.say(strip.ONE_CONTEXT)
        else:
            self.action_show_context((self.contexts.at + by) % len(self.contexts.all))

    def action_show_context(self, at: int) -> None:
        """Show a context on its own screens, as they were left."""
        self.contexts.show(at)
        self.switch_mode(_mode(at))
        self.paint_anew()
        self.call_after_refresh(self.redraw)

    async def on_event(self, event: events.Event) -> None:
        """Note when keys come: faster than a person types is a paste."""
        if isinstance(event, events.Key):
            # Bindings are looked up when a key has travelled up to here; by then a filter may have opened.
            if event.is_forwarded and isinstance(self.screen, LinesScreen) and self.screen.takes(event):
                return
            if not event.is_forwarded:
                now = self.control.clock()
                # Textual's clock stands still while the machine sleeps; a test's own has nothing to do with it.
                waited = time.monotonic() - event.time if self.control.clock is awake_or_not else 0.0
                self.control.keyboard.pressed(now, now - waited)
                self.control.deeds.came(event.key)
                self.control.deeds.hurried(self.control.keyboard.hands(now, modal=False))
        elif isinstance(event, events.AppFocus):
            self.control.keyboard.focused = self.control.clock()
        elif isinstance(event, events.AppBlur):
            self.control.keyboard.focused = None
            self.control.deeds.stop()
        await super().on_event(event)
