"""From a key press to a deed: the guard, the countdown, and the child process that does it.

The guard itself is ``domain.intent``, a pure state machine; this file gives it the facts of the moment and does what
it says. At most one intent is armed; what was sent goes on in ``under_way``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from opsroom.domain.board import Row
from opsroom.domain.deed import Refusal, Verb
from opsroom.domain.intent import (
    BURST_KEYS,
    LATE,
    Armed,
    Press,
    Refused,
    arm,
    look,
    open_to,
    right_for,
    still_true,
)
from opsroom.domain.offer import offer
from opsroom.ui.options import Guard, Options
from opsroom.ui.press import Hands, doubt, doubt_about, marking, pressed, sparing
from opsroom.ui.sight import Sight
from opsroom.ui.under_way import UnderWay, ending
from opsroom.view import intent_line, notes, two_people, words
from opsroom.view.line import Line

if TYPE_CHECKING:
    from opsroom.ui.attempt import Attempt

SAID_FOR = 6.0
"""Seconds for which a refusal stays on the intent line."""

SECOND_KEY_SECONDS = 10.0


class Deeds:
    """The intent that is armed, and the deeds on their way."""

    def __init__(self, sight: Sight, options: Options, changed: Callable[[], None]) -> None:
        self._sight = sight
        self._options = options
        self._changed = changed
        self._said: tuple[str, bool, float] = ("", False, 0.0)
        self._spent = False
        """Whether the key that is being taken has stopped something and so does nothing else."""
        self._second_key = False
        """Whether what is armed waits for a second key instead of a countdown."""
        self.armed: Armed | None = None
        self.under_way = UnderWay(sight, options, self._noted)
        self.ended: Callable[[str, bool], None] = lambda text, bad: None
        """Told of each deed that came to its end: a sentence, and whether it is a bad one."""

    @property
    def last(self) -> Attempt | None:
        """The deed that was begun last."""
        return self.under_way.last

    @property
    def read_only(self) -> bool:
        """Whether nothing can be done from here, by this screen's doing or the worker's."""
        room = self._sight.feed.board.room
        return self._sight.read_only or (room is not None and room.read_only)

    def say(self, text: str, bad: bool = False) -> None:
        """Put a note on the intent line."""
        self._said = (text, bad, self._sight.clock())
        self._changed()

    @property
    def quiet(self) -> bool:
        """Whether nothing is armed and no note stands on the intent line."""
        return self.armed is None and not self._said[0]

    def hush(self) -> None:
        """Take a note off the intent line: it was about another screen."""
        self._said = ("", False, 0.0)

    def press(self, verb: Verb, hands: Hands) -> None:
        """A guarded key went down on the row under the cursor."""
        row = self._sight.row
        if row is None or self.armed is not None or self._spent:
            return
        self._sight.touched = True
        followed = self.under_way.followed(row.rollout.uid)
        press = pressed(self._sight, row, verb, hands, read_only=self.read_only, followed=followed)
        if verb in (Verb.FLAG, Verb.ACKNOWLEDGE):
            self._mark(row, press)
            return
        guard = self._guard()
        seconds = guard.seconds(offer(row.rollout, verb))
        answer = arm(press, SECOND_KEY_SECONDS if guard.second_key else seconds)
        if isinstance(answer, Refused):
            self._refuse(answer.refusal, verb, row, answer.detail)
            return
        self.armed, self._second_key = answer, guard.second_key
        self._said = ("", False, 0.0)
        self.under_way.begin(row, verb)
        self._changed()

    def _guard(self) -> Guard:
        """The guard of this context."""
        return self._options.guards.get(self._sight.context, self._options.guard)

    def _mark(self, row: Row, press: Press) -> None:
        """A mark changes no traffic: the same conditions, no countdown."""
        if press.verb is Verb.FLAG and row.flag is not None:
            self.say(notes.already_flagged(row))
            return
        answer = arm(marking(press, self._sight.live_now), 0.0)
        if isinstance(answer, Refused):
            self._refuse(answer.refusal, press.verb, row, answer.detail)
            return
        self.under_way.begin(row, press.verb).go.set()

    def _refuse(self, refusal: Refusal, verb: Verb, row: Row, detail: str = "") -> None:
        self.say(words.refusal(refusal, verb, row.rollout, detail), bad=True)

    def _noted(self, attempt: Attempt) -> None:
        if attempt.deed.state.settled and self._is_armed(attempt):
            self.armed = None
        told = ending(attempt.deed, self._sight.live_now)
        if told is not None:
            self.ended(*told)
        self._changed()

    def _is_armed(self, attempt: Attempt) -> bool:
        return self.armed is not None and self.armed.row.rollout.uid == attempt.intent.target.uid

    def stop(self, said: str = "") -> bool:
        """Stop the armed intent; False where there is none."""
        if self.armed is None:
            return False
        rollout, verb = self.armed.row.rollout, self.armed.verb
        self.armed = None
        self.under_way.drop(rollout.uid)
        self.say(said or notes.stopped(verb, rollout), bad=bool(said))
        return True

    def came(self, key: str) -> None:
        """A key came, before anybody acts on it: one that has nothing to do with what is armed stops it.

        Whoever types on has not decided anything, and may believe to be in another window. Such a key arms nothing
        itself.
        """
        self._spent = self.armed is not None and key not in sparing(
            self.armed.verb, self._second_key, self._options.keymap
        )
        if self._spent:
            self.stop()

    def hurried(self, hands: Hands) -> None:
        """A key came; if the armed one turns out to be the first of a burst, it was no decision."""
        if self.armed is not None and hands.recent_keys > BURST_KEYS:
            armed = self.armed
            self.stop(words.refusal(Refusal.TOO_FAST, armed.verb, armed.row.rollout))

    def stalled(self) -> None:
        """The terminal takes no frames: nobody can see the countdown, so it does not run."""
        if self.armed is not None:
            armed = self.armed
            self.stop(words.refusal(Refusal.STALLED, armed.verb, armed.row.rollout))

    def second_key(self, hands: Hands) -> None:
        """The second key of ``second-key`` mode."""
        if self.armed is None or not self._second_key:
            return
        if hands.late > LATE:
            self.stop(words.refusal(Refusal.LATE, self.armed.verb, self.armed.row.rollout))
        else:
            self._fire(self.armed)

    def tick(self) -> None:
        """Look at the clock: count down, send, drop what stood still, forget what is long done."""
        now = self._sight.clock()
        if self.under_way.forget(now):
            self._changed()
        if self._said[0] and now - self._said[2] > SAID_FOR:
            self._said = ("", False, 0.0)
            self._changed()
        if self.armed is None:
            return
        answer = look(self.armed, now)
        if isinstance(answer, Refused):
            self.stop(words.refusal(answer.refusal, answer.verb, self.armed.row.rollout, answer.detail))
        elif isinstance(answer, Armed):
            self.armed = answer
            self._changed()
        elif self._second_key:
            self.stop()
        else:
            self._fire(self.armed)

    def _fire(self, armed: Armed) -> None:
        """The countdown is over: send it if the rollout is still what it was."""
        rollout = armed.row.rollout
        refusal = still_true(armed, self._sight.feed.board.rows.get(rollout.uid)) or doubt(self._sight, armed)
        if refusal is not None:
            self.stop(words.refusal(refusal, armed.verb, rollout))
            return
        self.armed = None
        self.under_way.attempts[rollout.uid].go.set()
        self._changed()

    def line(self, cells: int) -> Line:
        """The intent line at this moment; empty when there is nothing to say."""
        now, context = self._sight.clock(), self._sight.name
        if self.armed is not None:
            told = self.under_way.attempts[self.armed.row.rollout.uid].deed
            approving = two_people.first_of_two(self.armed.row, self.armed.verb, told)
            if self._second_key:
                return intent_line.second_key_line(self.armed, context, cells, approving)
            return intent_line.armed_line(self.armed, context, self.armed.fires - now, cells, approving)
        text, bad, _ = self._said
        if text:
            return intent_line.said_line(text, cells, bad)
        last = self.under_way.told(now)
        return Line() if last is None else intent_line.deed_line(last.deed, self._sight.live_now, cells)

    async def close(self) -> None:
        """The screen ends: stop what is armed, wait for children that were stopped, let the others go on alone."""
        self.stop()
        await self.under_way.close()

    def shown_offer(self, verb: Verb) -> bool:
        """Whether ``verb`` would be accepted on the row under the cursor as far as the picture tells."""
        row = self._sight.row
        if row is None or not open_to(row, verb) or self.read_only:
            return False
        if doubt_about(self._sight, verb, row) is not None:
            return False
        return right_for(row, verb).allowed is not False and offer(row.rollout, verb).effect is not None
