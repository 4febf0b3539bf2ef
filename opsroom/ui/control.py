"""Everything the screens of one app share, and the screen class that all of them are made from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from textual import events

from opsroom.clock import awake_or_not
from opsroom.domain.clean import clean
from opsroom.domain.deed import Verb
from opsroom.domain.intent import BURST_SECONDS
from opsroom.ui.actions import ACTIONS, Action, Place, key_name
from opsroom.ui.deeds import Deeds
from opsroom.ui.lines import LinesBlock
from opsroom.ui.options import Options
from opsroom.ui.paint import Paint
from opsroom.ui.press import Hands
from opsroom.ui.settled import SettledScreen
from opsroom.ui.sight import Sight
from opsroom.view import notes, too_small
from opsroom.view.keybar import Hint, bar
from opsroom.view.line import Line
from opsroom.view.spark import Graphs

STEP_BACK = 0.001
"""Seconds before a picture: the one before it is what stood then."""

SLOWEST, FASTEST = 1 / 8, 256.0

_VERBS = {"promote": Verb.PROMOTE, "rollback": Verb.ROLL_BACK}


@dataclass(slots=True)
class Keyboard:
    """When keys came and since when this terminal has the focus; monotonic seconds."""

    focused: float | None
    taken: deque[float] = field(default_factory=lambda: deque(maxlen=16))
    arrived: deque[float] = field(default_factory=lambda: deque(maxlen=16))

    @property
    def used(self) -> bool:
        """Whether any key has come yet."""
        return bool(self.taken)

    def pressed(self, now: float, arrived: float) -> None:
        """A key came at ``arrived`` and is taken ``now``; one that comes without the focus says that it is back."""
        self.taken.append(now)
        self.arrived.append(arrived)
        if self.focused is None:
            self.focused = now

    def hands(self, now: float, modal: bool) -> Hands:
        """The facts of this moment for the guard.

        A paste stays one where this process is slow to take its keys, and so does what piled up while it stood still.
        """
        last = self.arrived[-1] if self.arrived else now
        taken = sum(now - at <= BURST_SECONDS for at in self.taken)
        arrived = sum(last - at <= BURST_SECONDS for at in self.arrived)
        focused = 0.0 if self.focused is None else now - self.focused
        return Hands(max(taken, arrived), focused, modal, late=max(0.0, self.taken[-1] - last) if self.taken else 0.0)


@dataclass(slots=True)
class Control:
    """What the screens share."""

    options: Options
    sight: Sight
    paint: Paint
    graphs: Graphs
    deeds: Deeds
    keyboard: Keyboard
    clock: Callable[[], float] = awake_or_not
    several: bool = False
    """Whether this board has other contexts."""

    def offers(self, action: Action) -> bool:
        """Whether an action means anything on this board."""
        return (self.several or not action.several) and (self.sight.replay is not None or not action.replay)


class LinesScreen(SettledScreen[None]):
    """A screen made of lines that is drawn again when the picture, the clock or a deed has changed."""

    AUTO_FOCUS = ""
    place = Place.BOARD

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.control = control
        # Kept, not looked up: a late redraw must not stumble over a screen that is being taken down.
        self.intent_block = LinesBlock(control.paint, id="intent")
        self.keys_block = LinesBlock(control.paint, id="keys")
        self.small_block = LinesBlock(control.paint, id="small")

    @property
    def cramped(self) -> bool:
        """Whether there is room for one sentence only."""
        return too_small.too_small(*self.size)

    @property
    def cells(self) -> int:
        """The width; the terminal's before this screen has its own."""
        return self.size.width or self.app.size.width

    def ready(self) -> bool:
        """Whether there is something to draw on; on a terminal that is too small a sentence takes everything else's
        place, and nothing stays armed that nobody can see.
        """
        if not self.size.width or not self.is_mounted:
            return False
        self.set_class(self.cramped, "-cramped")
        if self.cramped:
            self.control.deeds.stop()
            self.small_block.show(too_small.sentence(*self.size))
        return not self.cramped

    def redraw(self) -> None:
        """Draw what changed; called at most twice a second, and at once after a key."""
        raise NotImplementedError

    def draw_bar(self) -> None:
        """The intent line and the keys."""
        cells = self.cells
        intent = self.control.deeds.line(cells)
        self.intent_block.show([intent if intent.pieces else self.hint(cells)])
        self.keys_block.show([self.keys(cells)])

    def keys(self, cells: int) -> Line:
        """The key bar."""
        if self.control.sight.replay is not None:
            return self._replay_keys(cells)
        hints = self.hints()
        return bar(hints[:-1], hints[-1], cells)

    def hints(self) -> list[Hint]:
        """The keys of this screen, the most needed first; the last one is always shown."""
        here = sorted((action for action in ACTIONS if self._in_bar(action)), key=lambda action: action.bar)
        return [self._hint(action) for action in here]

    def hint(self, cells: int) -> Line:
        """What stands above the keys while nothing else has to."""
        return Line()

    def _in_bar(self, action: Action) -> bool:
        return bool(action.bar) and self.place in action.places and not action.replay and self.control.offers(action)

    def _replay_keys(self, cells: int) -> Line:
        """First the keys of the recording, then those that look; none that acts."""
        playing = sorted((action for action in ACTIONS if action.replay and action.bar), key=lambda action: action.bar)
        looking = [action for action in ACTIONS if self._in_bar(action) and not action.guarded]
        looking.sort(key=lambda action: action.bar)
        hints = [Hint("space", "go on" if self.control.sight.standing else "pause")]
        hints += [self._hint(action) for action in (*playing, *looking) if action.id != "freeze"]
        return bar(hints[:-1], hints[-1], cells)

    def _hint(self, action: Action) -> Hint:
        verb = _VERBS.get(action.id)
        on = verb is None or self.control.deeds.shown_offer(verb)
        return Hint(key_name(action, self.control.options.keymap), action.word, on)

    def action_play(self, how: str, by: int = 0) -> None:
        """Move in the recording; without one these keys do nothing."""
        replay = self.control.sight.replay
        if replay is None:
            return
        match how:
            case "step":
                replay.step()
            case "step_back":
                replay.pause()
                replay.seek((replay.board.room.at if replay.board.room else replay.start) - STEP_BACK)
            case "seek":
                replay.seek(replay.at + by)
            case "faster":
                replay.pace(min(FASTEST, replay.speed * 2))
            case "slower":
                replay.pace(max(SLOWEST, replay.speed / 2))
        self.redraw()

    def action_hold(self) -> None:
        """Stop the picture or let it go on; a recording waits, the world does not."""
        replay = self.control.sight.replay
        if replay is None:
            self.control.sight.stop()
        elif replay.over:
            replay.pause(False)
            replay.seek(replay.start)
        else:
            replay.pause(not replay.paused)
        self.redraw()

    def takes(self, event: events.Key) -> bool:
        """Whether a key that nobody has taken on its way up is text for this screen, before it may be a binding."""
        return False

    async def action_repaint(self) -> None:
        """Paint everything again."""
        await self.app.run_action("app.repaint")

    async def action_leave(self) -> None:
        """Leave the room; a page overrides it, for there ``q`` leads back."""
        await self.app.run_action("app.leave")

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another picture."""
        self.call_after_refresh(self.redraw)


class GuardedScreen(LinesScreen):
    """A screen with a rollout under the cursor: the board and the detail."""

    def action_deed(self, verb: str) -> None:
        """A guarded key."""
        self.control.deeds.press(Verb(verb), self._hands())
        self.redraw()

    def action_mark(self, verb: str) -> None:
        """Flag or acknowledge."""
        self.control.deeds.press(Verb(verb), self._hands())
        self.redraw()

    def _hands(self) -> Hands:
        return self.control.keyboard.hands(self.control.clock(), modal=self.app.screen is not self or self.cramped)

    def action_confirm(self) -> None:
        """The second key, where one is asked for."""
        self.control.deeds.second_key(self._hands())
        self.redraw()

    def action_move(self, by: int) -> None:
        """Move the cursor; an armed intent was for the row before."""
        self.control.deeds.stop()
        self.control.sight.move(by)
        self.redraw()

    async def action_context(self, by: int) -> None:
        """Another context; asked of this screen, for it may be taking letters."""
        await self.app.run_action(f"app.context({by})")

    def action_flagged(self, by: int) -> None:
        """To the next flagged rollout."""
        self.control.deeds.stop()
        self.control.sight.move(by, flagged=True)
        self.redraw()

    def action_inside(self, name: str) -> None:
        """Open the logs or the manifest of the rollout under the cursor."""
        from opsroom.ui.inside import InsideScreen

        row = self.control.sight.row
        if self.control.sight.replay is not None:
            self.control.deeds.say(notes.IN_A_RECORDING)
        elif not self.control.options.show:
            self.control.deeds.say(notes.NOWHERE)
        elif row is not None:
            self.control.deeds.stop()
            self.app.push_screen(InsideScreen(self.control, name, row.rollout))

    def action_copy(self) -> None:
        """Send the rollout's name to the terminal's clipboard (OSC 52)."""
        row = self.control.sight.row
        if row is not None:
            self.app.copy_to_clipboard(clean(row.rollout.key))
            self.control.deeds.say(notes.copied(row.rollout))

    def action_url(self) -> None:
        """Open the change's address; over SSH, or where nothing opens one, show it: a terminal can."""
        from opsroom.ui import browser

        row = self.control.sight.row
        if row is None:
            return
        url, program = row.rollout.change.url, self.control.options.opener
        opened = bool(program) and browser.may_open(url) and browser.open_page(program, url)
        self.control.deeds.say(notes.opened(row.rollout) if opened else notes.address(row.rollout))

    def action_unbound(self) -> None:
        """Keys that hands press by reflex from other tools."""
        self.control.deeds.say(notes.REFLEX)
        self.redraw()
