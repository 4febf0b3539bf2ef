"""Recordings survive being cut off, and replay what was seen."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Room, Row
from opsroom.feed.frames import Delta, Picture
from opsroom.feed.published import Published, Viewer
from opsroom.feed.record import MEMBER_SECONDS, Recorder, RecordingError
from opsroom.feed.replay import Replay
from opsroom.feed.state import Board, Link, LinkState
from tests.feed.reading import read


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory, make_row: Callable[..., Row]) -> tuple[Path, dict[float, Row]]:
    """A minute and a half at one picture every 5 s, and what the one row was at each time."""
    path = tmp_path_factory.mktemp("recording") / "a.jsonl.gz"
    recorder, published, board, truth = Recorder(path), Published(), Board(), dict[float, Row]()
    for turn in range(18):
        at = 1000.0 + turn * 5
        truth[at] = make_row(1, turn, big=True)
        published.publish(Room(at=at), [truth[at]])
        for data in published.frames_since(board.seq, Viewer()):
            frame = read(data)
            assert isinstance(frame, Picture | Delta)
            board.apply(frame, 0.0)
            recorder.note(board)
    recorder.close()
    return path, truth


async def played(replay: Replay) -> dict[float, Row]:
    """Every picture of a replay by its time."""
    seen: dict[float, Row] = {}
    async for told in replay:
        if isinstance(told, Link) and told.state is LinkState.LOST:
            break
        if isinstance(told, Picture | Delta):
            (seen[told.room.at],) = replay.board.rows.values()
    return seen


def test_a_replay_shows_what_was_recorded(recording: tuple[Path, dict[float, Row]]) -> None:
    path, truth = recording
    assert asyncio.run(played(Replay(path, speed=1e6))) == truth


def test_a_replay_starts_anywhere(recording: tuple[Path, dict[float, Row]]) -> None:
    path, truth = recording

    async def one(goal: float) -> Row:
        replay, ended = Replay(path, speed=1e6), False
        async for told in replay:
            if isinstance(told, Link) and told.state is LinkState.LOST:
                ended = True
                replay.seek(goal)
            elif ended and isinstance(told, Picture | Delta):
                return next(iter(replay.board.rows.values()))
        raise AssertionError

    for goal in (1000.0, 1003.0, 1030.0, 1064.9, 1085.0):
        assert asyncio.run(one(goal)) == truth[max(at for at in truth if at <= goal)]


def test_seeking_wakes_a_waiting_replay(recording: tuple[Path, dict[float, Row]]) -> None:
    path, _ = recording

    async def run() -> list[float]:
        replay, seen = Replay(path, speed=0.001), list[float]()
        async for told in replay:
            if isinstance(told, Picture | Delta):
                seen.append(told.room.at)
                if len(seen) == 1:
                    asyncio.get_running_loop().call_soon(replay.seek, 1061.0)
                else:
                    break
        return seen

    assert asyncio.run(run()) == [1000.0, 1060.0]


def test_a_paused_replay_stands_still_until_it_goes_on(recording: tuple[Path, dict[float, Row]]) -> None:
    path, _ = recording

    async def run() -> int:
        replay, pictures = Replay(path, speed=1e6), 0
        replay.pause()
        async for told in replay:
            if isinstance(told, Link) and told.state is LinkState.LOST:
                return pictures
            if isinstance(told, Picture | Delta):
                pictures += 1
                if pictures == 1:
                    asyncio.get_running_loop().call_soon(replay.pause, False)
        return pictures

    assert asyncio.run(run()) == 18


def test_the_speed_sets_the_pace(recording: tuple[Path, dict[float, Row]]) -> None:
    path, _ = recording

    async def run() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async for told in Replay(path, speed=400.0, clock=loop.time):
            if isinstance(told, Link) and told.state is LinkState.LOST:
                break
        return loop.time() - began

    assert asyncio.run(run()) >= 85 / 400 * 0.95


def test_members_begin_with_a_picture_each_half_minute(recording: tuple[Path, dict[float, Row]]) -> None:
    members = Replay(recording[0]).members
    assert [m.at for m in members] == [1000.0, 1000.0 + MEMBER_SECONDS, 1000.0 + 2 * MEMBER_SECONDS]


def test_a_recording_is_plain_gzip_of_json_lines(recording: tuple[Path, dict[float, Row]]) -> None:
    lines = gzip.decompress(recording[0].read_bytes()).splitlines()
    assert len(lines) == 19
    assert b'"hello"' in lines[0]


def test_a_recording_with_a_number_too_large_for_any_row_is_refused_when_it_is_opened(
    recording: tuple[Path, dict[float, Row]], tmp_path: Path
) -> None:
    lines = gzip.decompress(recording[0].read_bytes())
    large = tmp_path / "large.gz"
    large.write_bytes(gzip.compress(lines.replace(b'"weight":', b'"weight":9999999999999999999', 1)))
    assert large.read_bytes() != recording[0].read_bytes()
    with pytest.raises(RecordingError, match="is no recording"):
        Replay(large)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9))
def test_a_recording_that_was_cut_off_plays_what_is_there(
    recording: tuple[Path, dict[float, Row]], tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path, truth = recording
    whole = path.read_bytes()
    torn = tmp_path_factory.mktemp("torn") / "t.gz"
    torn.write_bytes(whole[: cut % len(whole)])
    try:
        seen = asyncio.run(played(Replay(torn, speed=1e6)))
    except RecordingError as error:
        assert "holds no picture" in str(error)  # noqa: PT017 - either is right, by where the cut fell
        return
    assert seen == dict(list(truth.items())[: len(seen)])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_damaged_recording_is_an_error_with_a_sentence_or_plays_on(
    recording: tuple[Path, dict[float, Row]], tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    data = bytearray(recording[0].read_bytes())
    data[place % len(data)] ^= flip
    path = tmp_path_factory.mktemp("damaged") / "d.gz"
    path.write_bytes(data)
    try:
        asyncio.run(played(Replay(path, speed=1e6)))
    except RecordingError as error:
        assert error.fix  # noqa: PT017


def test_a_recording_never_overwrites_a_file(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("mine")
    with pytest.raises(RecordingError, match="exists already"):
        Recorder(path)
    assert path.read_text() == "mine"


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("hello")
    with pytest.raises(RecordingError, match="damaged"):
        Replay(path)
    with pytest.raises(RecordingError, match="cannot read"):
        Replay(tmp_path / "missing")
