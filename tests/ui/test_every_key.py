"""Every key of the action table does what its help says, wherever the table says that it works.

``DOES`` has one check for each action; an action without one fails, so that no key comes in untested. A check presses
nothing itself: it is run around each key of its action, on each screen that the action works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from opsroom.domain.deed import Verb
from opsroom.feed.frames import Picture
from opsroom.feed.record import Recorder
from opsroom.feed.replay import Replay
from opsroom.feed.state import Board
from opsroom.ui.actions import ACTIONS, Action, Place
from opsroom.ui.app import BoardApp
from opsroom.ui.board import BoardScreen
from opsroom.ui.options import Guard, Options
from tests.ui.scenes import NOW, all_rows, room
from tests.ui.show import many
from tests.ui.stage import HERE, Clock, screen_text, stage

PATIENCE = 60.0


@dataclass
class Scene:
    """The app before and after a key."""

    app: BoardApp
    clock: Clock
    place: Place
    written: list[str]
    """What went to the terminal beside the picture."""

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def cursor(self) -> int:
        sight = self.app.control.sight
        return sight.uids.index(sight.selected) if sight.selected in sight.uids else -1

    @property
    def scrolled(self) -> int:
        return int(self.app.screen.query_one("#page").scroll_offset.y)

    @property
    def scrolled_to(self) -> int:
        return 0 if self.place is Place.BOARD else self.scrolled

    @property
    def at(self) -> int:
        """Where the list's cursor or the page's window stands."""
        return self.cursor if self.place is Place.BOARD else self.scrolled


Check = Callable[[Scene], Iterator[None]]
DOES: dict[str, Check] = {}


def check(*ids: str) -> Callable[[Check], Check]:
    def register(found: Check) -> Check:
        for each in ids:
            assert each not in DOES
            DOES[each] = found
        return found

    return register


def moved(by: int) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        before = scene.at if scene.place is not Place.DETAIL else scene.cursor
        yield
        after = scene.at if scene.place is not Place.DETAIL else scene.cursor
        assert (after > before) if by > 0 else (after < before)

    return play


DOES["down"], DOES["up"] = moved(1), moved(-1)


def paged(by: int) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        before = scene.at
        yield
        assert (scene.at > before + 1) if by > 0 else (scene.at < before - 1)

    return play


DOES["page_down"], DOES["page_up"], DOES["first"], DOES["last"] = paged(1), paged(-1), paged(-1), paged(1)


@check("next", "previous")
def _to_a_flag(scene: Scene) -> Iterator[None]:
    before = scene.cursor
    yield
    row = scene.app.control.sight.row
    assert scene.cursor != before
    assert row is not None
    assert row.flag is not None


def armed(verb: Verb) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        yield
        found = scene.app.control.deeds.armed
        assert found is not None
        assert found.verb is verb

    return play


DOES["promote"], DOES["rollback"] = armed(Verb.PROMOTE), armed(Verb.ROLL_BACK)


def marked(verb: Verb) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        if verb is Verb.FLAG:
            unflagged = next(row for row in scene.app.control.sight.rows.values() if "media" in row.rollout.name)
            scene.app.control.sight.select(unflagged.rollout.uid)
            scene.clock.now += 2.0
        yield
        last = scene.app.control.deeds.last
        assert last is not None
        assert last.intent.verb is verb

    return play


DOES["flag"], DOES["acknowledge"] = marked(Verb.FLAG), marked(Verb.ACKNOWLEDGE)


@check("freeze_all")
def _asks_before_it_freezes(scene: Scene) -> Iterator[None]:
    yield
    assert "FREEZE: no automatic deed for anybody" in scene.text


@check("stop")
def _stops_or_leads_back(scene: Scene) -> Iterator[None]:
    deeds = scene.app.control.deeds
    if scene.place is Place.PAGE:
        depth = len(scene.app.screen_stack)
        yield
        assert len(scene.app.screen_stack) == depth - 1
        return
    deeds.press(Verb.ROLL_BACK, scene.app.control.keyboard.hands(scene.clock.now, modal=False))
    assert deeds.armed is not None
    yield
    assert deeds.armed is None


@check("confirm")
def _does_what_is_armed(scene: Scene) -> Iterator[None]:
    deeds = scene.app.control.deeds
    with second_key(scene.app):
        deeds.press(Verb.ROLL_BACK, scene.app.control.keyboard.hands(scene.clock.now, modal=False))
        attempt = deeds.last
        assert attempt is not None
        assert not attempt.go.is_set()
        yield
        assert attempt.go.is_set()


@contextmanager
def second_key(app: BoardApp) -> Iterator[None]:
    deeds, before = app.control.deeds, app.control.deeds._options
    deeds._options = msgspec.structs.replace(before, guard=Guard(second_key=True))
    try:
        yield
    finally:
        deeds._options = before


def shows(*words: str) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        yield
        assert any(each in scene.text for each in words), scene.text

    return play


DOES["open"] = shows("[pause]  50%")
DOES["events"] = shows("All others")
DOES["logs"] = DOES["manifest"] = shows("payments/checkout-api")
DOES["sources"] = shows("expected every")
DOES["journal"] = shows("worker")
DOES["queue"] = shows("normal", "Queue")
DOES["help"] = shows("Keys that act")
DOES["palette"] = shows("what happened, newest first")
DOES["only_flagged"] = shows("only flagged")
DOES["sort"] = shows("by score")
DOES["unbound"] = shows("That key does nothing here")


@check("filter")
def _types_a_filter(scene: Scene) -> Iterator[None]:
    yield
    assert "enter keep the filter" in scene.text


@check("wide")
def _gives_the_list_the_height(scene: Scene) -> Iterator[None]:
    before = scene.app.screen.query_one("#pane").display
    yield
    assert scene.app.screen.query_one("#pane").display is not before


@check("next_context", "previous_context")
def _says_how_to_have_several(scene: Scene) -> Iterator[None]:
    yield
    assert "This board shows one context" in scene.text


@check("freeze")
def _stops_the_picture(scene: Scene) -> Iterator[None]:
    sight = scene.app.control.sight
    replay = sight.replay
    before = sight.stopped_at is None if replay is None else replay.paused
    yield
    if scene.place is Place.PAGE and replay is None:
        assert sight.stopped_at is None, "a page about the living world has no picture to stop"
    elif replay is None:
        assert (sight.stopped_at is None) is not before
    else:
        assert replay.paused is not before


@check("copy")
def _asks_the_terminal_to_keep_the_name(scene: Scene) -> Iterator[None]:
    yield
    assert any(each.startswith("\x1b]52;c;") for each in scene.written)


@check("url")
def _shows_the_address(scene: Scene) -> Iterator[None]:
    yield
    assert "https://git.local/checkout-api/8f2c1d0" in scene.text


@check("theme")
def _changes_the_theme(scene: Scene) -> Iterator[None]:
    before = scene.app.control.paint.theme.name
    yield
    assert scene.app.control.paint.theme.name != before


@check("refresh")
def _paints_again(scene: Scene) -> Iterator[None]:
    painted: list[bool] = []
    refresh = scene.app.screen.refresh

    def noted(*regions: Region, **more: bool) -> Widget:
        painted.append(True)
        return refresh(*regions, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene.app.screen, "refresh", noted)
        yield
    assert painted


@check("quit")
def _leaves(scene: Scene) -> Iterator[None]:
    if scene.place is Place.PAGE:
        yield from _stops_or_leads_back(scene)
        return
    left: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene.app, "action_leave", lambda: left.append(True))
        yield
    assert left == [True]


def played(change: Callable[[Replay, float, float], bool]) -> Check:
    def play(scene: Scene) -> Iterator[None]:
        replay = scene.app.control.sight.replay
        if replay is None:
            state = (scene.app.control.sight.selected, scene.scrolled_to, len(scene.app.screen_stack))
            yield
            now = (scene.app.control.sight.selected, scene.scrolled_to, len(scene.app.screen_stack))
            assert now == state, "without a recording it does nothing"
            return
        at, speed = replay.at, replay.speed
        yield
        assert change(replay, at, speed)

    return play


DOES["step"] = played(lambda replay, at, speed: at < replay.at <= at + 11)
DOES["step_back"] = played(lambda replay, at, speed: at - 11 <= replay.at < at)
DOES["later"] = played(lambda replay, at, speed: replay.at == at + 10)
DOES["earlier"] = played(lambda replay, at, speed: replay.at == at - 10)
DOES["much_later"] = played(lambda replay, at, speed: replay.at == at + 60)
DOES["much_earlier"] = played(lambda replay, at, speed: replay.at == at - 60)
DOES["faster"] = played(lambda replay, at, speed: replay.speed == speed * 2)
DOES["slower"] = played(lambda replay, at, speed: replay.speed == speed / 2)


def test_every_action_has_a_check_and_every_check_an_action() -> None:
    assert DOES.keys() == {action.id for action in ACTIONS}


def keys(place: Place, replay: bool = False) -> list[tuple[Action, str]]:
    """Every key that works on the board, the first of each action elsewhere; in a recording those of its own only."""
    wanted = [action for action in ACTIONS if place in action.places and (action.replay or action.id == "freeze")]
    here = wanted if replay else [action for action in ACTIONS if place in action.places]
    return [(action, key) for action in here for key in action.keys.split(",")[: None if place is Place.BOARD else 1]]


BACKWARDS = frozenset({"up", "page_up", "first", "previous"})


async def prepared(pilot: Pilot[int], scene: Scene, action: Action) -> None:
    """The screen of ``scene.place`` as if it had just been opened."""
    app, sight = scene.app, scene.app.control.sight
    app.control.deeds.stop()
    app.control.deeds.under_way.attempts.clear()
    while not isinstance(app.screen, BoardScreen):
        await app.pop_screen()
    await pilot.pause()
    app.screen.query_one("#pane").remove_class("-hidden")
    if sight.stopped_at is not None:
        sight.stop()
    sight.order(type(sight.wish)())
    await app.screen.run_action("back")
    sight.select(sight.uids[0])
    sight.touched = True
    if scene.place is Place.DETAIL:
        await app.screen.run_action("open")
        await pilot.pause()
    elif scene.place is Place.PAGE:
        await app.run_action("app.show('help')")
        await pilot.pause()
    if action.id in BACKWARDS:
        end = "flagged(1)" if action.id == "previous" else "edge(1)"
        if scene.place is Place.DETAIL and action.id == "up":
            end = "move(5)"
        await app.screen.run_action(end)
        await pilot.pause()
    app.control.deeds.hush()
    scene.clock.now += 10.0
    feed = app.control.sight.feed
    if hasattr(feed, "show"):
        feed.show(tuple(feed.board.rows.values()), room(NOW), heard=scene.clock.now)
    app._tick()
    scene.clock.now += 1.0
    scene.written.clear()


async def press_all(pilot: Pilot[int], scene: Scene, replay: bool = False) -> None:
    for action, key in keys(scene.place, replay):
        await prepared(pilot, scene, action)
        around = DOES[action.id](scene)
        next(around)
        await pilot.press(key)
        await pilot.pause()
        try:
            with pytest.raises(StopIteration):
                next(around)
        except AssertionError as error:
            raise AssertionError(f"{key} ({action.id}) on {scene.place.value}: {error}") from error


@pytest.mark.parametrize("place", list(Place), ids=[place.value for place in Place])
def test_every_key_does_what_its_help_says(place: Place) -> None:
    async def play() -> None:
        # Charts take most of the time that a picture takes, and no key is about them.
        rows = tuple(msgspec.structs.replace(row, metrics=()) for row in many(40, NOW))
        app, clock = stage(Options(act=("/bin/cat",), show=("/bin/false",)), rows)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            written: list[str] = []
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(app, "_write", written.append)
                await press_all(pilot, Scene(app, clock, place, written))

    asyncio.run(play())


def test_every_key_of_a_recording_moves_in_it(tmp_path: Path) -> None:
    recorder, board = Recorder(tmp_path / "incident.rec"), Board()
    for turn in range(40):
        board.apply(Picture(seq=turn + 1, room=room(NOW + 10 * turn + 1), rows=all_rows(NOW)), 0.0)
        recorder.note(board)
    recorder.close()

    async def play() -> None:
        clock = Clock()
        replay = Replay(tmp_path / "incident.rec", clock=clock)
        app = BoardApp(Options(replay=replay, act=("/bin/false",)), replay, clock=clock, found=HERE)
        async with app.run_test(size=(120, 40)) as pilot:
            async with asyncio.timeout(PATIENCE):
                while app.control.sight.room is None:
                    await pilot.pause(0.01)
            for action, key in keys(Place.BOARD, replay=True):
                replay.pause()
                replay.seek(replay.start + 120)
                await pilot.pause()
                around = DOES[action.id](Scene(app, clock, Place.BOARD, []))
                next(around)
                await pilot.press(key)
                with pytest.raises(StopIteration):
                    next(around)

    asyncio.run(play())
