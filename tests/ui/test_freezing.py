"""``!`` twice freezes or thaws, once it only asks; and the queue page says who waits for what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from textual.pilot import Pilot

from opsroom.domain.board import Freeze, Row
from opsroom.domain.queue import Lane, QueueEntry, WaitReason
from opsroom.domain.rollout import Phase
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from tests.ui.scenes import NOW, all_rows, room
from tests.ui.show import SceneFeed
from tests.ui.stage import Clock, screen_text, stage

SAYS = Options(act=("/bin/false",), freeze=("/bin/echo", "Frozen by a test."), thaw=("/bin/echo", "Thawed by a test."))


def run(play: Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]], options: Options = SAYS) -> None:
    async def on_stage() -> None:
        app, clock = stage(options)
        async with app.run_test(size=(110, 40)) as pilot:
            await pilot.pause()
            clock.now += 5.0
            await play(pilot, app, clock)

    asyncio.run(on_stage())


async def said(pilot: Pilot[int], app: BoardApp, text: str) -> bool:
    """Wait for a note on the intent line."""
    for _ in range(200):
        app.redraw()
        app._changed()
        await pilot.pause()
        if text in screen_text(app):
            return True
        await asyncio.sleep(0.01)
    return False


def test_one_press_asks_and_the_second_freezes() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "FREEZE: no automatic deed for anybody")
        clock.now += 1.0
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "Frozen by a test.")

    run(play)


def test_a_key_that_repeats_itself_and_a_second_thought_too_late_do_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        for pause in (0.0, 0.2, 6.0):
            clock.now += pause
            await pilot.press("exclamation_mark")
            assert await said(pilot, app, "FREEZE: no automatic deed for anybody")
        assert "Frozen by a test." not in screen_text(app)

    run(play)


def test_where_it_is_frozen_the_same_key_thaws() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        frozen = msgspec.structs.replace(room(NOW), freeze=Freeze(by="ada", since=NOW))
        feed.show(all_rows(), frozen, heard=clock.now)
        app._tick()
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "THAW: automatic deeds go on")
        clock.now += 1.0
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "Thawed by a test.")

    run(play)


def test_a_read_only_board_and_a_command_that_fails_say_so() -> None:
    async def refused(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "This board is read-only")

    async def failed(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("exclamation_mark")
        clock.now += 1.0
        await pilot.press("exclamation_mark")
        assert await said(pilot, app, "Nothing was changed")

    run(refused, msgspec.structs.replace(SAYS, read_only=True))
    run(failed, Options(act=("/bin/false",), freeze=("/bin/false",)))


def queued(row: Row, position: int, entry: QueueEntry) -> Row:
    """``row`` in the queue."""
    held = msgspec.structs.replace(row.rollout, phase=Phase.HELD, held=True)
    entry = msgspec.structs.replace(entry, uid=row.rollout.uid, position=position)
    return msgspec.structs.replace(row, rollout=held, queue=entry, flag=None)


def test_the_queue_page_says_who_waits_for_what() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        runs, waits, kept, *others = all_rows()
        slot = QueueEntry(
            uid=runs.rollout.uid, lane=Lane.NORMAL, since=NOW - 60, why=WaitReason.SLOT, waits_for="tier 1",
            held_by=runs.rollout.uid, until=NOW + 420, eta_p50=NOW + 420, eta_p90=NOW + 600,
        )  # fmt: skip
        person = QueueEntry(uid=runs.rollout.uid, lane=Lane.BATCH, since=NOW, why=WaitReason.PERSON, requester="ada")
        feed.show((runs, queued(waits, 0, slot), queued(kept, 1, person), *others), room(NOW), heard=clock.now)
        app._tick()
        await pilot.press("Q")
        text = screen_text(app)
        assert f"waits for a slot of tier 1, held by {runs.rollout.name}" in text
        assert "7 min left" in text
        assert "ada holds it, and a person has to release it" in text
        await pilot.press("escape")
        assert "waits for a slot of tier 1, held by" not in screen_text(app)

    run(play)
