"""A feed of a made-up fleet, in a process of its own: ``python -m tests.bench.fleet_feed ADDRESS ROWS``.

One rollout in twenty is under way and has its series, one in twenty has ended lately and still has them; one in twenty
rows changes each second, as a scoring step changes a row: a new verdict, and all series moved on by one value.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.rollout import Uid
from opsroom.domain.series import Metric, Series
from opsroom.feed.address import parse
from opsroom.feed.listening import listen
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
from tests.ui.scenes import done, moving, needing, room

FLAGGED = 5
UNDER_WAY = 20
"""One row in so many is under way."""

REMEMBERED = 20
"""One row in so many has ended and still has its series."""

HIGHEST = 0.49
"""Score from which on a row would move to another place: the bench counts places."""

CHANGING = 20
"""One row in so many changes each second."""


def fleet(number: int, now: float) -> list[Row]:
    """The rows, by number; their names say it."""
    flagged, running, ended = needing(now), moving(now), done(now)
    made = []
    for at in range(number):
        if at < FLAGGED:
            row = flagged[at % len(flagged)]
        elif at % UNDER_WAY == 0:
            row = running[at // UNDER_WAY % len(running)]
        else:
            row = ended[at % len(ended)]
            if at % REMEMBERED:
                row = msgspec.structs.replace(row, metrics=())
        made.append(_named(row, at))
    return made


def _named(row: Row, at: int) -> Row:
    """The row as a rollout of its own, with numbers of its own: nothing can be shared with another row."""
    uid, name = Uid(f"6f1c2a34-0000-4000-8000-{at:012d}"), f"svc-{at:05d}"
    before = row.rollout
    labels = {"app.kubernetes.io/name": name, "team": before.namespace, "tier": str(at % 4)}
    rollout = msgspec.structs.replace(before, uid=uid, name=name, labels=labels, resource_version=str(10_000_000 + at))
    verdict = row.verdict and msgspec.structs.replace(row.verdict, uid=uid)
    if verdict is not None and verdict.score is not None and row.flag is None:
        verdict = msgspec.structs.replace(verdict, score=min(HIGHEST, verdict.score))
    metrics = tuple(Metric(name=m.name, canary=_rounded(m.canary), baseline=_rounded(m.baseline)) for m in row.metrics)
    return msgspec.structs.replace(row, rollout=rollout, verdict=verdict, metrics=metrics)


def _rounded(series: Series) -> Series:
    """As the worker sends them: four digits."""
    values = tuple(None if value is None else float(f"{value:.4g}") for value in series.values)
    return Series(series.end, series.step, values)


def moved_on(row: Row, dice: random.Random) -> Row:
    """The row one scoring step later."""
    metrics = tuple(
        Metric(name=m.name, canary=_next(m.canary, dice), baseline=_next(m.baseline, dice)) for m in row.metrics
    )
    verdict = row.verdict
    if verdict is not None and verdict.score is not None:
        score = round(min(HIGHEST, max(0.0, verdict.score + dice.uniform(-0.02, 0.02))), 3)
        verdict = msgspec.structs.replace(verdict, score=score, at=verdict.at + 10)
    scores = (*row.scores[-59:], round(dice.random(), 3))
    return msgspec.structs.replace(row, metrics=metrics, verdict=verdict, scores=scores)


def _next(series: Series, dice: random.Random) -> Series:
    last = next((value for value in reversed(series.values) if value is not None), 1.0)
    value = float(f"{last * dice.uniform(0.9, 1.1):.4g}")
    return Series(series.end + series.step, series.step, (*series.values[1:], value))


async def serve(where: str, number: int) -> None:
    """Serve until the end."""
    published, dice = Published(), random.Random(7)  # noqa: S311 - a made-up fleet, no secrets
    rows = fleet(number, time.time())
    published.publish(room(time.time()), rows)
    running = [at for at in range(FLAGGED, number) if at % UNDER_WAY == 0]
    door = await listen(FeedApp(published, metrics=lambda: ""), parse(where))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print("ready", flush=True)  # noqa: T201
    turn = 0
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 1.0)
        for _ in range(max(1, number // CHANGING)):
            turn += 1
            at = running[turn % len(running)]
            rows[at] = moved_on(rows[at], dice)
        published.publish(room(time.time()), rows)
    await door.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
