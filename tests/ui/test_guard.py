"""Keys that act: armed, counted down, stopped, refused; with a stand-in for ``opsroom act``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from opsroom.domain.approval import Approval
from opsroom.domain.board import Row
from opsroom.domain.deed import DeedState, Refusal, Verb
from opsroom.domain.freshness import SourceState
from opsroom.domain.intent import Armed, Press, Refused, arm
from opsroom.domain.rollout import Uid
from opsroom.feed.frames import Delta
from opsroom.ui.app import BoardApp
from opsroom.ui.control import Keyboard
from opsroom.ui.options import Guard, Options
from tests.ui.scenes import NOW, all_rows, room
from tests.ui.show import ACT, SceneFeed
from tests.ui.stage import Clock, screen_text, stage

CHECKOUT = Uid("uid-checkout-api")


def run(play: Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]], **changes: object) -> None:
    """Play on a board of 100x30 whose clock stands still."""

    async def on_stage() -> None:
        app, clock = stage(msgspec.structs.replace(Options(act=(sys.executable, "-c", ACT, "0")), **changes))
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            clock.now += 1.0
            await play(pilot, app, clock)

    asyncio.run(on_stage())


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    """Wait for an event of the child process."""
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.02)


def count_down(app: BoardApp, clock: Clock, seconds: float) -> None:
    """Let time pass as a live terminal does."""
    for _ in range(round(seconds / 0.2) + 1):
        clock.now += 0.2
        app.control.deeds.tick()


class Late(Keyboard):
    """Every key of it arrives so many seconds before it is taken."""

    def __init__(self, focused: float | None, by: float) -> None:
        super().__init__(focused)
        self.by = by

    def pressed(self, now: float, arrived: float) -> None:
        super().pressed(now, now - self.by)


def armed(app: BoardApp) -> bool:
    return app.control.deeds.armed is not None


def state(app: BoardApp) -> DeedState | None:
    last = app.control.deeds.last
    return None if last is None else last.deed.state


def test_x_arms_counts_down_and_is_done() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert "ROLL BACK checkout-api in prod-eu/payments to v2.30.4 in 1 s" in screen_text(app)
        await until(pilot, lambda: state(app) is DeedState.JOURNALLED)
        count_down(app, clock, 1.0)
        assert app.control.deeds.armed is None
        await until(pilot, lambda: state(app) is DeedState.DONE)
        assert "Done: roll back checkout-api" in screen_text(app)

    run(play)


def test_the_intent_carries_what_was_on_screen(tmp_path: Path) -> None:
    log = tmp_path / "intent.json"
    act = f"import sys; open({str(log)!r}, 'w').write(sys.stdin.readline()); sys.stdin.readline()"

    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        await until(pilot, lambda: log.exists() and log.read_text() != "")
        intent = json.loads(log.read_text())
        assert intent["verb"] == "promote"
        assert intent["target"]["uid"] == CHECKOUT
        assert intent["precondition"] == {
            "canary_hash": "7d4f9b6c5d",
            "stable_hash": "66b1c4d88f",
            "step": 3,
            "effect": "next_step",
        }
        await pilot.press("escape")

    run(play, act=(sys.executable, "-c", act))


@pytest.mark.parametrize("key", ["escape", "j", "k", "n"])
def test_esc_and_movement_stop_it_and_nothing_is_sent(key: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert armed(app)
        await pilot.press(key)
        count_down(app, clock, 3.0)
        assert not armed(app)
        assert state(app) is None
        assert "Stopped" in screen_text(app) or "ROLL BACK" not in screen_text(app)

    run(play)


def test_the_same_key_again_does_not_hurry_it() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        armed = app.control.deeds.armed
        assert armed is not None
        clock.now += 0.3
        await pilot.press("p")
        again = app.control.deeds.armed
        assert again is not None
        assert again.fires == armed.fires
        await pilot.press("escape")

    run(play)


def test_a_held_key_arms_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("c", "c", "c", "x")
        assert app.control.deeds.armed is None
        assert "Keys came faster than a person types" in screen_text(app)

    run(play)


def test_a_paste_is_one_however_slowly_its_keys_are_taken() -> None:
    keyboard = Keyboard(focused=0.0)
    for at in range(5):
        keyboard.pressed(now=100.0 + at * 0.3, arrived=100.0 + at * 0.001)
    assert keyboard.hands(101.2, modal=False).recent_keys == 5
    assert keyboard.hands(101.2, modal=False).late > 1.0


def test_keys_that_piled_up_while_the_screen_stood_still_are_a_burst() -> None:
    keyboard = Keyboard(focused=0.0)
    for at in range(5):
        keyboard.pressed(now=105.0 + at * 0.001, arrived=100.0 + at)
    assert keyboard.hands(105.005, modal=False).recent_keys == 5


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("key", ["x", "f", "exclamation_mark"])
def test_a_key_that_waited_for_the_screen_does_nothing(key: str, late: bool) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        if key == "f":
            app.control.sight.select(Uid("uid-media-proxy"))
            clock.now += 2.0
        app.control.keyboard = Late(app.control.keyboard.focused, 5.0 if late else 0.0)
        clock.now += 10.0
        await pilot.press(key)
        assert ("was pressed before the screen could take it" in screen_text(app)) is late
        assert (armed(app) or state(app) is not None or "Press ! again" in screen_text(app)) is not late
        await pilot.press("escape")

    run(play)


def test_a_second_key_that_waited_for_the_screen_stops_it() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        app.control.keyboard = Late(0.0, 5.0)
        await pilot.press("Y")
        assert not armed(app)
        assert state(app) is None
        assert "was pressed before the screen could take it" in screen_text(app)

    run(play, guard=Guard(second_key=True))


def test_a_key_counts_from_its_arrival_for_the_row_it_was_meant_for() -> None:
    press = Press(
        row=next(row for row in all_rows(NOW) if row.rollout.uid == CHECKOUT),
        verb=Verb.ROLL_BACK,
        now=100.0,
        read_only=False,
        feed_stale=False,
        score_doubt=None,
        settled_for=0.5,
        focused_for=9.0,
        recent_keys=1,
        busy=False,
    )
    assert isinstance(arm(press), Armed)
    late = arm(msgspec.structs.replace(press, late=0.3))
    assert isinstance(late, Refused)
    assert late.refusal is Refusal.JUST_MOVED


def test_a_row_that_just_came_under_the_cursor_is_refused() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("j")
        clock.now += 0.1
        await pilot.press("x")
        assert "changed a moment ago" in screen_text(app)

    run(play)


def test_an_unflagged_rollout_is_refused_in_one_sentence() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("j", "j")
        clock.now += 1.0
        await pilot.press("j")
        clock.now += 1.0
        await pilot.press("x")
        assert "invoice-pdf is not flagged; f flags it by hand first." in screen_text(app)

    run(play)


def test_read_only_refuses() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert "read-only; nothing was sent" in screen_text(app)
        assert "READ-ONLY" in screen_text(app)

    run(play, read_only=True)


def test_a_stalled_terminal_drops_the_intent() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        clock.now += 20.0
        app.control.deeds.tick()
        assert app.control.deeds.armed is None
        assert state(app) is None
        assert "stood still during the countdown" in screen_text(app)

    run(play)


def changed(rows: tuple[Row, ...], **fields: object) -> tuple[Row, ...]:
    return tuple(
        msgspec.structs.replace(row, rollout=msgspec.structs.replace(row.rollout, **fields))
        if row.rollout.uid == CHECKOUT
        else row
        for row in rows
    )


def test_a_rollout_that_moved_on_during_the_countdown_is_not_promoted() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.show(changed(all_rows(NOW), step=4), room(NOW), heard=clock.now)
        count_down(app, clock, 3.0)
        assert state(app) is None
        assert "is not what it was when the key was pressed" in screen_text(app)

    run(play)


@pytest.mark.parametrize("key", ["p", "x"])
def test_a_rollout_that_moved_on_since_it_was_painted_is_looked_at_first(key: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        board = app.control.sight.feed.board
        rows = changed((board.rows[CHECKOUT],), step=4)
        board.apply(Delta(seq=board.seq + 1, since=board.seq, room=room(NOW), rows=rows), clock.now)
        await pilot.press(key)
        assert app.control.deeds.armed is None
        assert "changed a moment ago" in screen_text(app)
        clock.now += 1.0
        await pilot.press(key)
        assert app.control.deeds.armed is not None

    run(play)


@pytest.mark.parametrize("when", ["at the press", "during the countdown"])
def test_half_an_answer_of_prometheus_locks_promote_but_not_roll_back(when: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        half = SourceState(name="prometheus", interval=10.0, at=NOW, error="Partial answer from Prometheus")
        partly = msgspec.structs.replace(room(NOW), sources=(half,))
        if when == "during the countdown":
            await pilot.press("p")
            assert armed(app)
        feed.show(all_rows(NOW), partly, heard=clock.now)
        if when == "at the press":
            await pilot.press("p")
        else:
            count_down(app, clock, 3.0)
        assert "Prometheus answers only in part" in screen_text(app)
        assert not armed(app)
        await pilot.press("x")
        assert app.control.deeds.armed is not None
        await pilot.press("escape")

    run(play)


def test_a_lost_feed_locks_promote_but_not_roll_back() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        clock.now += 60.0
        await pilot.press("p")
        assert "too old to promote on; roll back still works" in screen_text(app)
        await pilot.press("x")
        assert app.control.deeds.armed is not None
        await pilot.press("escape")

    run(play)


def test_a_child_that_cannot_start_says_so() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        await until(pilot, lambda: state(app) is DeedState.FAILED)
        assert app.control.deeds.armed is None
        assert "opsroom act did not start" in screen_text(app)

    run(play, act=("/does/not/exist",))


def test_a_child_that_dies_after_go_is_not_known() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        count_down(app, clock, 1.0)
        await until(pilot, lambda: state(app) is DeedState.UNKNOWN)
        assert "no answer came" in screen_text(app)
        clock.now += 5.0
        await pilot.press("x")
        assert armed(app), "what nobody follows any more must not lock the row"

    run(play, act=(sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.readline()"))


def test_second_key_mode_needs_another_key() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert "Y does it, esc stops it" in screen_text(app)
        count_down(app, clock, 3.0)
        assert app.control.deeds.armed is not None
        await pilot.press("Y")
        await until(pilot, lambda: state(app) is DeedState.DONE)

    run(play, guard=Guard(second_key=True))


def test_a_context_has_its_own_guard() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        assert "in 7 s" in screen_text(app)
        await pilot.press("escape")
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.show(all_rows(NOW), room(NOW, context="staging"), heard=clock.now)
        app._tick()
        clock.now += 1.0
        await pilot.press("p")
        assert "in staging/payments" in screen_text(app)
        assert "in 2 s" in screen_text(app)
        await pilot.press("escape")

    run(play, guard=Guard(promote=2.0), guards={"prod-eu": Guard(promote=7.0)})


def test_a_second_key_is_asked_for_where_the_context_wants_it_and_nowhere_else() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert "Y does it, esc stops it" in screen_text(app)
        await pilot.press("x")
        count_down(app, clock, 8.0)
        assert armed(app), "neither time nor the same key does it"
        count_down(app, clock, 3.0)
        assert not armed(app)
        assert state(app) is None

    run(play, guards={"prod-eu": Guard(second_key=True)})


def test_a_name_that_is_copied_is_one_line_whoever_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.show(changed(all_rows(NOW), name="cart\nreboot\n"), room(NOW), heard=clock.now)
        app._tick()
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.press("c")
        assert copied == ["payments/cart reboot"]

    run(play)


def test_an_unarmed_second_key_does_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("Y")
        assert not armed(app)
        assert state(app) is None
        await pilot.press("x", "Y")
        assert not armed(app), "with a countdown it is a key like any other"
        assert state(app) is None

    run(play)


def test_what_was_promoted_under_our_eyes_can_be_undone_after_a_longer_look() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        app.control.sight.select(Uid("uid-cart-service"))
        clock.now += 1.0
        await pilot.press("p")
        assert "cart-service has no change under way" in screen_text(app)
        await pilot.press("x")
        assert "ROLL BACK cart-service in prod-eu/shop to the former revision in 3 s" in screen_text(app)
        count_down(app, clock, 3.0)
        await until(pilot, lambda: state(app) is DeedState.DONE)
        clock.now += 20.0
        app.control.sight.select(Uid("uid-feature-flags"))
        clock.now += 1.0
        await pilot.press("x")
        assert "feature-flags has no change under way" in screen_text(app)
        assert not armed(app)

    run(play)


def needing_two(first: Approval | None) -> tuple[Row, ...]:
    return tuple(
        msgspec.structs.replace(row, two_people=True, approval=first) if row.rollout.uid == CHECKOUT else row
        for row in all_rows(NOW)
    )


@pytest.mark.parametrize(
    ("first", "line", "detail"),
    [
        (None, "APPROVE (1 of 2 people): PROMOTE checkout-api", "approves it, as the first of two people"),
        (Approval(by="ada", at=NOW - 60, hash="7d4f9b6c5d", step=3), " PROMOTE checkout-api", "ada approved at 12:03"),
    ],
    ids=["first", "second"],
)
def test_the_line_and_the_pane_say_which_of_two_people_this_is(first: Approval | None, line: str, detail: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        feed = app.control.sight.feed
        assert isinstance(feed, SceneFeed)
        feed.show(needing_two(first), room(NOW), heard=clock.now)
        app._tick()
        clock.now += 1.0
        assert detail in screen_text(app)
        await pilot.press("p")
        assert line in screen_text(app)
        assert ("APPROVE" in screen_text(app)) is (first is None)
        await pilot.press("escape")
        await pilot.press("x")
        assert "APPROVE" not in screen_text(app), "roll back needs one person"
        await pilot.press("escape")

    run(play)


@pytest.mark.parametrize("key", ["r", "d", "u", "ctrl+d", "ctrl+k"])
def test_reflex_keys_change_nothing(key: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press(key)
        assert app.control.deeds.armed is None
        assert state(app) is None
        assert "does nothing here" in screen_text(app)

    run(play)


def test_guarded_keys_do_nothing_on_a_page_above_the_board() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("question_mark")
        await pilot.press("x", "p")
        assert app.control.deeds.armed is None
        assert state(app) is None

    run(play)


def test_typing_a_filter_never_acts() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("slash", "x", "p", "r", "o", "x", "y")
        assert app.control.deeds.armed is None
        assert app.control.sight.wish.text == "xproxy"
        await pilot.press("escape")
        await pilot.press("x")
        assert app.control.sight.wish.text == ""

    run(play)


def test_f_flags_by_hand_at_once() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        app.control.sight.select(Uid("uid-media-proxy"))
        clock.now += 1.0
        await pilot.press("f")
        await until(pilot, lambda: state(app) is DeedState.DONE)
        last = app.control.deeds.last
        assert last is not None
        assert last.intent.verb.value == "flag"

    run(play)
