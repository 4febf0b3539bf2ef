"""A terminal driver that sends only cells that changed, and never more than one frame at a time.

Textual sends each dirty region whole and queues up to thirty writes; over a slow line that is seconds of stale
frames, and a terminal that stops reading blocks its event loop. Here a frame only changes what is *wanted*; a thread
sends the difference to what is *shown*, and while it writes, newer frames replace older ones. The thread is given
``HANDOVER_SECONDS`` for each frame; a terminal that reads more slowly is not waited for. ``OPSROOM_DRIVER=plain``
switches it off.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver

from opsroom.ui.shadow import Shadow

_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[?1049l"
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"

SYNC_BYTES = 1024
"""Frames from this size on are wrapped in synchronized output, where the terminal has it."""

HANDOVER_SECONDS = 0.005
"""How long whoever brings a frame stands aside for the thread that sends it: they share one interpreter, and what the
app does next would hold the frame up."""

LAST_WORDS_SECONDS = 1.0
"""How long the end may wait for a terminal that does not read."""


class FrameWriter:
    """Takes what Textual writes, and brings it to the terminal from a thread of its own.

    It has the face of Textual's ``WriterThread``: ``start``, ``write``, ``stop``.
    """

    def __init__(self, file: IO[str]) -> None:
        self._descriptor = file.fileno()
        self._shadow = Shadow(*_size(self._descriptor))
        self._work = threading.Condition()
        self._controls: list[str] = []
        self._active = False
        self._sync = False
        self._ended = False
        self._began: float | None = None
        """When the write that is under way began."""
        self._sent = threading.Event()
        """What was brought last has been sent."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="opsroom-output")

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def write(self, text: str) -> None:
        """Take a frame or control sequences; a terminal that does not read is not waited for."""
        with self._work:
            self._sync = self._sync or _SYNC_START in text
            if self._active:
                self._fit()
            for control in self._shadow.read(text):
                if control == _LEAVE:
                    self._controls.append(self._shadow.lift())
                self._controls.append(control)
                if control == _ENTER:
                    self._active = True
                    self._shadow.forget()
                elif control == _LEAVE:
                    self._active = False
            if text != _SYNC_START:
                self._work.notify()
            brought = self._active and self._shadow.changed and self._began is None and self._thread.is_alive()
            if brought:
                self._sent.clear()
        if brought:
            self._sent.wait(HANDOVER_SECONDS)

    def flush(self) -> None:
        """The thread flushes."""

    def stop(self) -> None:
        """Send what is left and end; a terminal that does not read is not waited for."""
        with self._work:
            self._ended = True
            self._work.notify()
        self._thread.join(LAST_WORDS_SECONDS)

    def _fit(self) -> None:
        size = _size(self._descriptor)
        if size != (self._shadow.wanted.wide, self._shadow.wanted.high):
            self._shadow.resize(*size)

    def _run(self) -> None:
        while True:
            with self._work:
                while not (self._ended or self._controls or (self._active and self._shadow.changed)):
                    self._work.wait()
                text = "".join(self._controls)
                self._controls.clear()
                frame = self._shadow.difference() if self._active else ""
                ended = self._ended
            if len(frame) >= SYNC_BYTES and self._sync:
                frame = f"{_SYNC_START}{frame}{_SYNC_END}"
            if not self._send((text + frame).encode("utf-8", errors="replace")) or (ended and not text and not frame):
                return
            self._sent.set()

    def _send(self, data: bytes) -> bool:
        """Write all of it; False when there is no terminal any more."""
        self._began = time.monotonic()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return False
        finally:
            self._began = None
        return True

    @property
    def stalled_for(self) -> float:
        """Seconds for which the terminal has not taken the frame that is being sent."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began


def _size(descriptor: int) -> tuple[int, int]:
    with contextlib.suppress(OSError):
        size = os.get_terminal_size(descriptor)
        if size.columns and size.lines:
            return size.columns, size.lines
    return 80, 25


class DiffingDriver(LinuxDriver):
    """Textual's driver, writing through a ``FrameWriter``.

    Textual makes its own writer thread at each start of application mode and keeps it in ``_writer_thread``; the
    property puts ours in its place (textual >= 8.2.8, < 8.3; a test holds that name).
    """

    _frames: FrameWriter | None = None

    @property  # type: ignore[override]
    def _writer_thread(self) -> FrameWriter | None:
        return self._frames

    @_writer_thread.setter
    def _writer_thread(self, made: Any) -> None:
        if self._frames is not None:
            self._frames.stop()
        self._frames = None if made is None else FrameWriter(sys.__stderr__ or sys.stderr)

    @property
    def stalled_for(self) -> float:
        """Seconds for which the person has not seen what was drawn."""
        return 0.0 if self._frames is None else self._frames.stalled_for

    def _get_terminal_size(self) -> tuple[int, int]:
        """The size of the terminal that the frames go to; Textual asks standard output's, which may be a file.

        A terminal that does not know its own size has one size all the same, for the screen and for its shadow.
        """
        return _size((sys.__stderr__ or sys.stderr).fileno())

    def run_input_thread(self) -> None:
        """Read keys; that the terminal is gone is not a crash (SIGHUP or the app's watch on it ends the app)."""
        with contextlib.suppress(OSError):
            super().run_input_thread()


def choose(environment: dict[str, str] | os._Environ[str]) -> type[LinuxDriver]:
    """The driver for this run."""
    return LinuxDriver if environment.get("OPSROOM_DRIVER") == "plain" else DiffingDriver
