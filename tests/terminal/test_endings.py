"""However it ends, the terminal is left as it was; and nothing foreign reaches it."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.terminal.screen import Terminal

RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1004l", b"\x1b[?2004l")
"""Main screen, cursor, focus reports, bracketed paste."""


def shown(*words: str, **environment: str) -> Terminal:
    terminal = Terminal(100, 30, *words, **environment)
    terminal.shows("NEEDS YOU")
    return terminal


def left_clean(terminal: Terminal) -> bool:
    last_entry = terminal.bytes.rindex(b"\x1b[?1049h")
    return all(terminal.bytes.rfind(sequence) > last_entry for sequence in RESTORED)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("driver", ["", "plain"])
def test_a_signal_leaves_the_terminal_clean(number: signal.Signals, code: int, driver: str) -> None:
    terminal = shown(OPSROOM_DRIVER=driver)
    terminal.kill(number)
    assert terminal.end() == code
    assert left_clean(terminal)
    assert b"Traceback" not in terminal.bytes


def test_q_and_twice_ctrl_c_leave() -> None:
    for keys in ("q", "\x03\x03"):
        terminal = shown()
        terminal.type(keys)
        assert terminal.end() == 0
        assert left_clean(terminal)


def test_a_suspended_board_comes_back_whole() -> None:
    terminal = shown(OPSROOM_SCENE_STILL="1")
    terminal.settle()
    before = terminal.cells()
    terminal.kill(signal.SIGTSTP)
    terminal.until(lambda: b"\x1b[?1049l" in terminal.bytes, "the main screen")
    stopped, status = os.waitpid(terminal.pid, os.WUNTRACED)
    assert stopped
    assert os.WIFSTOPPED(status)
    terminal.kill(signal.SIGCONT)
    terminal.until(lambda: terminal.bytes.count(b"\x1b[?1049h") == 2, "the alternate screen again")
    terminal.settle()
    assert terminal.cells() == before
    terminal.type("q")
    assert terminal.end() == 0


def test_it_ends_when_the_terminal_is_gone() -> None:
    assert shown().hang_up() == 129


def test_a_terminal_that_does_not_read_cannot_keep_it() -> None:
    terminal = shown("many")
    for _ in range(200):
        terminal.type("\x1b[6~\x1b[5~")
    terminal.kill(signal.SIGTERM)
    assert terminal.end() == 143


def test_foreign_words_never_reach_the_terminal_raw() -> None:
    terminal = shown("hostile")
    for keys in ("\r", "\x1b", "e", "\x1b"):
        terminal.type(keys)
        terminal.settle()
    terminal.type("q")
    assert terminal.end() == 0
    for sequence in (b"\x1b]52", b"\x1b[3J", b"\xc2\x9b", b"\xe2\x80\xae"):
        assert sequence not in terminal.bytes
    assert "[@click=app.quit]" in terminal.bytes.decode() or "click" in terminal.text


def test_no_color_writes_no_colour() -> None:
    terminal = shown(NO_COLOR="1")
    terminal.type("q")
    assert terminal.end() == 0
    codes = {code for found in re.findall(rb"\x1b\[([\d;]*)m", terminal.bytes) for code in found.split(b";") if code}
    assert codes <= {b"0", b"1", b"2", b"3", b"4", b"7", b"22", b"23", b"24", b"27"}


def test_without_utf8_graphs_are_ascii() -> None:
    terminal = shown(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    terminal.settle()
    assert terminal.text.isascii()
    terminal.type("q")
    assert terminal.end() == 0


def test_sixteen_colours_use_the_terminals_own() -> None:
    terminal = shown(TERM="xterm", COLORTERM="")
    terminal.type("q")
    assert terminal.end() == 0
    assert not re.search(rb"[34]8;[25];", terminal.bytes)
