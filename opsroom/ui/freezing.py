"""``!``: freeze or thaw everybody's automatic deeds, by the command ``opsroom freeze`` with the operator's credentials.

There is no row to arm and nothing to count down for: the same key twice, apart enough to be two decisions and near
enough to be one. It works when the worker is dead, like every deed.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence

from opsroom.domain.clean import clean
from opsroom.domain.intent import BURST_KEYS, FOCUSED_AFTER, LATE
from opsroom.ui.options import Options
from opsroom.ui.press import Hands
from opsroom.ui.sight import Sight
from opsroom.view import freeze_words

AGAIN_AFTER = 0.4
"""Seconds: sooner is the key's own repetition."""

AGAIN_WITHIN = 5.0
END_SECONDS = 30.0


class Freezing:
    """The two presses, and the command they start."""

    def __init__(self, sight: Sight, options: Options, say: Callable[[str, bool], None]) -> None:
        self._sight = sight
        self._options = options
        self._say = say
        self._asked: tuple[float, bool] | None = None
        """When it was asked (monotonic seconds), and whether there was a freeze then."""
        self._task: asyncio.Task[None] | None = None

    def press(self, hands: Hands) -> None:
        """``!`` went down."""
        refusal = self._refusal(hands)
        if refusal:
            self._asked = None
            self._say(refusal, True)
            return
        if hands.modal or (self._task is not None and not self._task.done()):
            return
        room = self._sight.feed.board.room
        frozen, now = room is not None and room.freeze is not None, self._sight.clock()
        asked, self._asked = self._asked, (now, frozen)
        if asked is None or asked[1] is not frozen or now - asked[0] > AGAIN_WITHIN:
            self._say(freeze_words.question(frozen), False)
        elif now - asked[0] >= AGAIN_AFTER:
            self._asked = None
            self._say(freeze_words.doing(frozen), False)
            self._task = asyncio.create_task(self._run(self._options.thaw if frozen else self._options.freeze))
        else:
            self._asked = asked

    def forget(self) -> None:
        """The first press was for another screen."""
        self._asked = None

    def _refusal(self, hands: Hands) -> str:
        room = self._sight.feed.board.room
        if self._sight.read_only or (room is not None and room.read_only):
            return freeze_words.READ_ONLY
        if hands.recent_keys > BURST_KEYS:
            return freeze_words.TOO_FAST
        if hands.late > LATE:
            return freeze_words.LATE
        return freeze_words.UNFOCUSED if hands.focused_for < FOCUSED_AFTER else ""

    async def _run(self, command: Sequence[str]) -> None:
        try:
            ended = await asyncio.to_thread(
                subprocess.run,
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=END_SECONDS,
                start_new_session=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self._say(freeze_words.failed(clean(error, 200)), True)
            return
        said = clean((ended.stdout if ended.returncode == 0 else ended.stderr).decode(errors="replace"), 300).strip()
        self._say(said if ended.returncode == 0 else freeze_words.failed(said), ended.returncode != 0)
