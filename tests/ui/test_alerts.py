"""A bell and a notice once a flag: not for what was there, not for what a person asked for, never in parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from opsroom.domain.board import Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.ui.alerts import APART, Alerts
from opsroom.ui.app import BoardApp, WallApp
from opsroom.ui.notices import Notices, clipboard, notice, notices_here, wrapped
from opsroom.ui.options import Options
from opsroom.ui.sight import Sight
from tests.ui.scenes import NOW, moving, room
from tests.ui.show import SceneFeed
from tests.ui.stage import HERE, Clock

CALM = tuple(moving(NOW))


def flagged(*names: str, reason: FlagReason = FlagReason.INCONCLUSIVE, since: float = NOW) -> tuple[Row, ...]:
    flag = Flag(reason=reason, since=since)
    return tuple(msgspec.structs.replace(row, flag=flag) if row.rollout.name in names else row for row in CALM)


class Desk:
    """A feed, a sight of it, and what the alerts wrote."""

    def __init__(self, rows: tuple[Row, ...] = CALM, how: Notices = Notices.OSC9, bell: bool = True) -> None:
        self.clock = Clock()
        self.feed = SceneFeed()
        self.sight = Sight(self.feed, self.clock)
        self.written: list[str] = []
        self.alerts = Alerts(self.sight, bell, how, self.written.append)
        self.alerts.look(0.0, {})
        self.show(rows)

    def show(self, rows: tuple[Row, ...], later: float = APART) -> list[str]:
        """What is written when ``rows`` come, ``later`` seconds after the last ones."""
        self.clock.now += later
        self.feed.show(rows, room(NOW), heard=self.clock.now)
        self.sight.take()
        self.alerts.look(self.clock.now, {})
        written, self.written[:] = list(self.written), []
        return written


def test_a_new_flag_is_told_once() -> None:
    desk = Desk()
    assert desk.show(flagged("media-proxy")) == ["\x07\x1b]9;media-proxy needs you in prod-eu\x07"]
    assert desk.show(flagged("media-proxy")) == []
    assert desk.show(CALM) == []
    assert len(desk.show(flagged("media-proxy", since=NOW + 60))) == 1


def test_what_is_there_at_the_beginning_is_not_new() -> None:
    desk = Desk(flagged("media-proxy"))
    assert desk.show(flagged("media-proxy")) == []


@pytest.mark.parametrize("reason", [FlagReason.PERSON])
def test_whoever_asked_needs_no_call(reason: FlagReason) -> None:
    assert Desk().show(flagged("media-proxy", reason=reason)) == []


def test_a_storm_of_flags_is_one_notice_and_then_another() -> None:
    desk = Desk()
    names = [row.rollout.name for row in CALM]
    assert desk.show(flagged(names[0])) != []
    assert desk.show(flagged(*names), later=1.0) == []
    (said,) = desk.show(flagged(*names), later=APART)
    assert f"{len(names) - 1} rollouts need you in prod-eu" in said
    assert "and 1 more" in said


def test_only_what_was_asked_for_is_written() -> None:
    assert Desk(bell=False).show(flagged("media-proxy")) == ["\x1b]9;media-proxy needs you in prod-eu\x07"]
    assert Desk(how=Notices.OFF).show(flagged("media-proxy")) == ["\x07"]
    assert Desk(how=Notices.OFF, bell=False).show(flagged("media-proxy")) == []


@pytest.mark.parametrize(
    ("wanted", "environment", "found"),
    [
        ("", {}, Notices.OSC9),
        ("", {"TERM": "foot"}, Notices.OSC777),
        ("", {"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, Notices.OFF),
        ("osc9", {"SSH_TTY": "/dev/pts/1"}, Notices.OSC9),
        ("off", {}, Notices.OFF),
    ],
)
def test_over_ssh_it_is_off_unless_it_was_named(wanted: str, environment: dict[str, str], found: Notices) -> None:
    assert notices_here(wanted, environment) is found


def test_a_copy_reaches_the_terminal_through_tmux_and_screen_too() -> None:
    plain = "\x1b]52;c;aGk=\x07"
    assert clipboard("aGk=", {}) == plain
    assert clipboard("aGk=", {"TMUX": "x"}) == plain + wrapped(plain, {"TMUX": "x"})
    assert clipboard("aGk=", {"STY": "1.pts"}) == f"\x1bP{plain}\x1b\\"


def test_tmux_is_passed_through_and_foreign_words_cannot_end_a_notice() -> None:
    assert wrapped("\x1b]9;a\x07", {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\"
    assert notice("a\x07\x1b]52;c;eA==\x07", Notices.OSC9) == "\x1b]9;a ]52;c;eA==\x07"
    assert notice("a;b\x1b\\", Notices.OSC777).count(";") == 3


def test_the_app_writes_it_to_the_terminal_and_the_wall_never_does() -> None:
    async def told(kind: Callable[..., BoardApp | WallApp]) -> list[str]:
        clock, feed = Clock(), SceneFeed(CALM)
        app = kind(Options(bell=True, notices=Notices.OSC9), feed, clock=clock, found=HERE)
        written: list[str] = []
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            app._tick()
            app.contexts.shown.alerts._write = written.append
            clock.now += 10.0
            feed.show(flagged("media-proxy"), room(NOW), heard=clock.now)
            app._tick()
        return written

    assert "media-proxy" in asyncio.run(told(BoardApp))[0]
    assert asyncio.run(told(WallApp)) == []
