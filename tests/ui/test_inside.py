"""Logs and manifest: a child is asked, its words are cleaned, its failures are sentences."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from opsroom.domain.pod_logs import LogLine, PodLogs, Side
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from tests.ui.stage import Clock, screen_text, stage

Play = Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]]


def run(code: str, play: Play) -> None:
    async def on_stage() -> None:
        app, clock = stage(Options(show=(sys.executable, "-c", code) if code else ()))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await play(pilot, app, clock)

    asyncio.run(on_stage())


async def shows(pilot: Pilot[int], app: BoardApp, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in screen_text(app):
            await pilot.pause(0.02)


def test_logs_of_the_rollout_under_the_cursor() -> None:
    line = LogLine(at="2026-08-05T12:04:01Z", pod="p", text="upstream timed out")
    answer = msgspec.json.encode(PodLogs(canary=Side(version="v2", pods=("p",), lines=(line,)))).decode()

    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("l")
        await shows(pilot, app, "upstream timed out")
        assert "payments/checkout-api  logs" in screen_text(app)
        assert "ctrl+r asks again" in screen_text(app)
        await pilot.press("ctrl+r")
        await shows(pilot, app, "upstream timed out")
        await pilot.press("escape")
        assert "NEEDS YOU" in screen_text(app)

    run(
        f"import sys; assert sys.argv[1:] == ['payments/checkout-api', '--logs', '-o', 'json']; print({answer!r})", play
    )


def test_whose_words_they_are_stays_in_sight_at_the_end_of_long_logs() -> None:
    lines = tuple(LogLine(at="2026-08-05T12:04:01Z", pod="p", text=f"line {at}") for at in range(200))
    answer = msgspec.json.encode(PodLogs(canary=Side(version="v2", pods=("p",), lines=lines))).decode()

    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("l")
        await shows(pilot, app, "line 199")
        text = screen_text(app)
        assert "payments/checkout-api  logs" in text
        assert "canary v2   1 pod" in text
        assert "line 1\n" not in text
        assert " more" not in text.splitlines()[-1]
        await pilot.press("g")
        await shows(pilot, app, "line 0")
        assert "canary v2   1 pod" in screen_text(app)
        assert "165 more" in screen_text(app).splitlines()[-1]

    run(f"print({answer!r})", play)


def test_a_manifest_keeps_its_indentation_and_nothing_of_it_is_raw() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("y")
        await shows(pilot, app, "replicas: 3")
        assert "    spec:\n      replicas: 3" in screen_text(app)
        assert "\x1b" not in screen_text(app)

    run("print('spec:\\n  replicas: 3\\n  bad: \\x1b[31mred')", play)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('opsroom: pods/log is forbidden')", "pods/log is forbidden"),
        ("import sys; sys.exit(5)", "ended without a word"),
        ("print('{')", "truncated"),
    ],
)
def test_a_failure_is_a_sentence(code: str, words: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("l")
        await shows(pilot, app, words)

    run(code, play)


def test_leaving_the_page_ends_the_child(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("l")
        await shows(pilot, app, "Asking the cluster")
        screen = app.screen
        async with asyncio.timeout(60):
            while screen._asked is None:  # type: ignore[attr-defined]
                await pilot.pause(0.02)
        await pilot.press("escape")
        async with asyncio.timeout(60):
            while screen._asked.poll() is None:  # type: ignore[attr-defined]
                await pilot.pause(0.02)

    run("import time; time.sleep(60)", play)


def test_without_a_cluster_to_ask_it_says_so() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("l")
        assert "knows no cluster" in screen_text(app)

    run("", play)
