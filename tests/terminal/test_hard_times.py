"""Terminals that stop reading, lose the keyboard, are dragged about or put away: no spinning, no late deed, no mess."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

from tests.terminal.screen import SECONDS, Terminal

RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1004l", b"\x1b[?2004l")
"""Main screen, cursor, focus reports, bracketed paste."""

IDLE = 0.6
"""Share of a processor that only something that spins takes, on however slow a machine."""


def processor(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def left_clean(drawn: bytes) -> bool:
    """Whether all that was switched on was switched off again."""
    last = drawn.rindex(b"\x1b[?1049h")
    return all(drawn.rfind(sequence) > last for sequence in RESTORED)


def waiting(master: int) -> int:
    """Bytes that the terminal has not read."""
    return int(struct.unpack("i", fcntl.ioctl(master, termios.FIONREAD, b"\0" * 4))[0])


def test_a_terminal_that_stops_reading_and_comes_back_shows_the_newest_picture() -> None:
    terminal = Terminal(100, 30, "many")
    try:
        terminal.shows("NEEDS YOU")
        terminal.settle()
        # Nothing is read from here on: pages are asked for until what waits does not grow any more.
        before, same, end = -1, 0, time.monotonic() + SECONDS
        while same < 10 and time.monotonic() < end:
            terminal.type("\x1b[6~\x1b[5~\x1b[6~")
            time.sleep(0.05)
            now = waiting(terminal.master)
            same, before = (same + 1 if now == before and now else 0), now
        assert before > 0
        began, had = time.monotonic(), processor(terminal.pid)
        time.sleep(1.5)
        assert processor(terminal.pid) - had < IDLE * (time.monotonic() - began)
        terminal.type("gS")
        terminal.shows("expected every")
        terminal.type("\x1b")
        terminal.shows("NEEDS YOU")
        terminal.type("q")
        assert terminal.end() == 0
        assert left_clean(terminal.bytes)
    finally:
        terminal.close()


def test_a_closed_keyboard_ends_it_and_leaves_the_screen_clean() -> None:
    keyboard, stdin = pty.openpty()
    screen, stderr = pty.openpty()
    for far in (stdin, stderr):
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    own = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "tests.ui.show"]
    process = subprocess.Popen(command, stdin=stdin, stdout=stderr, stderr=stderr, env=own, start_new_session=True)
    os.close(stdin)
    os.close(stderr)
    drawn = bytearray()
    try:
        while b"NEEDS YOU" not in drawn:
            drawn += os.read(screen, 65536)
        os.close(keyboard)
        keyboard = -1
        with contextlib.suppress(OSError):
            while data := os.read(screen, 65536):
                drawn += data
        assert process.wait(SECONDS) == 128 + signal.SIGHUP
        assert left_clean(bytes(drawn))
        assert b"Traceback" not in drawn
    finally:
        process.kill()
        process.wait()
        for near in (keyboard, screen):
            if near >= 0:
                os.close(near)


def test_after_a_storm_of_sizes_the_screen_is_as_if_it_had_begun_with_the_last() -> None:
    dragged = Terminal(120, 40, OPSROOM_SCENE_STILL="1")
    fresh = Terminal(96, 32, OPSROOM_SCENE_STILL="1")
    try:
        dragged.shows("NEEDS YOU")
        for turn in range(60):
            dragged.resize(70 + turn * 7 % 60, 20 + turn * 5 % 25)
            dragged.pump(0.01)
        dragged.resize(96, 32)
        fresh.shows("NEEDS YOU")
        fresh.settle()
        dragged.until(lambda: dragged.text == fresh.text, "the last size")
        dragged.settle()
        assert dragged.cells() == fresh.cells()
        began, had = time.monotonic(), processor(dragged.pid)
        dragged.pump(0.0)
        time.sleep(1.0)
        assert processor(dragged.pid) - had < IDLE * (time.monotonic() - began)
        for terminal in (dragged, fresh):
            terminal.type("q")
            assert terminal.end() == 0
    finally:
        dragged.close()
        fresh.close()


def test_what_was_armed_when_it_was_put_away_is_not_done_when_it_comes_back() -> None:
    terminal = Terminal(100, 30, OPSROOM_SCENE_COUNTDOWN="5")
    try:
        terminal.shows("NEEDS YOU")
        terminal.until(lambda: "k8s 2s" in terminal.text, "the second second")
        terminal.type("x")
        terminal.shows("esc stops it")
        terminal.kill(signal.SIGTSTP)
        terminal.until(lambda: b"\x1b[?1049l" in terminal.bytes, "the main screen")
        os.waitpid(terminal.pid, os.WUNTRACED)
        time.sleep(5.5)
        terminal.kill(signal.SIGCONT)
        terminal.until(lambda: terminal.bytes.count(b"\x1b[?1049h") == 2, "the screen again")
        terminal.shows("NEEDS YOU")
        terminal.pump(0.5)
        terminal.settle()
        assert b"Done" not in terminal.bytes
        assert "ournalled" not in terminal.text
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
