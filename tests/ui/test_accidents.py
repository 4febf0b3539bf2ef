"""Accidents on record in other tools, and why they cannot happen here: one test each.

| accident | where it is on record | test |
| --- | --- | --- |
| correcting a typo in a filter deleted machines | k9s #21 | test_correcting_a_typo_in_a_filter_acts_on_nothing |
| backspace was bound to delete while a filter is typed | k9s #33, #44 | test_no_key_that_edits_text_ever_acts |
| ``ctrl+d`` deletes at once; nothing locks the tool | k9s #87 | test_a_locked_board_does_nothing_whatever_is_pressed |
| ``ctrl+k`` kills, and stays there | k9s #319, #782 | test_the_keys_that_act_can_be_moved_but_not_onto_a_motion |
| the default answer was not Cancel | k9s #146 | test_where_a_second_key_is_asked_for_waiting_means_no |
| a dialog is too slow for routine work | k9s #272 | test_one_key_is_enough_and_no_question_has_to_be_answered |
| motions of vim and tmux act | k9s #617, #1121, #1318, #1391 | test_motions_of_other_tools_change_nothing |
| a known key meant something else after an update | k9s #1700 | test_what_the_keys_that_act_mean_does_not_change |
| the cursor jumps when rows come and go | k9s #334 | test_rows_that_come_and_go_put_nothing_else_under_the_key |
| marks point at dead rows | k9s #947 | test_what_is_armed_dies_with_its_rollout |
| the same key twice confirms | lazygit #2291 | test_the_same_key_twice_confirms_nothing |
| a key that repeats itself confirms | lazygit #4649 | test_a_key_that_is_held_down_confirms_nothing |
| Enter confirms | lazygit #874, #3471 | test_enter_confirms_nothing |
| a dangerous key beside another | lazygit #3328 | test_the_keys_that_act_are_no_neighbours |
| typed into the wrong window | lazygit #792 | test_words_meant_for_another_window_send_nothing |
| a dropped pen pressed a whole sequence | lazygit #4688 | test_no_dangerous_sequence_lies_under_one_finger |
| the label and the effect differed | argo-rollouts #1135 | test_what_the_line_names_is_what_is_sent |
| a promotion stopped half-way, as if done | argo-rollouts #4265 | test_done_is_said_only_of_what_the_cluster_shows |
| a key was off and nobody said why | argo-rollouts #1581 | test_a_key_that_is_off_says_why |
| one action has three names | argo-cd #19105 | test_one_deed_has_one_name_everywhere |
| two presses, or one on old data, skip a step | argo-rollouts cmd/promote | test_two_presses_never_skip_a_step |
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from textual.pilot import Pilot

from opsroom.cli.parser import build
from opsroom.config.keymap import MOTIONS, check_keymap
from opsroom.domain.board import Row
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.intent import COUNTDOWN
from opsroom.domain.offer import offer
from opsroom.domain.rollout import Uid
from opsroom.errors import ConfigError
from opsroom.ui.actions import ACTIONS, GUARDED, default_keys
from opsroom.ui.app import BoardApp
from opsroom.ui.options import Guard, Options
from opsroom.view import effects, words
from tests.ui.scenes import NOW, all_rows, deed, room
from tests.ui.show import ACT, SceneFeed
from tests.ui.stage import Clock, screen_text, stage

CHECKOUT, LEDGER = Uid("uid-checkout-api"), Uid("uid-ledger-writer")
FAILING = """
import json, sys, time
intent = json.loads(sys.stdin.readline())
def say(state, **more):
    print(json.dumps({"intent": intent, "state": state, "at": time.time(), **more}), flush=True)
say("journalled")
if sys.stdin.readline().strip() == "go":
    for state in ("sent", "accepted", "seen"):
        say(state)
    say("failed", detail="stopped at step 5, the pods of v2.31.0 do not start")
"""
PATIENCE = 60.0

Play = Callable[[Pilot[int], BoardApp, Clock], Awaitable[None]]


def run(play: Play, **changes: object) -> None:
    """Play on a board of 100x30 on which ``x`` would be accepted at once; its clock stands still."""

    async def on_stage() -> None:
        options = msgspec.structs.replace(Options(act=(sys.executable, "-c", ACT, "0")), **changes)
        app, clock = stage(options)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            clock.now += 1.0
            await play(pilot, app, clock)

    asyncio.run(on_stage())


def armed(app: BoardApp) -> bool:
    return app.control.deeds.armed is not None


def sent(app: BoardApp) -> bool:
    """Whether anything was ever told to go."""
    return any(attempt.go.is_set() for attempt in app.control.deeds.under_way.attempts.values())


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await pilot.pause(0.01)


async def pass_time(app: BoardApp, clock: Clock, seconds: float) -> None:
    """As on a live terminal, with a look at the clock each fifth of a second."""
    for _ in range(round(seconds / 0.2)):
        clock.now += 0.2
        app.control.deeds.tick()


async def type_calmly(pilot: Pilot[int], app: BoardApp, clock: Clock, keys: list[str]) -> None:
    """As a person types: five keys a second."""
    for key in keys:
        await pilot.press(key)
        await pass_time(app, clock, 0.2)


def put(app: BoardApp, clock: Clock, rows: tuple[Row, ...]) -> None:
    feed = app.control.sight.feed
    assert isinstance(feed, SceneFeed)
    feed.show(rows, room(NOW), heard=clock.now)
    app._tick()


def test_correcting_a_typo_in_a_filter_acts_on_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        typo = ["slash", "x", "p", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k", "ctrl+d", "x", "D", "d", "p"]
        await type_calmly(pilot, app, clock, typo)
        assert not armed(app)
        await type_calmly(pilot, app, clock, ["enter"])
        assert not sent(app)
        assert app.control.deeds.last is None

    run(play)


def test_no_key_that_edits_text_ever_acts() -> None:
    acting = {key for action in ACTIONS if action.guarded for key in action.keys.split(",")}
    editing = {"backspace", "delete", "insert", "enter", "tab", "space", "ctrl+h", "ctrl+u", "ctrl+w", "ctrl+j"}
    assert not acting & editing
    assert {"backspace", "enter", "space"} <= MOTIONS


def test_a_locked_board_does_nothing_whatever_is_pressed() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        for action in ACTIONS:
            if action.guarded:
                await type_calmly(pilot, app, clock, [*action.keys.split(","), "Y", "enter"])
                await pilot.press("escape")
                clock.now += 10.0
        assert app.control.deeds.last is None

    run(play, read_only=True)
    run(play, read_only=True, guard=Guard(second_key=True))


def test_the_keys_that_act_can_be_moved_but_not_onto_a_motion() -> None:
    assert check_keymap({"rollback": "B"}, default_keys(), GUARDED, "f")["rollback"] == "B"
    for key in ("ctrl+k", "ctrl+d", "d", "r", "u", "j", "enter", "space"):
        with pytest.raises(ConfigError, match="motion or reflex"):
            check_keymap({"rollback": key}, default_keys(), GUARDED, "f")


def test_where_a_second_key_is_asked_for_waiting_means_no() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        assert armed(app)
        await pass_time(app, clock, 11.0)
        assert not armed(app)
        assert not sent(app)

    run(play, guard=Guard(second_key=True))


def test_one_key_is_enough_and_no_question_has_to_be_answered() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        await pass_time(app, clock, 1.2)
        assert sent(app)
        assert len(app.screen_stack) == 1

    run(play)


def test_motions_of_other_tools_change_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        motions = ["r", "d", "u", "D", "ctrl+d", "ctrl+u", "ctrl+k", "ctrl+b", "ctrl+f", "h", "ctrl+a", "i", "b", "v"]
        await type_calmly(pilot, app, clock, motions)
        assert app.control.deeds.last is None

    run(play)


def test_what_the_keys_that_act_mean_does_not_change() -> None:
    """Whoever changes this breaks hands: say so in the changelog, under a new major version."""
    acting = {action.keys: action.does for action in ACTIONS if action.guarded}
    assert acting == {
        "p": "deed('promote')",
        "x": "deed('roll_back')",
        "f": "mark('flag')",
        "a": "mark('acknowledge')",
        "exclamation_mark": "app.freeze_all",
    }
    assert {Verb.ROLL_BACK: 1.0, Verb.PROMOTE: 3.0, Verb.PROMOTE_FULLY: 3.0} == COUNTDOWN
    assert (Guard().promote, Guard().roll_back, Guard().second_key) == (3.0, 1.0, False)


def test_rows_that_come_and_go_put_nothing_else_under_the_key() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("j")
        clock.now += 5.0
        assert app.control.sight.selected == LEDGER
        put(app, clock, tuple(row for row in all_rows(NOW) if row.rollout.uid != CHECKOUT))
        assert app.control.sight.selected == LEDGER
        put(app, clock, all_rows(NOW))
        clock.now += 5.0
        await pilot.press("x")
        target = app.control.deeds.armed
        assert target is not None
        assert target.row.rollout.uid == LEDGER
        put(app, clock, tuple(row for row in all_rows(NOW) if row.rollout.uid != LEDGER))
        clock.now += 0.1
        await pilot.press("escape", "x")
        assert not armed(app), "another rollout has just come under the cursor"

    run(play)


def test_what_is_armed_dies_with_its_rollout() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("x")
        put(app, clock, tuple(row for row in all_rows(NOW) if row.rollout.uid != CHECKOUT))
        await pass_time(app, clock, 2.0)
        assert not armed(app)
        assert not sent(app)
        assert "checkout-api is gone" in screen_text(app)

    run(play)


def test_the_same_key_twice_confirms_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await type_calmly(pilot, app, clock, ["x", "x", "x", "x"])
        assert armed(app)
        assert not sent(app)

    run(play, guard=Guard(second_key=True))
    confirming = {key for action in ACTIONS if action.id == "confirm" for key in action.keys.split(",")}
    acting = {key for action in ACTIONS if action.guarded for key in action.keys.split(",")}
    assert not confirming & acting


def test_a_key_that_is_held_down_confirms_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        for key in ("x", "p", "enter", "Y"):
            for _ in range(12):
                await pilot.press(key)
                clock.now += 1 / 30
                app.control.deeds.tick()
        assert not sent(app)

    run(play, guard=Guard(second_key=True))


def test_enter_confirms_nothing() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await type_calmly(pilot, app, clock, ["x", "enter"])
        assert not armed(app), "whoever goes on to the detail has decided nothing"
        assert not sent(app)

    run(play)
    run(play, guard=Guard(second_key=True))


KEYBOARDS = {
    "qwerty": ("qwertyuiop", "asdfghjkl;", "zxcvbnm,./"),
    "qwertz": ("qwertzuiop", "asdfghjklö", "yxcvbnm,.-"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn,;:!"),
    "dvorak": ("',.pyfgcrl", "aoeuidhtns", ";qjkxbmwvz"),
}


def neighbours(rows: tuple[str, ...], key: str) -> set[str]:
    """Keys that touch it; each row stands half a key to the right of the one above."""
    y = next(at for at, row in enumerate(rows) if key in row)
    x = rows[y].index(key)
    near = [(y, x - 1), (y, x + 1), (y - 1, x), (y - 1, x + 1), (y + 1, x - 1), (y + 1, x)]
    return {rows[row][at] for row, at in near if 0 <= row < len(rows) and 0 <= at < len(rows[row])}


@pytest.mark.parametrize("keyboard", KEYBOARDS)
def test_the_keys_that_act_are_no_neighbours(keyboard: str) -> None:
    assert "x" not in neighbours(KEYBOARDS[keyboard], "p")
    assert "p" not in neighbours(KEYBOARDS[keyboard], "x")


@pytest.mark.parametrize("said", ["fix the proxy", "exit", "mix it with it", "pit it with it hit it", "xyz"])
def test_words_meant_for_another_window_send_nothing(said: str) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        keys = [{" ": "space"}.get(letter, letter) for letter in said]
        await type_calmly(pilot, app, clock, [*keys, "enter"])
        for attempt in app.control.deeds.under_way.attempts.values():
            assert attempt.intent.verb in (Verb.FLAG, Verb.ACKNOWLEDGE) or not attempt.go.is_set()

    run(play)


def test_no_dangerous_sequence_lies_under_one_finger() -> None:
    """A second key needs shift, and ``!`` twice needs time in between: nothing that falls on a keyboard does both."""
    confirm = next(action.keys for action in ACTIONS if action.id == "confirm")
    assert confirm.isupper()

    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        for pair in itertools.permutations("pxfa", 2):
            await pilot.press(*pair)
            assert not (armed(app) and set(pair) == {"p", "x"}), "one of them stops the other and does nothing more"
            await pass_time(app, clock, 1.0)
            await pilot.press("escape")
            clock.now += 10.0
            assert not any(
                attempt.go.is_set()
                for attempt in app.control.deeds.under_way.attempts.values()
                if attempt.intent.verb in (Verb.PROMOTE, Verb.ROLL_BACK)
            )

    run(play, guard=Guard(promote=3.0, roll_back=3.0))
    run(play, guard=Guard(second_key=True))


@pytest.mark.parametrize("uid", [CHECKOUT, LEDGER])
@pytest.mark.parametrize(("key", "verb"), [("p", Verb.PROMOTE), ("x", Verb.ROLL_BACK)])
def test_what_the_line_names_is_what_is_sent(uid: Uid, key: str, verb: Verb) -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        app.control.sight.select(uid)
        clock.now += 1.0
        app._tick()
        await pilot.press(key)
        row, last = app.control.sight.row, app.control.deeds.last
        assert row is not None
        assert last is not None
        wish = offer(row.rollout, verb)
        assert effects.target(wish, row.rollout) in screen_text(app)
        assert effects.effect(wish, row.rollout)[:40] in screen_text(app)
        assert last.intent.verb is verb
        seen = last.intent.precondition
        assert seen.effect in (wish.effect, None)
        assert (seen.canary_hash, seen.step) == (getattr(row.rollout.canary, "hash", ""), row.rollout.step)

    run(play)


def test_done_is_said_only_of_what_the_cluster_shows() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        await pass_time(app, clock, 3.2)
        last = app.control.deeds.last
        assert last is not None
        await until(pilot, lambda: last.deed.state is DeedState.FAILED)
        assert "Done" not in screen_text(app)
        assert "Failed: promote checkout-api. stopped at step 5" in screen_text(app)

    run(play, act=(sys.executable, "-c", FAILING))
    for state in DeedState:
        said = effects.deed(deed("geo-api", NOW, Verb.PROMOTE, state, 5), NOW)
        assert said.startswith("Done") is (state is DeedState.DONE)


def test_a_key_that_is_off_says_why() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        app.control.sight.select(Uid("uid-fraud-scorer"))
        clock.now += 1.0
        app._tick()
        assert "is off: not allowed: patch rollouts/status" in screen_text(app)
        await pilot.press("p")
        assert "You may not promote fraud-scorer: the right to patch rollouts/status is missing." in screen_text(app)
        app.control.sight.select(Uid("uid-invoice-pdf"))
        clock.now += 9.0
        app._tick()
        assert "once flagged: " in screen_text(app) or "is off: " in screen_text(app)

    run(play)


def test_one_deed_has_one_name_everywhere() -> None:
    bar = {action.id: action.word for action in ACTIONS}
    assert bar["promote"] == words.VERB[Verb.PROMOTE] == "promote"
    assert bar["rollback"] == words.VERB[Verb.ROLL_BACK] == "roll back"
    assert bar["flag"] == words.VERB[Verb.FLAG] == "flag"
    for name in ("promote", "rollback", "flag"):
        assert build().parse_args([name, "checkout"]).command == name
    said = " ".join([*bar.values(), *(action.help for action in ACTIONS), *words.VERB.values(), *words.PAST.values()])
    assert not re.search(r"\b(resume|retry|rollout undo|promote-full|restart|revert)\b", said)


def test_two_presses_never_skip_a_step() -> None:
    async def play(pilot: Pilot[int], app: BoardApp, clock: Clock) -> None:
        await pilot.press("p")
        first = app.control.deeds.last
        await pass_time(app, clock, 3.2)
        assert sent(app)
        clock.now += 0.1
        await pilot.press("p")
        assert not armed(app)
        assert app.control.deeds.last is first
        assert "Another deed is under way" in screen_text(app)
        assert first is not None
        assert first.intent.precondition.step == 3, "an old picture names the step it showed, and is refused for it"

    slow = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.readline(); sys.stdin.read()")
    run(play, act=slow)


def test_every_accident_of_the_table_has_its_test_and_every_test_its_accident() -> None:
    listed = re.findall(r"\| (test_\w+) \|", __doc__ or "")
    here = {name for name in globals() if name.startswith("test_")} - {
        "test_every_accident_of_the_table_has_its_test_and_every_test_its_accident"
    }
    assert len(listed) == len(set(listed)) == 21
    assert set(listed) == here
