"""An app that leaves its terminal clean whatever happens: signals, a terminal that is gone, ``ctrl+c``, a crash.

Textual handles none of SIGTERM, SIGHUP and end of input, and prints local variables when it crashes. It must not know
what the screens show.
"""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import traceback
from collections.abc import Callable

from textual.app import App
from textual.driver import Driver

from opsroom.ui.notices import clipboard
from opsroom.ui.terminal import hung_up

INTERRUPT = 2.0
"""Seconds within which a second ``ctrl+c`` leaves."""


class TerminalApp(App[int]):
    """Ends with a code; ``disarm`` is called before."""

    def __init__(self, driver_class: type[Driver] | None, ansi_color: bool, clock: Callable[[], float]) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self.animation_level = "none"
        self.crash = ""
        """Traceback of the error that ended the app, without local variables."""
        self._now = clock
        self._interrupted = -INTERRUPT

    def disarm(self) -> bool:
        """Stop what is armed; whether anything was."""
        raise NotImplementedError

    def interrupted(self) -> None:
        """``ctrl+c`` came, and nothing was armed."""
        raise NotImplementedError

    def heed_signals(self) -> None:
        """End in good order when we are told to, or when the terminal is closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, 128 + number)

    def _watch_terminal(self) -> None:
        """End when the terminal is gone: Textual's input thread would spin on it for ever, SIGHUP or not."""
        if not self.is_headless and hung_up():
            self._end(128 + signal.SIGHUP)

    def _end(self, code: int) -> None:
        self.disarm()
        self.exit(0 if code == 0 else code, return_code=code)

    def action_help_quit(self) -> None:
        """``ctrl+c``: stops what is armed; twice leaves."""
        now = self._now()
        if now - self._interrupted < INTERRUPT:
            self.action_leave()
            return
        self._interrupted = now
        if not self.disarm():
            self.interrupted()

    async def action_quit(self) -> None:
        """``ctrl+q``: as ``q``."""
        self.action_leave()

    def action_leave(self) -> None:
        """End; an armed deed is stopped, deeds that were sent go on in their own processes."""
        self._end(0)

    def copy_to_clipboard(self, text: str) -> None:
        """OSC 52; Textual's own does not get out of tmux."""
        coded = base64.b64encode(text.encode()).decode("ascii")
        self._write(clipboard(coded, os.environ))

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def _fatal_error(self) -> None:
        """Keep the traceback for the log: Textual's own would print local variables on the terminal."""
        self.crash = traceback.format_exc()
        self._close_messages_no_wait()
