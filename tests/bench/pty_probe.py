"""A program in a pty, measured as a person at the screen would: when bytes came, when keys went.

While the program runs nothing is drawn and nothing decoded: bytes are kept with the time at which they were read.
``screens`` draws them afterwards, so the emulator's cost is in no figure.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

CELLS, LINES = 120, 40
PATIENCE = 60.0
MERGED = 0.002
"""Reads that follow each other sooner are one frame (seconds)."""

_ASKED = re.compile(rb"\x1b\[\?2026\$p")
_YES = b"\x1b[?2026;2$y"
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>?=][\d;]*[a-z$]*[uph]")
_TORN = re.compile(rb"\x1b(?:\[[^@-~]*)?$")


@dataclass(slots=True)
class Probe:
    """One run of a program."""

    command: Sequence[str]
    environment: Mapping[str, str]
    limit: int = 0
    """Bytes a second that this terminal reads; 0: all at once."""
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    """When each key went."""
    began: float = 0.0
    process: int = 0
    _master: int = 0
    _paid: float = 0.0

    def start(self) -> None:
        """Begin."""
        self.began = time.monotonic()
        self.process, self._master = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, CELLS, 0, 0))
            os.execve(self.command[0], list(self.command), dict(self.environment))  # noqa: S606
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, CELLS, 0, 0))

    def pump(self, until: float) -> bool:
        """Read until that moment; False when the program has let go of the terminal."""
        while (left := until - time.monotonic()) > 0:
            if self.limit and self._paid > time.monotonic():
                time.sleep(min(left, self._paid - time.monotonic()))
                continue
            if not select.select([self._master], [], [], left)[0]:
                return True
            try:
                data = os.read(self._master, min(65536, self.limit // 50) if self.limit else 65536)
            except OSError:
                return False
            now = time.monotonic()
            self._paid = max(self._paid, now) + (len(data) / self.limit if self.limit else 0.0)
            self.reads.append((now, data))
            if _ASKED.search(data):
                os.write(self._master, _YES)
        return True

    def until(self, shown: Callable[[bytes], object]) -> None:
        """Read until the bytes so far please ``shown``."""
        end = time.monotonic() + PATIENCE
        while not shown(b"".join(data for _, data in self.reads)):
            if not self.pump(time.monotonic() + 0.01) or time.monotonic() > end:
                raise AssertionError(f"{self.command}: never showed it; {self.reads[-3:]}")

    def hold(self, key: bytes, rate: float, seconds: float) -> None:
        """Hold a key down; then read on until nothing comes any more for a while."""
        begin = time.monotonic()
        for number in range(int(rate * seconds)):
            self.pump(begin + number / rate)
            self.keys.append(time.monotonic())
            os.write(self._master, key)
        self.pump(time.monotonic() + (6.0 if self.limit else 1.5))

    def leave(self, key: bytes = b"q") -> float:
        """Press the key that leaves; returns the seconds until the process was gone."""
        asked = time.monotonic()
        os.write(self._master, key)
        while time.monotonic() < asked + PATIENCE:
            self.pump(time.monotonic() + 0.002)
            process, _ = os.waitpid(self.process, os.WNOHANG)
            if process:
                took = time.monotonic() - asked
                self.process = 0
                self.close()
                return took
        raise AssertionError(f"{self.command}: did not end")

    def close(self) -> None:
        """Let go; what is still there is killed."""
        with contextlib.suppress(OSError):
            os.close(self._master)
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            self.process = 0

    def memory(self) -> tuple[float, float]:
        """MiB of the process: resident, and its fair share of what is shared (PSS)."""
        text = Path(f"/proc/{self.process}/smaps_rollup").read_text()
        found = {words[0]: int(words[1]) for line in text.splitlines() if len(words := line.split()) == 3}
        return found["Rss:"] / 1024, found["Pss:"] / 1024

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        words = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def bytes_since(self, when: float) -> int:
        """Bytes that came after a moment."""
        return sum(len(data) for at, data in self.reads if at > when)

    def screens(self) -> Iterator[tuple[float, pyte.Screen]]:
        """The screen after each frame, with the time of its last byte; always the same object."""
        screen = pyte.Screen(CELLS, LINES)
        stream = pyte.ByteStream(screen)
        rest = b""
        for index, (at, data) in enumerate(self.reads):
            data = rest + data
            torn = _TORN.search(data)
            data, rest = (data[: torn.start()], data[torn.start() :]) if torn else (data, b"")
            stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
            if index + 1 == len(self.reads) or self.reads[index + 1][0] - at > MERGED:
                yield at, screen


def line_of(screen: pyte.Screen, y: int) -> str:
    """One line of a screen."""
    row = screen.buffer[y]
    return "".join(row[x].data for x in range(CELLS)).rstrip()


def text_of(screen: pyte.Screen) -> str:
    """All of a screen."""
    return "\n".join(line_of(screen, y) for y in range(LINES))
