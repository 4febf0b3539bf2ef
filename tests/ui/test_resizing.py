"""A window that is dragged: many sizes under way at once end in one picture of the last, and then nothing goes on."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from typing import cast

import pytest
from textual import events
from textual.geometry import Size

from opsroom.ui.driver import DiffingDriver, FrameWriter
from opsroom.ui.options import Options
from opsroom.ui.settled import SettledScreen
from tests.ui.stage import screen_text, stage

SIZES = (Size(80, 24), Size(80, 25), Size(120, 40), Size(80, 25), Size(80, 24))


@pytest.mark.parametrize("keys", [(), ("enter",), ("enter", "question_mark"), ("colon",)])
def test_sizes_that_come_at_once_settle_on_the_last(keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: list[Size] = []
    resized = SettledScreen._screen_resized

    def counted(screen: SettledScreen[None], size: Size) -> None:
        layouts.append(size)
        resized(screen, size)

    monkeypatch.setattr(SettledScreen, "_screen_resized", counted)

    async def play() -> None:
        app, _ = stage(Options())
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(*keys)
            await pilot.pause()
            for size in SIZES:
                # Straight to the screen, with something between: only neighbours in its queue are made one.
                app._size = size
                app.screen.post_message(events.Resize(size, size))
                app.screen.call_later(lambda: None)
            for _ in range(10):
                await pilot.pause()
            assert len(layouts) < 60, "the sizes chase each other"
            before = len(layouts)
            for _ in range(20):
                await pilot.pause()
            assert len(layouts) == before
            assert app.screen.size == SIZES[-1]
            assert max(len(line) for line in screen_text(app).splitlines()) <= SIZES[-1].width

    asyncio.run(play())


@pytest.mark.parametrize(("told", "size"), [((132, 43), (132, 43)), ((0, 0), (80, 25))])
def test_the_screen_has_the_size_of_the_terminal_that_it_is_drawn_on(
    told: tuple[int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    outer, inner = pty.openpty()
    with os.fdopen(outer, "wb"), os.fdopen(inner, "w") as terminal:
        termios.tcsetwinsize(inner, (told[1], told[0]))
        monkeypatch.setattr("sys.__stderr__", terminal)
        shadow = FrameWriter(terminal)._shadow.wanted
        # Standard output is not this terminal: it is the test runner's.
        assert DiffingDriver._get_terminal_size(cast("DiffingDriver", None)) == size == (shadow.wide, shadow.high)
