"""What board and wall have in common: the shared parts, the feed, the ticks, and a clean end whatever happens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.driver import Driver

from opsroom.clock import awake_or_not
from opsroom.domain.intent import STALL
from opsroom.errors import OpsroomError
from opsroom.feed.frames import BREATH_SECONDS
from opsroom.feed.state import Link, LinkState
from opsroom.ui import splash, terminal
from opsroom.ui.actions import Place
from opsroom.ui.alerts import Alerts
from opsroom.ui.control import Control, Keyboard, LinesScreen
from opsroom.ui.deeds import Deeds
from opsroom.ui.freezing import Freezing
from opsroom.ui.notices import clipboard
from opsroom.ui.options import Options
from opsroom.ui.paint import Paint
from opsroom.ui.settled import Palette
from opsroom.ui.sight import SLICE, Feed, Sight
from opsroom.ui.terminal import hung_up
from opsroom.ui.theme_file import ThemeFile, find
from opsroom.ui.theming import Themes
from opsroom.view import words

if TYPE_CHECKING:
    from textual.command import Provider

TICK = 0.5
"""Seconds between two looks at the feed: the picture is repainted at most twice a second."""

COUNT = 0.2
"""Seconds between two looks at the countdown."""

FIRST_NEWS = 0.15
"""Seconds for which the first frame waits for a picture, so that it is not painted twice; a worker on this machine
needs a tenth of that."""

INTERRUPT = 2.0
"""Seconds within which a second ``ctrl+c`` leaves."""


def _action_provider() -> type[Provider]:
    from opsroom.ui.commands import ActionProvider

    return ActionProvider


class RoomApp(App[int]):
    """What board and wall have in common."""

    CSS_PATH = "opsroom.tcss"
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
    ) -> None:
        here = found or terminal.Terminal(colourless=bool(os.environ.get("NO_COLOR")), sixteen=False, unicode=True)
        theme = find(here.theme(options.theme), options.theme_folders)
        # An ANSI theme must be chosen at construction: only then NO_COLOR writes no colour codes at all.
        super().__init__(driver_class=driver_class, ansi_color=theme.ansi)
        self.animation_level = "none"
        paint = Paint(theme)
        replay = options.replay
        sight = Sight(feed, clock if replay is None else replay.time, options.read_only, replay)
        sight.worker = options.worker
        deeds = Deeds(sight, options, self._changed)
        keyboard = Keyboard(focused=None)
        self.control = Control(options, sight, paint, here.graphs(options.graphs), deeds, keyboard, clock)
        self.freezing = Freezing(sight, options, deeds.say)
        self.crash = ""
        """Traceback of the error that ended the app, without local variables."""
        self._feed = feed
        self._heard = asyncio.Event()
        """Set when the feed has brought a picture, or that nobody answers."""
        self._painted = asyncio.Event()
        self._interrupted = -INTERRUPT
        self._themes = Themes(paint, options.theme_folders)
        self._alerts = Alerts(sight, options.bell, options.notices, self._write)
        self._use_theme()

    def first_screen(self) -> LinesScreen:
        """The screen that stays below all others."""
        raise NotImplementedError

    def _use_theme(self) -> None:
        theme = self.control.paint.textual_theme()
        self.register_theme(theme)
        self.theme = theme.name

    def get_default_screen(self) -> LinesScreen:
        """Textual's hook: no empty screen is made and painted before ours."""
        return self.first_screen()

    async def on_load(self) -> None:
        """Read the feed; the splash stands until the board is painted."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, 128 + number)
        self.run_worker(self._read_feed(), exit_on_error=False)
        if self._feed.board.room is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_NEWS):
                    await self._heard.wait()
        self.control.sight.take()

    def on_mount(self) -> None:
        """Begin to look and listen."""
        splash.handed_over()
        self.set_keymap(self.control.options.keymap)
        self.control.keyboard.focused = self.control.clock()
        self.call_after_refresh(self._first_painted)
        self.set_interval(self.tick_seconds, self._tick)
        self.set_interval(COUNT, self._count)
        self.set_interval(1.0, self._reload_theme)
        self.set_interval(1.0, self._watch_terminal)

    def _first_painted(self) -> None:
        self._painted.set()
        if not gc.isenabled():
            # What is here now stays; the collector need not look through it, which would hold up keys.
            gc.freeze()
            gc.enable()

    def _watch_terminal(self) -> None:
        """End when the terminal is gone: Textual's input thread would spin on it for ever, SIGHUP or not."""
        if not self.is_headless and hung_up():
            self._end(128 + signal.SIGHUP)

    def action_help_quit(self) -> None:
        """``ctrl+c``: stops what is armed; twice leaves."""
        now = self.control.clock()
        if now - self._interrupted < INTERRUPT:
            self.action_leave()
            return
        self._interrupted = now
        if not self.control.deeds.stop():
            self.control.deeds.say(words.INTERRUPT)

    async def on_unmount(self) -> None:
        """Nothing armed outlives the screen."""
        await self.control.deeds.close()

    def _end(self, code: int) -> None:
        self.control.deeds.stop()
        self.exit(0 if code == 0 else code, return_code=code)

    async def _read_feed(self) -> None:
        sight = self.control.sight
        try:
            async for told in self._feed:
                if sight.room is None or sight.standing or isinstance(told, Link):
                    self._tick()
                else:
                    filling = sight.filling
                    while sight.absorb(SLICE):  # noqa: ASYNC110 - it waits for nothing, it lets keys pass
                        await asyncio.sleep(BREATH_SECONDS)
                    if filling and not sight.filling:
                        self._tick()
                if sight.room is not None or self._feed.link.state is LinkState.LOST:
                    self._heard.set()
                if sight.filling:
                    await self._painted.wait()
        except OpsroomError as error:
            sight.broken = str(error)
        except Exception as error:  # the picture stays up whatever its source does
            sight.broken = f"its reader ended ({type(error).__name__}); start opsroom again"

    def _tick(self) -> None:
        sight = self.control.sight
        sight.take()
        self._alerts.look(self.control.clock(), os.environ)
        self._redraw()

    def _count(self) -> None:
        stalled: float = getattr(self._driver, "stalled_for", 0.0)
        if stalled > STALL:
            self.control.deeds.stalled()
        self.control.deeds.tick()

    def _changed(self) -> None:
        if self.is_running and isinstance(self.screen, LinesScreen):
            self.screen.draw_bar()

    def _redraw(self) -> None:
        if self.screen_stack and isinstance(self.screen, LinesScreen) and self.screen.is_mounted:
            self.screen.redraw()

    def _reload_theme(self) -> None:
        self._try_theme(self._themes.changed)

    def _try_theme(self, choose: Callable[[], ThemeFile | None]) -> ThemeFile | None:
        try:
            theme = choose()
        except OpsroomError as error:
            self.control.deeds.say(str(error), bad=True)
            return None
        if theme is not None:
            self._change_theme(theme)
        return theme

    def _change_theme(self, theme: ThemeFile) -> None:
        self.control.paint.change(theme)
        self._use_theme()
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.query("*"):
                widget.refresh()
        self._redraw()

    def action_theme(self) -> None:
        """The next theme of the same kind."""
        theme = self._try_theme(self._themes.next)
        if theme is not None:
            self.control.deeds.say(f"theme {theme.name}")

    def copy_to_clipboard(self, text: str) -> None:
        """OSC 52; Textual's own does not get out of tmux."""
        coded = base64.b64encode(text.encode()).decode("ascii")
        self._write(clipboard(coded, os.environ))

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def action_repaint(self) -> None:
        """Paint everything again."""
        self.control.sight.take()
        self._redraw()
        self.screen.refresh(layout=True)

    def action_freeze_all(self) -> None:
        """Freeze or thaw: the same key twice."""
        self.control.deeds.stop()
        screen = self.screen
        modal = not (isinstance(screen, LinesScreen) and screen.place is not Place.PAGE and not screen.cramped)
        self.freezing.press(self.control.keyboard.hands(self.control.clock(), modal=modal))

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

    async def action_quit(self) -> None:
        """``ctrl+q``: as ``q``."""
        self.action_leave()

    def action_leave(self) -> None:
        """End; an armed deed is stopped, deeds that were sent go on in their own processes."""
        self._end(0)

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

    def _fatal_error(self) -> None:
        """Keep the traceback for the log: Textual's own would print local variables on the terminal."""
        self.crash = traceback.format_exc()
        self._close_messages_no_wait()
