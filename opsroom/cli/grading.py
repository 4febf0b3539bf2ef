"""How well the worker did in a headless demo: its deeds against the truth that it never saw.

The observer reads the same feed as every screen and notes what became of each version; versions are told apart by
their image, which says nothing of their quality. The truth is read after the worker has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from opsroom.domain.board import Counts, Row
from opsroom.domain.deed import DeedState, Verb
from opsroom.feed.client import FeedClient

SENT = (DeedState.SENT, DeedState.ACCEPTED, DeedState.SEEN, DeedState.DONE, DeedState.UNKNOWN)


@dataclass(slots=True)
class Observer:
    """Notes what the feed shows, until told to stop."""

    address: str
    error: Callable[[], str]
    """Why there is no world to watch; empty while there is one."""
    images: dict[tuple[str, str], str] = field(default_factory=dict)
    """Image by (uid, canary hash), for every canary that was seen."""
    stable: set[str] = field(default_factory=set)
    rolled_back: set[str] = field(default_factory=set)
    flagged: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)
    """Of the last picture."""
    counts: Counts = field(default_factory=Counts)

    def watch(self, end: float) -> None:
        """Watch until ``end`` (monotonic seconds), or until there is nothing to watch."""
        with contextlib.suppress(TimeoutError):
            asyncio.run(self._watch(end))

    async def _watch(self, end: float) -> None:
        client = FeedClient(self.address)
        async with asyncio.timeout(max(0.0, end - time.monotonic())):
            async for _ in client:
                if self.error():
                    return
                if client.board.room is not None:
                    self.note(client.board.rows.values(), client.board.room.counts)

    def note(self, rows: Iterable[Row], counts: Counts) -> None:
        """Take in one picture."""
        self.counts = counts
        self.under_way = set()
        for row in rows:
            self._row(row)

    def _row(self, row: Row) -> None:
        rollout = row.rollout
        if rollout.stable is not None:
            self.stable.update(rollout.stable.images)
        if rollout.canary is not None and rollout.canary.images:
            image = rollout.canary.images[0]
            self.images[rollout.uid, rollout.canary.hash] = image
            if rollout.under_way:
                self.under_way.add(image)
            if row.flag is not None:
                self.flagged.add(image)
        deed = row.deed
        if deed is not None and deed.intent.verb is Verb.ROLL_BACK and deed.state in SENT:
            image = self.images.get((rollout.uid, deed.intent.precondition.canary_hash), "")
            if image:
                self.rolled_back.add(image)


def grade(observer: Observer, truth: Path) -> dict[str, object]:
    """The figures that ``demo --headless`` prints.

    ``truth`` counts the versions that were deployed; a version that never got traffic is neither good nor bad.
    """
    told = {}
    with contextlib.suppress(OSError):
        for line in truth.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            told[entry["image"]] = entry["truth"]
    promoted = {image for image in told if image in observer.stable and image not in observer.rolled_back}
    rolled_back = {image for image in told if image in observer.rolled_back}
    words = list(told.values())
    return {
        "promoted": len(promoted),
        "rolled_back": len(rolled_back),
        "flagged": len(observer.flagged),
        "undecided": len(observer.under_way - observer.flagged),
        "truth": {"good": words.count("good"), "bad": words.count("bad"), "unknowable": words.count("unknowable")},
        "wrong": {
            "promoted": sum(told[image] != "good" for image in promoted),
            "rolled_back": sum(told[image] == "good" for image in rolled_back),
        },
        "ticks": observer.counts.ticks,
        "worst_tick_s": round(observer.counts.worst_tick, 3),
    }
