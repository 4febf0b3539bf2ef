"""A recording in the board's screens: its own time, its own keys, and nothing that acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from opsroom.feed.frames import Delta, Picture
from opsroom.feed.record import Recorder
from opsroom.feed.replay import Replay
from opsroom.feed.state import Board
from opsroom.ui.app import BoardApp
from opsroom.ui.late_feed import LateFeed
from opsroom.ui.options import Options
from tests.ui.scenes import NOW, all_rows, room
from tests.ui.show import many
from tests.ui.stage import HERE, Clock, screen_text

PICTURES = 30
"""Ten seconds apart; the weight of every rollout counts them."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "incident.rec"
    recorder, board = Recorder(path), Board()
    for turn in range(PICTURES):
        at = NOW + 10 * turn
        rows = tuple(
            msgspec.structs.replace(row, rollout=msgspec.structs.replace(row.rollout, weight=turn))
            for row in all_rows(NOW)[:8]
        )
        board.apply(Picture(seq=turn + 1, room=room(at + 1), rows=rows), 0.0)
        recorder.note(board)
    recorder.close()
    return path


def run(path: Path, play: Callable[[Pilot[int], BoardApp, Replay, Clock], Awaitable[None]]) -> None:
    async def on_stage() -> None:
        clock = Clock()
        replay = Replay(path, clock=clock)
        app = BoardApp(Options(replay=replay, act=("/bin/false",)), replay, clock=clock, found=HERE)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.control.sight.room is not None)
            await play(pilot, app, replay, clock)

    asyncio.run(on_stage())


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.01)


def shown(app: BoardApp) -> int:
    """Which picture is on the screen."""
    return next(iter(app.control.sight.rows.values())).rollout.weight


def test_the_header_says_that_it_is_a_replay_and_how_far(recording: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, replay: Replay, clock: Clock) -> None:
        await pilot.press("space")
        await pilot.pause()
        text = screen_text(app)
        assert "REPLAY" in text.splitlines()[0]
        assert "REPLAY  0s of 4m 50s, paused" in text.splitlines()[1]
        assert "12:04:31" in text.splitlines()[0]
        assert "space go on" in text.splitlines()[-1]
        assert "promote" not in text.splitlines()[-1]

    run(recording, play)


def test_keys_step_seek_and_set_the_pace(recording: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, replay: Replay, clock: Clock) -> None:
        for keys, picture in (("full_stop", 1), ("full_stop", 2), ("comma", 1), ("right", 2), (">", 8), ("left", 7)):
            await pilot.press(keys)
            await until(pilot, lambda picture=picture: shown(app) == picture)  # type: ignore[misc]
        await pilot.press("+", "+", "-")
        assert replay.speed == 2.0
        await pilot.press("<", "<")
        await until(pilot, lambda: shown(app) == 0)

    run(recording, play)


def test_ages_stand_still_while_it_is_paused_and_at_its_end(recording: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, replay: Replay, clock: Clock) -> None:
        await pilot.press("space")
        before = screen_text(app)
        clock.now += 3600.0
        app._tick()
        await pilot.pause()
        assert screen_text(app) == before
        replay.seek(replay.end)
        await until(pilot, lambda: replay.over)
        clock.now += 3600.0
        app._tick()
        await pilot.pause()
        assert "4m 50s of 4m 50s, ended" in screen_text(app)
        assert "stale" not in screen_text(app).splitlines()[0]
        await pilot.press("space")
        await until(pilot, lambda: shown(app) == 0 and not replay.over)

    run(recording, play)


def test_it_plays_by_its_own_clock(recording: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, replay: Replay, clock: Clock) -> None:
        replay.pace(4.0)
        clock.now += 5.0
        replay.pace(4.0)
        await until(pilot, lambda: shown(app) == 2)
        app._tick()
        assert "20s of 4m 50s, 4 x" in screen_text(app)

    run(recording, play)


def test_no_key_acts_on_a_recording(recording: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, replay: Replay, clock: Clock) -> None:
        await pilot.press("n")
        clock.now += 1.0
        for key in ("p", "x", "f", "a", "exclamation_mark"):
            await pilot.press(key)
            assert app.control.deeds.armed is None
            assert app.control.deeds.last is None
            assert "read-only" in screen_text(app) or "flagged already" in screen_text(app)

    run(recording, play)


def test_a_large_picture_is_recorded_in_all_its_parts(tmp_path: Path) -> None:
    rows = many(450, NOW)
    path = tmp_path / "large.rec"
    recorder, board = Recorder(path), Board()
    for seq, at in ((1, NOW), (2, NOW + 31)):
        for begin in range(0, 450, 200):
            part = Picture(seq=seq, room=room(at + 1), rows=rows[begin : begin + 200], more=begin + 200 < 450)
            if board.apply(part, 0.0):
                recorder.note(board)
    changed = [msgspec.structs.replace(row, result=f"r{at}") for at, row in enumerate(rows)]
    for begin in range(0, 450, 200):
        delta = Delta(seq=3, since=2, room=room(NOW + 41), rows=tuple(changed[begin : begin + 200]), more=begin < 400)
        if board.apply(delta, 0.0):
            recorder.note(board)
    recorder.close()

    async def play() -> None:
        replay = Replay(path, speed=1e6)
        async for _ in replay:
            if replay.over:
                break
        assert replay.board.rows == board.rows
        assert len(replay.members) == 2

    asyncio.run(play())


def test_a_full_disk_ends_the_recording_and_not_the_screen(tmp_path: Path) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        recorder = Recorder(tmp_path / "a.rec")
        recorder._file.close()
        recorder._file = full
        feed = LateFeed("unix:/nowhere", None, Clock(), recorder)
        board = Board()
        board.apply(Picture(seq=1, room=room(NOW), rows=()), 0.0)
        feed._record(board)
        assert "No space left" in feed.unrecorded
        feed._record(board)
