"""The pages that the feed cannot fill, logs and manifest: a child process asks the cluster, the page shows its answer.

The child is ``opsroom show NAME --logs|--manifest`` with the operator's own credentials; it only reads. It is asked
once, and again with ``ctrl+r``; leaving the page ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Sequence

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.pod_logs import PodLogs
from opsroom.domain.rollout import Rollout
from opsroom.ui.control import Control
from opsroom.ui.pages import PageScreen
from opsroom.view import inside_pages, numbers
from opsroom.view.line import Line

SECONDS = 30.0
"""How long an answer may take."""

LIMIT = 4 * 1024 * 1024
"""Bytes of an answer that are shown."""

Draw = Callable[[int], inside_pages.Answer]


class InsideScreen(PageScreen):
    """One rollout's logs or manifest."""

    def __init__(self, control: Control, name: str, rollout: Rollout) -> None:
        super().__init__(control, name)
        self._key = rollout.key
        self._asked: subprocess.Popen[bytes] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._draw: Draw = lambda cells: inside_pages.Answer()
        self._drawn: tuple[Draw, int, inside_pages.Answer] | None = None
        """The answer at the width it was last drawn at: thousands of lines, and it does not change by itself."""
        self._note = inside_pages.ASKING
        self._answered: float | None = None

    def on_mount(self) -> None:
        """Ask at once."""
        super().on_mount()
        self._begin()

    def on_unmount(self) -> None:
        """Nobody waits for the answer any more."""
        self._end()

    async def action_repaint(self) -> None:
        """Ask again."""
        self._begin()
        await super().action_repaint()

    def _begin(self) -> None:
        if self._asking is None or self._asking.done():
            self._note = inside_pages.ASKING
            self._asking = asyncio.create_task(self._ask([*self.control.options.show, self._key, *_WORDS[self._about]]))
            self.redraw()

    async def _ask(self, command: Sequence[str]) -> None:
        try:
            self._asked = process = _started(command)
            out, words = await asyncio.to_thread(process.communicate, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._end()
            self._failed(clean(error, 300))
            return
        if process.returncode != 0:
            lines = words.decode(errors="replace").strip().splitlines()
            self._failed(clean(lines[-1], 400) if lines else "")
            return
        self._take(out[:LIMIT])

    def _take(self, answer: bytes) -> None:
        before = self._answered
        if self._about == "logs":
            try:
                logs = msgspec.json.decode(answer, type=PodLogs)
            except (msgspec.MsgspecError, RecursionError) as error:
                self._failed(clean(error, 300))
                return
            self._draw = lambda cells: inside_pages.logs_answer(logs, cells)
        else:
            # Cleaned line by line once more: whatever the child is, nothing of it reaches the terminal raw.
            text = "\n".join(_indented(line) for line in answer.decode(errors="replace").splitlines())
            self._draw = lambda cells: inside_pages.Answer(lines=inside_pages.manifest_lines(text, cells))
        self._answered, self._note = self.control.sight.live_now, ""
        self.redraw()
        if self._about == "logs" and before is None:
            self.call_after_refresh(self.action_edge, 1)

    def _failed(self, why: str) -> None:
        self._note, said = "", why or inside_pages.NO_WORDS
        self._draw = lambda cells: inside_pages.Answer(lines=inside_pages.failed(said, cells))
        if self.is_mounted:
            self.redraw()

    def pinned(self, cells: int) -> list[Line]:
        """What this is about, why there is none (or how old it is), and whose words stand where."""
        since = "" if self._answered is None else f"as of {numbers.clock(self._answered)}, ctrl+r asks again"
        head = inside_pages.head(self._about, self._key, self._note or since, cells)
        return [head, *self._answer(cells).heads]

    def lines(self, cells: int, rows: int) -> list[Line]:
        """The answer."""
        return self._answer(cells).lines

    def _answer(self, cells: int) -> inside_pages.Answer:
        if self._drawn is None or self._drawn[:2] != (self._draw, cells):
            self._drawn = (self._draw, cells, self._draw(cells))
        return self._drawn[2]

    def _end(self) -> None:
        if self._asked is not None and self._asked.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._asked.kill()


_WORDS = {"logs": ("--logs", "-o", "json"), "manifest": ("--manifest",)}


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nothing, stdout=pipe, stderr=pipe, start_new_session=True)  # noqa: S603


def _indented(line: str) -> str:
    inner = line.lstrip(" ")
    return " " * min(120, len(line) - len(inner)) + clean(inner, 2000)
