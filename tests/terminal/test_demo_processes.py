"""The demo's processes: they come up as three, and none outlives the others, however they end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE = 60.0


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Look every 50 ms until ``holds``; False when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def children(parent: int) -> dict[str, int]:
    """Process ids of the demo's children by their command (``sim``, ``worker``)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            if status[0] != "Z" and int(status[1]) == parent and b"opsroom" in words:
                found[words[words.index(b"opsroom") + 1].decode()] = int(entry.name)
    return found


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Terminal:
    """The demo in a real pty."""

    def __init__(self) -> None:
        self.process, self.handle = pty.fork()
        if self.process == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", COLUMNS="100", LINES="30")
            os.execv(sys.executable, [sys.executable, "-m", "opsroom", "demo", "--seed", "7"])  # noqa: S606
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        os.set_blocking(self.handle, False)
        self.seen = b""
        self.ended: int | None = None

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self.handle, 65536):
                self.seen += data
        return self.seen

    def shows(self, text: bytes) -> bool:
        return text in self.read()

    def over(self) -> bool:
        self.read()
        if self.ended is None:
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.ended = os.waitstatus_to_exitcode(status)
        return self.ended is not None

    def close(self) -> None:
        if not self.over():
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.handle)


@pytest.fixture
def demo() -> Iterator[Terminal]:
    terminal = Terminal()
    try:
        yield terminal
    finally:
        terminal.close()


def running(demo: Terminal) -> dict[str, int]:
    assert until(lambda: demo.shows(b"MOVING") or demo.over())
    found = children(demo.process)
    assert set(found) == {"sim", "worker"}
    return found


def until_rows(demo: Terminal) -> int:
    """Where in what was written the rows begin."""
    assert until(lambda: demo.shows(b"MOVING"))
    return demo.seen.index(b"MOVING")


def test_the_first_frame_comes_before_anything_else(demo: Terminal) -> None:
    assert until(lambda: demo.shows(b"opsroom"))
    assert demo.seen.index(b"opsroom") < until_rows(demo)


@pytest.mark.parametrize("how", ["q", signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_outlives_the_screen(demo: Terminal, how: str | signal.Signals) -> None:
    found = running(demo)
    if isinstance(how, str):
        os.write(demo.handle, how.encode())
    else:
        os.kill(demo.process, how)
    assert until(demo.over)
    assert until(lambda: not any(alive(process) for process in found.values()))
    if how is not signal.SIGKILL:
        assert demo.read().endswith(b"\x1b[?1049l") or b"\x1b[?1049l" in demo.read()[-200:]


def test_a_killed_worker_is_started_again(demo: Terminal) -> None:
    found = running(demo)
    os.kill(found["worker"], signal.SIGKILL)
    assert until(lambda: children(demo.process).get("worker", found["worker"]) != found["worker"])
    assert not demo.over()


def test_a_killed_world_is_said_and_the_screen_stays(demo: Terminal) -> None:
    found = running(demo)
    before = len(demo.read())
    os.kill(found["sim"], signal.SIGKILL)
    assert until(lambda: not alive(found["sim"]))
    assert until(lambda: b"refused" in demo.read()[before:] or b"answer" in demo.read()[before:])
    assert not demo.over()
