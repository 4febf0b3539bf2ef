"""Keys that look: the cursor keeps its rollout, order is held while it moves, filters and pages do what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from textual.pilot import Pilot

from opsroom.domain.board import Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Uid
from opsroom.ui.actions import ACTIONS, GUARDED, default_keys
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Options
from tests.ui.scenes import NOW, all_rows, room
from tests.ui.show import SceneFeed
from tests.ui.stage import Clock, screen_text, stage

REFLEXES = {"r", "d", "u", "ctrl+d", "ctrl+k"}


def run(play: Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]], options: Options | None = None) -> None:
    async def on_stage() -> None:
        app, clock = stage(options or Options(act=("/bin/false",)))
        async with app.run_test(size=(100, 40)) as pilot:
            await pilot.pause()
            clock.now += 5.0
            await play(pilot, app, clock)

    asyncio.run(on_stage())


def show(app: BoardApp, rows: tuple[Row, ...], clock: Clock) -> None:
    feed = app.control.sight.feed
    assert isinstance(feed, SceneFeed)
    feed.show(rows, room(NOW), heard=clock.now)
    app._tick()


def flagged(name: str, since: float) -> tuple[Row, ...]:
    flag = Flag(reason=FlagReason.DEGRADED, since=since)
    return tuple(msgspec.structs.replace(row, flag=flag) if row.rollout.name == name else row for row in all_rows())


def cursor_line(app: BoardApp) -> tuple[int, str]:
    lines = screen_text(app).splitlines()
    return next((at, line) for at, line in enumerate(lines) if line.startswith(">"))


def test_no_key_of_a_reflex_changes_anything_by_default() -> None:
    for action in ACTIONS:
        if action.guarded:
            assert not REFLEXES & set(action.keys.split(","))
    assert {"promote", "rollback", "flag", "acknowledge", "freeze_all"} == GUARDED
    keys = [key for keys in default_keys().values() for key in keys.split(",")]
    assert len(keys) == len(set(keys))


def test_the_cursor_stays_on_its_rollout_when_others_come_above_it() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("j", "j")
        assert app.control.sight.selected == "uid-fraud-scorer"
        clock.now += 5.0
        show(app, flagged("media-proxy", NOW - 9000), clock)
        await pilot.pause()
        assert app.control.sight.selected == "uid-fraud-scorer"
        assert "fraud-scorer" in cursor_line(app)[1]

    run(play)


def test_until_somebody_moves_it_the_cursor_stays_at_the_top_where_the_loudest_row_is() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        show(app, flagged("media-proxy", NOW - 9000), clock)
        assert app.control.sight.selected == "uid-checkout-api"
        loud = tuple(row for row in flagged("media-proxy", NOW - 9000) if row.rollout.name != "checkout-api")
        show(app, loud, clock)
        assert app.control.sight.selected == "uid-media-proxy"
        await pilot.press("x")
        assert "changed a moment ago" in screen_text(app)
        show(app, all_rows(), clock)
        clock.now += 9.0
        app._tick()
        assert app.control.sight.selected == "uid-media-proxy"

    run(play)


def test_rows_keep_their_places_while_the_cursor_moves() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("j")
        before = list(app.control.sight.entries)
        clock.now += 1.0
        show(app, flagged("media-proxy", NOW - 9000), clock)
        assert app.control.sight.entries == before
        clock.now += 1.5
        app._tick()
        assert app.control.sight.entries != before

    run(play)


def test_n_goes_round_the_flagged_ones() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        seen = []
        for key in ("n", "n", "n", "N"):
            await pilot.press(key)
            seen.append(app.control.sight.selected)
        assert seen == ["uid-ledger-writer", "uid-fraud-scorer", "uid-checkout-api", "uid-fraud-scorer"]

    run(play)


def test_only_flagged_and_back() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("F")
        assert "MOVING" not in screen_text(app)
        assert "only flagged" in screen_text(app)
        await pilot.press("F")
        assert "MOVING" in screen_text(app)

    run(play)


def test_space_stops_the_picture_and_says_so() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("space")
        show(app, all_rows()[:2], clock)
        clock.now += 65.0
        app._tick()
        assert "PICTURE STOPPED 1m" in screen_text(app)
        assert "checkout-api" in screen_text(app)
        await pilot.press("space")
        assert "checkout-api" not in screen_text(app).replace("checkout-api  payments", "")

    run(play)


def test_sort_is_said_and_w_gives_the_list_the_whole_height() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("s", "s")
        assert "by name" in screen_text(app)
        assert "why " in screen_text(app)
        await pilot.press("w")
        await pilot.pause()
        assert "why " not in screen_text(app)

    run(play)


def test_pages_open_and_esc_leads_back() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        pages = {"question_mark": "Keys that act", "S": "expected every", "J": "Deeds", "e": "All others"}
        for key, words in pages.items():
            await pilot.press(key)
            await pilot.pause()
            assert words in screen_text(app)
            await pilot.press("escape")
            assert "NEEDS YOU" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "CPU" in screen_text(app)
        await pilot.press("n")
        assert "ledger-writer" in screen_text(app)
        await pilot.press("escape")
        assert "NEEDS YOU" in screen_text(app)

    run(play)


def test_own_keys_move_an_action() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert "ROLL BACK" not in screen_text(app)
        await pilot.press("B")
        assert "ROLL BACK" in screen_text(app)
        assert "B roll back" in screen_text(app)
        await pilot.press("escape")

    run(play, Options(act=("/bin/cat",), keymap={**default_keys(), "rollback": "B"}))


def test_the_picture_stays_when_the_feed_is_lost() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.lose("nobody listens at unix:/run/opsroom.sock", clock.now)
        clock.now += 72.0
        app._tick()
        text = screen_text(app)
        assert "FEED LOST 1m 12s: nobody listens at unix:/run/opsroom.sock; the last picture stays" in text
        assert "feed stale 1m" in text
        assert "checkout-api" in text

    run(play)


def test_too_small_a_terminal_says_so_and_recovers() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.resize_terminal(50, 10)
        await pilot.pause()
        said = [line.strip() for line in screen_text(app).splitlines() if line.strip()]
        assert said == ["opsroom needs 60x12; this terminal has 50x10."]
        await pilot.resize_terminal(100, 40)
        await pilot.pause()
        assert "NEEDS YOU" in screen_text(app)

    run(play)


def test_on_a_terminal_that_is_too_small_no_key_acts_and_nothing_stays_armed() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        armed = [app.control.deeds.armed is not None]
        await pilot.resize_terminal(50, 10)
        await pilot.pause()
        armed.append(app.control.deeds.armed is not None)
        clock.now += 5.0
        await pilot.press("x")
        armed.append(app.control.deeds.armed is not None)
        assert armed == [True, False, False]
        await pilot.press("enter")
        await pilot.pause()
        assert "opsroom needs 60x12" in screen_text(app)

    run(play, Options(act=("/bin/cat",)))


def test_the_first_hint_stands_until_the_first_key() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        assert "? explains every mark and key" in screen_text(app)
        await pilot.press("j")
        assert "? explains every mark and key" not in screen_text(app)

    run(play)


def test_a_note_about_one_screen_does_not_stay_on_the_next() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        for page in ("S", "enter"):
            await pilot.press("r")
            assert "That key does nothing here" in screen_text(app)
            await pilot.press(page)
            await pilot.pause()
            assert "That key does nothing here" not in screen_text(app)
            await pilot.press("escape")
            await pilot.pause()

    run(play)


def test_where_nothing_can_be_done_the_keys_that_act_are_shown_as_off() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        assert app.control.deeds.shown_offer(Verb.ROLL_BACK)
        feed.show(all_rows(), room(NOW, read_only=True), heard=clock.now)
        app._tick()
        assert not app.control.deeds.shown_offer(Verb.ROLL_BACK)

    run(play)


def test_a_gone_rollout_leaves_the_cursor_on_another_and_refuses_the_key() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        rest = tuple(row for row in all_rows() if row.rollout.uid != Uid("uid-checkout-api"))
        show(app, rest, clock)
        assert app.control.sight.selected == "uid-ledger-writer"
        await pilot.press("x")
        assert "changed a moment ago" in screen_text(app)

    run(play)


def test_promote_is_dim_while_the_picture_is_too_old_for_it_and_roll_back_is_not() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.show(all_rows(), room(NOW), heard=clock.now)
        app._tick()
        shown = app.control.deeds.shown_offer
        assert shown(Verb.PROMOTE)
        assert shown(Verb.ROLL_BACK)
        feed.lose("nobody listens", clock.now)
        assert not shown(Verb.PROMOTE)
        assert shown(Verb.ROLL_BACK)

    run(play)
