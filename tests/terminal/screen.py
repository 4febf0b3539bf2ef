"""A real terminal for tests: a program in a pty, keys typed at it, its bytes kept and drawn by an emulator."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable

import pyte

SECONDS = 60.0
"""No program may take longer for anything, on however busy a machine."""


class Terminal:
    """One program in a pty of its own."""

    program = "tests.ui.show"
    """The module that is run."""

    def __init__(self, cells: int, lines: int, *words: str, **environment: str) -> None:
        self.bytes = b""
        self.screen = pyte.Screen(cells, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            own = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
            own |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **environment}
            os.execve(sys.executable, [sys.executable, "-m", self.program, *words], own)  # noqa: S606
        self.resize(cells, lines)

    def resize(self, cells: int, lines: int) -> None:
        """Another size; the program is told by SIGWINCH."""
        self.screen.resize(lines, cells)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, cells, 0, 0))

    def pump(self, seconds: float) -> bool:
        """Read what comes; False when the program has ended."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.bytes += data
        # pyte knows neither private SGR-like sequences nor kitty's keyboard modes.
        self._stream.feed(re.sub(rb"\x1b\[[<>?=][\d;]*[a-z$]*[uph]", b"", data))
        return bool(data)

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for an event on the screen."""
        end = time.monotonic() + SECONDS
        while not true():
            if not self.pump(0.2) or time.monotonic() > end:
                raise AssertionError(f"{what} never came:\n{self.text}")

    def shows(self, words: str) -> None:
        """Wait until the screen shows ``words``."""
        self.until(lambda: words in self.text, repr(words))

    def settle(self) -> None:
        """Wait until nothing more is written."""
        quiet = 0
        while quiet < 3:
            before = len(self.bytes)
            self.pump(0.1)
            quiet = quiet + 1 if len(self.bytes) == before else 0

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> int:
        """Take the terminal away, as a dropped connection does; returns the exit code."""
        os.close(self.master)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        self.close()
        raise AssertionError("it did not end")

    def end(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            self.pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.pump(0.05) and select.select([self.master], [], [], 0.0)[0]:
                    pass
                self.close()
                return os.waitstatus_to_exitcode(status)
        self.close()
        raise AssertionError("it did not end")

    def close(self) -> None:
        """Let go of the terminal; a program that is still there is killed."""
        with contextlib.suppress(OSError):
            os.close(self.master)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def cells(self) -> list[list[tuple[str, str, str, bool, bool, bool, bool]]]:
        """Glyph, colours and attributes of each cell; what cannot be seen on a blank is left out."""
        rows = []
        for y in range(self.screen.lines):
            row = []
            for x in range(self.screen.columns):
                cell = self.screen.buffer[y][x]
                seen = cell.data != " " or cell.reverse or cell.underscore
                fore = cell.fg if seen else "default"
                row.append(
                    (cell.data, fore, cell.bg, cell.bold and seen, cell.italics and seen, cell.reverse, cell.underscore)
                )
            rows.append(row)
        return rows
