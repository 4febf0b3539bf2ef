"""A scene on a screen: a feed that shows records, a stand-in for ``opsroom act``, and a board in this terminal.

``python -m tests.ui.show [board|wall|empty|calm|one|lost|many|hostile|wide|contexts]`` shows it;
``OPSROOM_SCENE_THEME`` names a theme, ``OPSROOM_SCENE_WALL`` shows the scene on the wall, ``OPSROOM_SCENE_GRAPHS`` says
what graphs are made of, ``OPSROOM_SCENE_COUNTDOWN`` how many seconds there are to stop a roll back.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable

import msgspec

from opsroom.clock import awake_or_not
from opsroom.domain.board import Happening, Room, Row
from opsroom.domain.rollout import Uid
from opsroom.feed.frames import Picture
from opsroom.feed.state import Board, Link, LinkState
from opsroom.ui.options import Guard, Options
from opsroom.view.spark import Graphs
from tests.ui.scenes import NOW, all_rows, done, moving, needing, queued, room

ACT = """
import json, sys, time
intent = json.loads(sys.stdin.readline())
def say(state, **more):
    print(json.dumps({"intent": intent, "state": state, "at": time.time(), **more}), flush=True)
say("journalled")
if sys.stdin.readline().strip() != "go":
    say("cancelled")
    sys.exit(0)
for state in ("sent", "accepted", "seen", "done"):
    say(state)
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0.5)
"""
"""A stand-in for ``opsroom act`` that reports every state."""


SHOW = """
import json, sys
if "--manifest" in sys.argv:
    print("kind: Rollout\\nspec:\\n" + "\\n".join(f"  field{at}: {at}" for at in range(60)))
else:
    def side(version):
        said = [{"at": f"2026-08-05T12:04:{at:02}Z", "pod": f"cart-{at % 2}",
                 "text": f"INFO \u6c7a\u6e08 {at}" if at % 9 else "ERROR refused"} for at in range(60)]
        return {"version": version, "pods": ["cart-0", "cart-1"], "lines": said}
    print(json.dumps({"canary": side("v2"), "stable": side("v1")}))
"""
"""A stand-in for ``opsroom show``: a manifest, or the logs of both sides, longer than a screen."""


class SceneFeed:
    """A feed that shows what it is given; the same face as ``opsroom.feed.client.FeedClient``."""

    def __init__(self, rows: tuple[Row, ...] | None = None, around: Room | None = None, now: float = NOW) -> None:
        self.board = Board()
        self.link = Link(LinkState.LIVE, since=0.0)
        self.changed = asyncio.Event()
        self._seq = 0
        if rows is not None:
            self.show(rows, around or room(now), heard=0.0)

    def show(self, rows: tuple[Row, ...], around: Room, heard: float) -> None:
        """Put a new picture up; ``heard`` is the monotonic time of it."""
        self._seq += 1
        self.board.apply(Picture(seq=self._seq, room=around, rows=rows), heard)
        self.changed.set()

    def lose(self, error: str, now: float) -> None:
        """The line is lost."""
        self.link = Link(LinkState.LOST, since=now, error=error)

    async def __aiter__(self) -> AsyncIterator[object]:
        """Nothing comes in by itself."""
        await asyncio.Event().wait()
        yield None


def beside(now: float = NOW, at: float = 0.0) -> list[tuple[Options, SceneFeed]]:
    """Three more contexts for a board: one needs somebody, one is calm, one is lost; ``at`` is monotonic."""
    calm = (*moving(now)[1:3], *done(now))
    scenes = (("prod-us", (*needing(now)[1:], *calm)), ("staging", calm), ("prod-ap", (*needing(now)[:1], *calm)))
    found = []
    for name, rows in scenes:
        feed = SceneFeed()
        feed.show(rows, room(now, context=name), heard=at)
        found.append((Options(act=(sys.executable, "-c", ACT), context=name), feed))
    found[-1][1].lose("nobody listens at unix:/run/opsroom-ap.sock", at - 130)
    return found


def hostile(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows whose foreign words try to reach the terminal."""
    bad = "pay\x1b]52;c;aGk=\x07\x1b[3J\x9b31m[/red][@click=app.quit]\u202eabc"
    return tuple(
        msgspec.structs.replace(
            row,
            rollout=msgspec.structs.replace(row.rollout, name=bad, message=bad),
            happenings=(Happening(at=NOW, kind="event", text=bad),),
        )
        for row in rows
    )


def wide(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows whose words take two cells a letter, or none."""
    return tuple(
        msgspec.structs.replace(
            row,
            rollout=msgspec.structs.replace(row.rollout, name=f"決済{row.rollout.name}", namespace="équipe-e\u0301"),
            happenings=(Happening(at=NOW, kind="event", text="ロールアウト 🚀 e\u0301"), *row.happenings),
        )
        for row in rows
    )


def main(what: str) -> int:
    """Show a scene on this terminal; its clock runs, or stands still where ``OPSROOM_SCENE_STILL`` is set."""
    from opsroom.ui.app import BoardApp, WallApp
    from opsroom.ui.driver import choose
    from opsroom.ui.terminal import look_at, prepare

    still = bool(os.environ.get("OPSROOM_SCENE_STILL"))
    now = NOW if still else time.time()
    clock: Callable[[], float] = (lambda: 0.0) if still else awake_or_not
    rows = all_rows(now)
    if what == "one":
        rows = (*needing(now)[:1], *moving(now), *queued(now), *done(now))
    elif what.startswith("calm"):
        rows = (*moving(now)[1:3], *queued(now), *done(now))
    elif what == "hostile":
        rows = hostile(rows)
    elif what == "wide":
        rows = wide(rows)
    elif what == "many":
        rows = many(int(os.environ.get("OPSROOM_SCENE_ROWS", "1000")), now)
    elif what == "empty":
        rows = ()
    feed = SceneFeed()
    feed.show(rows, room(now), heard=clock())
    if what == "lost":
        feed.link = Link(LinkState.LOST, since=clock() - 72, error="nobody listens at unix:/run/opsroom.sock")
    graphs = os.environ.get("OPSROOM_SCENE_GRAPHS")
    options = Options(
        graphs=Graphs(graphs) if graphs else None,
        theme=os.environ.get("OPSROOM_SCENE_THEME", "night"),
        act=(sys.executable, "-c", ACT),
        show=(sys.executable, "-c", SHOW),
        guard=Guard(roll_back=float(os.environ.get("OPSROOM_SCENE_COUNTDOWN", Guard().roll_back))),
        read_only=what == "wall",
    )
    found = look_at(os.environ)
    prepare(os.environ)
    kind = WallApp if os.environ.get("OPSROOM_SCENE_WALL") or what == "wall" else BoardApp
    others = beside(now, clock()) if what == "contexts" else []
    app = kind(options, feed, clock=clock, driver_class=choose(os.environ), found=found, others=others)
    app.run(mouse=False)
    if app.crash:
        sys.stderr.write(app.crash)
    return app.return_code or 0


def many(number: int, now: float) -> tuple[Row, ...]:
    """As many rollouts as asked for."""
    base = all_rows(now)
    return tuple(
        msgspec.structs.replace(
            base[at % len(base)],
            rollout=msgspec.structs.replace(
                base[at % len(base)].rollout, uid=Uid(f"uid-{at}"), name=f"{base[at % len(base)].rollout.name}-{at}"
            ),
            flag=base[at % len(base)].flag if at < len(base) else None,
        )
        for at in range(number)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "board"))
