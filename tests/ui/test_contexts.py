"""Several contexts on one board: one is shown, a key acts on that one only, and the strip tells of the others."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from textual.pilot import Pilot

from opsroom.domain.board import Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Uid
from opsroom.ui.app import BoardApp
from opsroom.ui.notices import Notices
from opsroom.ui.options import Guard, Options
from tests.ui.scenes import NOW, all_rows, done, moving, needing, room
from tests.ui.show import ACT, SceneFeed
from tests.ui.stage import HERE, Clock, screen_text

CALM = (*moving(NOW), *done(NOW))
CHECKOUT, LEDGER = Uid("uid-checkout-api"), Uid("uid-ledger-writer")
SETTLED = 1.0
PATIENCE = 60.0

MOVED = "The row under the cursor changed a moment ago; look, then press again."
NOTING = f"""
import sys
context = sys.argv[1]
intent = sys.stdin.readline()
open(sys.argv[2], "a").write(context + " " + intent)
sys.stdin = __import__("io").StringIO(intent + sys.stdin.readline())
sys.argv = ["act", "0"]
{ACT}
"""


class Stage:
    """A board with two contexts, ``prod-eu`` shown first; what ``opsroom act`` would get is in ``asked``."""

    def __init__(self, folder: Path, us: tuple[Row, ...] | None = None, **changes: object) -> None:
        self.clock = Clock()
        self.log = folder / "asked"
        self.feeds = [SceneFeed(all_rows()), SceneFeed(all_rows() if us is None else us, room(NOW, context="prod-us"))]
        options = [
            msgspec.structs.replace(Options(act=self.act(name), context=name), **changes)
            for name in ("prod-eu", "prod-us")
        ]
        self.app = BoardApp(
            options[0], self.feeds[0], clock=self.clock, found=HERE, others=[(options[1], self.feeds[1])]
        )

    def act(self, context: str) -> tuple[str, ...]:
        return (sys.executable, "-c", NOTING, context, str(self.log))

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def top(self) -> str:
        return self.text.splitlines()[0]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Context, and uid of the target, of each deed that was begun."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(one.split(" ", 1)[0], json.loads(one.split(" ", 1)[1])["target"]["uid"]) for one in lines]

    @property
    def armed(self) -> list[str]:
        """Names of the contexts in which something is armed."""
        return [each.sight.name for each in self.app.contexts.all if each.deeds.armed is not None]

    def hear(self) -> None:
        """A moment later both workers are still heard."""
        self.clock.now += SETTLED
        for feed in self.feeds:
            feed.board.heard = self.clock.now
        self.app._tick()

    def count_down(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.2) + 1):
            self.clock.now += 0.2
            self.app._count()


Play = Callable[[Pilot[int], Stage], Awaitable[None]]


def run(play: Play, stage: Stage, size: tuple[int, int] = (120, 40)) -> None:
    async def on_stage() -> None:
        async with stage.app.run_test(size=size) as pilot:
            await pilot.pause()
            stage.hear()
            await pilot.pause()
            await play(pilot, stage)

    asyncio.run(on_stage())


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await pilot.pause(0.02)


def test_tab_shows_the_next_context_and_comes_round(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        assert stage.top.startswith("[prod-eu] !!3  AUTO")
        assert "prod-us 0" in stage.top
        await pilot.press("tab")
        assert stage.top.startswith("[prod-us] 0  AUTO")
        assert "prod-eu !! 3 need you" in stage.top or "prod-eu !!3" in stage.top
        assert "checkout-api" not in stage.text
        await pilot.press("tab")
        assert stage.top.startswith("[prod-eu]")
        await pilot.press("shift+tab")
        assert stage.top.startswith("[prod-us]")

    run(play, Stage(tmp_path, CALM))


def test_leaving_a_context_stops_what_is_armed_there(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("x")
        assert stage.armed == ["prod-eu"]
        await pilot.press("tab")
        assert stage.armed == []
        stage.count_down(5.0)
        await pilot.press("tab")
        stage.count_down(5.0)
        assert stage.armed == []
        assert stage.app.control.deeds.last is None

    run(play, Stage(tmp_path))


def test_a_key_acts_on_the_context_that_is_shown_and_on_no_other(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("tab")
        stage.hear()
        await pilot.press("x")
        assert "ROLL BACK checkout-api in prod-us/payments" in stage.text
        assert stage.armed == ["prod-us"]
        stage.count_down(1.0)
        await until(pilot, lambda: "Done: roll back checkout-api" in stage.text)
        assert stage.asked == [("prod-us", CHECKOUT)]

    run(play, Stage(tmp_path))


def test_a_key_right_after_the_switch_was_meant_for_the_other_context(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("tab", "x")
        assert stage.armed == []
        assert MOVED in stage.text
        stage.hear()
        await pilot.press("x")
        assert stage.armed == ["prod-us"]

    run(play, Stage(tmp_path))


def test_tab_in_a_filter_leads_nowhere_for_the_next_letters_would_be_keys_there(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("slash", *"pay", "tab", "shift+tab", *"men")
        assert stage.app.contexts.at == 0
        assert stage.app.control.sight.wish.text == "paymen"
        await pilot.press("enter", "tab")
        assert stage.app.contexts.at == 1

    run(play, Stage(tmp_path))


def test_a_screen_that_is_not_shown_takes_no_key(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        left = stage.app.screen
        await pilot.press("tab")
        stage.hear()
        await left.run_action("deed('roll_back')")
        await left.run_action("mark('flag')")
        assert stage.armed == []
        assert stage.asked == []
        assert stage.app.contexts.all[0].deeds.last is None

    run(play, Stage(tmp_path))


def test_each_context_keeps_its_cursor_its_filter_and_its_page(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("j")
        assert stage.app.control.sight.selected == LEDGER
        await pilot.press("tab", "F", "tab")
        assert stage.app.control.sight.selected == LEDGER
        assert not stage.app.control.sight.wish.flagged_only
        await pilot.press("enter")
        assert "ledger-writer" in stage.text
        await pilot.press("tab")
        assert stage.app.control.sight.selected == CHECKOUT
        assert "only flagged" in stage.text
        await pilot.press("tab")
        assert "NEEDS YOU" not in stage.text
        assert "ledger-writer" in stage.text

    run(play, Stage(tmp_path))


def test_a_deed_goes_on_in_the_context_that_was_left_and_its_end_is_told_with_its_name(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("x")
        stage.count_down(1.0)
        await pilot.press("tab")
        eu = stage.app.contexts.all[0].deeds
        await until(pilot, lambda: eu.last is not None and eu.last.deed.state.settled)
        stage.count_down(0.2)
        await until(pilot, lambda: "prod-eu: Done: roll back checkout-api" in stage.text)
        assert stage.asked == [("prod-eu", CHECKOUT)]

    run(play, Stage(tmp_path))


async def roll_back_and_leave(pilot: Pilot[int], stage: Stage, ending: str) -> None:
    """Press ``x``, wait for ``ending`` and go to the next context."""
    await pilot.press("x")
    stage.count_down(1.0)
    await until(pilot, lambda: ending in stage.text)
    await pilot.press("tab")
    stage.count_down(0.2)
    assert f"prod-eu: {ending}" in stage.text


def test_what_has_just_ended_is_told_once_more_on_the_next_screen(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await roll_back_and_leave(pilot, stage, "Done: roll back checkout-api")
        stage.count_down(8.0)
        assert "checkout-api, " not in stage.text
        assert "prod-eu: Done" not in stage.text

    run(play, Stage(tmp_path))


def test_an_outcome_that_nobody_knows_is_told_on_the_next_screen_once_and_not_at_every_turn(tmp_path: Path) -> None:
    lost = ACT.replace('("sent", "accepted", "seen", "done")', '("sent", "unknown")')
    assert lost != ACT

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await roll_back_and_leave(pilot, stage, "Not known: roll back")
        stage.count_down(8.0)
        await pilot.press("tab", "tab")
        stage.count_down(0.2)
        assert "prod-eu: Not known: roll back" not in stage.text

    run(play, Stage(tmp_path, act=(sys.executable, "-c", lost, "0")))


def test_the_guard_is_that_of_the_context_shown(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("x")
        assert "Y does it" not in stage.text
        await pilot.press("tab")
        stage.hear()
        await pilot.press("x")
        assert "in prod-us/payments" in stage.text
        assert "Y does it" in stage.text

    run(play, Stage(tmp_path, guards={"prod-us": Guard(second_key=True)}))


def test_a_freeze_that_was_asked_for_in_one_context_is_not_confirmed_in_another(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("exclamation_mark", "tab")
        stage.clock.now += 1.0
        await pilot.press("exclamation_mark", "tab")
        stage.clock.now += 1.0
        await pilot.press("exclamation_mark")
        assert "FREEZE: no automatic deed for anybody" in stage.text
        assert all(each.freezing._task is None for each in stage.app.contexts.all)

    run(play, Stage(tmp_path, freeze=("/bin/echo", "Frozen.")))


def test_a_lost_feed_is_a_word_in_the_strip_and_its_count_is_doubtful(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        stage.feeds[1].lose("nobody listens", stage.clock.now)
        stage.clock.now += 125.0
        stage.app._tick()
        await pilot.pause()
        assert "LOST 2m" in stage.top
        assert "3?" in stage.top

    run(play, Stage(tmp_path))


def test_a_feed_that_names_another_context_is_not_shown_under_ours_alone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, guards={"prod-us": Guard(second_key=True)})
    stage.feeds[1].show(all_rows(), room(NOW, context="prod-ap"), heard=0.0)

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("tab")
        stage.hear()
        assert stage.top.startswith("[prod-us (feed of prod-ap)]")
        await pilot.press("x")
        assert "in prod-us (feed of prod-ap)/payments" in stage.text
        assert "Y does it" in stage.text

    run(play, stage, (160, 40))


def test_a_feed_that_is_old_says_so_in_the_strip(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        stage.clock.now += 40.0
        stage.feeds[0].board.heard = stage.clock.now
        stage.feeds[0].show(all_rows(), room(NOW + 40), heard=stage.clock.now)
        stage.app._tick()
        await pilot.pause()
        assert "prod-us OLD 4" in stage.top

    run(play, Stage(tmp_path, CALM))


def test_a_context_without_a_picture_has_its_name_and_no_count(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.feeds[1].board = SceneFeed().board

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        assert "prod-us NO PICTURE" in stage.top
        await pilot.press("tab")
        assert stage.top.startswith("[prod-us]")
        assert "prod-eu !!" in stage.top

    async def on_stage() -> None:
        async with stage.app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await play(pilot, stage)

    asyncio.run(on_stage())


def test_a_flag_in_a_context_that_is_not_shown_rings_with_its_name(tmp_path: Path) -> None:
    stage = Stage(tmp_path, CALM, notices=Notices.OSC9, bell=True)
    written: list[str] = []

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        stage.app.contexts.all[1].alerts._write = written.append
        stage.clock.now += 10.0
        flag = Flag(reason=FlagReason.NO_DATA, since=NOW)
        rows = tuple(msgspec.structs.replace(row, flag=flag) if at == 0 else row for at, row in enumerate(CALM))
        stage.feeds[1].show(rows, room(NOW, context="prod-us"), heard=stage.clock.now)
        stage.app._tick()
        await pilot.pause()
        assert "prod-us !" in stage.top

    run(play, stage)
    assert len(written) == 1
    assert "prod-us" in written[0]
    assert written[0].startswith("\x07")


def test_n_stays_in_the_context_shown(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("tab")
        before = stage.app.control.sight.selected
        await pilot.press("n")
        assert stage.app.contexts.at == 1
        assert stage.app.control.sight.selected == before

    run(play, Stage(tmp_path, CALM))


def test_the_palette_names_the_other_contexts(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("x", "colon")
        assert stage.armed == []
        await pilot.press(*"context")
        await until(pilot, lambda: "context prod-us" in stage.text)
        await pilot.press("space", *"prod")
        await until(pilot, lambda: "to the next context" not in stage.text)
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.app.contexts.at == 1)
        assert stage.top.startswith("[prod-us]")

    run(play, Stage(tmp_path))


def test_the_name_that_a_feed_gives_itself_is_clean_in_the_palette_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.feeds[1].show(all_rows(), room(NOW, context="e\x1b]52;c;aGk=\x07v\x9b31m\u202eil"), heard=0.0)

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("colon", *"context")
        await until(pilot, lambda: "context prod-us (feed of" in stage.text)
        assert all(sign.isprintable() for sign in stage.text.replace("\n", ""))

    run(play, stage, (160, 40))


def test_help_and_key_bar_name_the_key_only_where_there_are_several() -> None:
    async def shown(app: BoardApp) -> tuple[str, str]:
        async with app.run_test(size=(120, 60)) as pilot:
            await pilot.pause()
            board = screen_text(app)
            await pilot.press("question_mark")
            return board, screen_text(app)

    alone = BoardApp(Options(), SceneFeed(all_rows()), clock=Clock(), found=HERE)
    two = BoardApp(
        Options(), SceneFeed(all_rows()), clock=Clock(), found=HERE, others=[(Options(), SceneFeed(all_rows()))]
    )
    for app, named in ((alone, False), (two, True)):
        board, page = asyncio.run(shown(app))
        assert ("tab context" in board) is named
        assert ("to the next context of this board" in page) is named


def test_with_one_context_the_key_says_how_to_have_several() -> None:
    async def play() -> None:
        app = BoardApp(Options(), SceneFeed(all_rows()), clock=Clock(), found=HERE)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await pilot.press("tab")
            assert "opsroom --context A --context B shows several" in screen_text(app)

    asyncio.run(play())


def test_leaving_ends_what_is_armed_in_any_context(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    async def play(pilot: Pilot[int], stage: Stage) -> None:
        await pilot.press("tab")
        stage.hear()
        await pilot.press("x")
        assert stage.armed == ["prod-us"]
        await pilot.press("q")

    run(play, stage)
    assert stage.armed == []
    assert not any(
        attempt.go.is_set() for one in stage.app.contexts.all for attempt in one.deeds.under_way.attempts.values()
    )


def test_nothing_is_arranged_for_a_context_that_is_not_shown(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        stage.feeds[1].show((*needing(NOW), *CALM), room(NOW, context="prod-us"), heard=stage.clock.now)
        us = stage.app.contexts.all[1].sight
        stage.app._tick()
        assert us.entries == []
        assert us.seen_from_elsewhere().needing == 3
        await pilot.press("tab")
        assert us.entries

    run(play, Stage(tmp_path, CALM))


def test_a_verb_is_armed_in_one_context_at_a_time(tmp_path: Path) -> None:
    async def play(pilot: Pilot[int], stage: Stage) -> None:
        for _ in range(4):
            stage.hear()
            await pilot.press("x")
            assert len(stage.armed) == 1
            armed = stage.app.control.deeds.armed
            assert armed is not None
            assert armed.verb is Verb.ROLL_BACK
            await pilot.press("tab")
            assert stage.armed == []

    run(play, Stage(tmp_path))
