"""``opsroom wait``: until a rollout is promoted or rolled back, for CI.

``helm --wait`` and ``kubectl rollout status`` call a held or paused workload done; this follows the feed to the real
outcome. Exit codes: 0 it came, 1 the other outcome or time is over, 3 time is over and a person is asked, 5 time is
over and the cluster does not answer; at once 2 or 4 where the worker's kubeconfig or credentials are of no use.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Callable

from opsroom.cli.feed_token import feed_token
from opsroom.cli.looking import cluster_source, find, said_by, whole_picture
from opsroom.cli.options import settings_for
from opsroom.cli.own_worker import kept, pinned
from opsroom.domain.board import Room, Row
from opsroom.domain.clean import printable
from opsroom.domain.freshness import Freshness, SourceState, freshness
from opsroom.domain.rollout import Phase, Revision, Uid
from opsroom.errors import OpsroomError, Unreachable, UsageError, WaitingError
from opsroom.feed.client import FeedClient
from opsroom.feed.state import LinkState
from opsroom.view import queue_words, waiting

PROMOTED, ROLLED_BACK = "promoted", "rolled_back"
GRACE = 10.0
"""Seconds for a change that was just written to show: before that, "nothing is under way" proves nothing."""

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)([smh]?)$")


def run(arguments: argparse.Namespace) -> int:
    """Wait, and say what came of it."""
    seconds = duration(arguments.timeout)
    picture = whole_picture(arguments)
    uid = find(picture.rows, arguments.name).rollout.uid
    wanted = ROLLED_BACK if arguments.wanted == "rolled-back" else PROMOTED
    course = Waiting(arguments.revision, time.time)
    settings = pinned(settings_for(arguments))
    with kept(arguments, settings) as (where, _):
        client = FeedClient(where, feed_token(where, settings), namespaces=settings.namespaces)
        return asyncio.run(_follow(client, uid, course, wanted, seconds, quiet=arguments.quiet))


def duration(text: str) -> float:
    """Seconds in ``90s``, ``30m``, ``2h`` or ``90``.

    Raises:
        UsageError: it is none of these.
    """
    found = _DURATION.match(text.strip())
    if found is None:
        raise UsageError(f"--timeout takes a duration, not {text!r}", "For example 90s, 30m or 2h")
    return float(found[1]) * _UNITS[found[2]]


class Waiting:
    """What has been seen of one change; ``look`` says how it ended once it did."""

    def __init__(self, revision: str, now: Callable[[], float]) -> None:
        """``revision``: version, hash or image that is meant; empty: whatever is under way."""
        self._revision = revision
        self._now = now
        self._began = now()
        self._seen: Revision | None = None

    def look(self, row: Row) -> str:
        """``promoted`` or ``rolled_back``; empty while it is not over."""
        rollout = row.rollout
        if self._revision:
            return self._named(row)
        if rollout.under_way or rollout.phase is Phase.HELD:
            self._seen = rollout.canary or self._seen
            return ""
        if rollout.phase is Phase.ABORTED:
            return ROLLED_BACK
        if rollout.phase is not Phase.HEALTHY:
            return ""
        if self._seen is None:
            if self._now() - self._began < GRACE:
                return ""
            # The change may have ended before anybody waited for it: an undone Deployment is healthy as well.
            return ROLLED_BACK if row.result == ROLLED_BACK else PROMOTED
        if row.result and row.finished is not None and row.finished >= self._began:
            return row.result
        return PROMOTED if _same(self._seen, rollout.stable) else ROLLED_BACK

    def _named(self, row: Row) -> str:
        rollout = row.rollout
        moving = rollout.under_way or rollout.phase is Phase.HELD
        if _is(rollout.canary, self._revision):
            self._seen = rollout.canary
            return ROLLED_BACK if rollout.phase is Phase.ABORTED else ""
        if _is(rollout.stable, self._revision) and not moving:
            return PROMOTED
        # Another version took its place, or the old one is back: either way this one is not coming.
        return ROLLED_BACK if self._seen is not None and (moving or rollout.phase is Phase.HEALTHY) else ""


def _is(revision: Revision | None, word: str) -> bool:
    if revision is None:
        return False
    if word in (revision.version, revision.hash):
        return True
    return any(
        word == image or image.endswith(f"@{word}") or image.partition("@")[0].endswith(f":{word}")
        for image in revision.images
    )


def _same(canary: Revision, stable: Revision | None) -> bool:
    if stable is None:
        return False
    return (bool(canary.hash) and canary.hash == stable.hash) or (
        bool(canary.images) and canary.images == stable.images
    )


async def _follow(client: FeedClient, uid: Uid, course: Waiting, wanted: str, seconds: float, *, quiet: bool) -> int:
    """Follow the feed until it is over.

    Raises:
        OpsroomError: the other outcome, or the rollout is gone. WaitingError: time is over, a person is asked.
        Unreachable: time is over and there is no feed, or none of the cluster.
        ConfigError, Unauthorized: the worker cannot read the cluster, and waiting will not mend it.
    """
    said, row = "", None
    try:
        async with asyncio.timeout(seconds):
            async for _ in client:
                if client.link.state is not LinkState.LIVE or client.board.room is None:
                    continue
                lost = _lost(client.board.room)
                if lost is not None and lost.cause is not None:
                    raise said_by(lost)
                row = client.board.rows.get(uid)
                if row is None:
                    raise OpsroomError("the rollout is gone")
                ended = course.look(row)
                if ended:
                    return _end(row, ended, wanted)
                now = waiting.where(row, client.board.room.at, queue_words.names(client.board.rows.values()))
                if now != said and not quiet:
                    sys.stderr.write(printable(now) + "\n")
                    sys.stderr.flush()
                said = now
    except TimeoutError:
        pass
    if client.link.state is not LinkState.LIVE:
        raise Unreachable(client.link.error or "the worker does not answer", "Nothing is known of the outcome")
    lost = _lost(client.board.room) if client.board.room is not None else None
    if lost is not None:
        raise Unreachable(lost.error or "the worker has not heard of the cluster for long", "The outcome is not known")
    if row is not None and row.flag is not None:
        raise WaitingError(f"the time is over; {said}")
    raise OpsroomError(f"the time is over; {said}" if said else "the time is over")


def _lost(room: Room) -> SourceState | None:
    """The cluster as a source, where what it shows is too old to say anything."""
    kube = cluster_source(room)
    return kube if kube is not None and freshness(kube, room.at) in (Freshness.STALE, Freshness.NEVER) else None


def _end(row: Row, ended: str, wanted: str) -> int:
    text = waiting.ended(row, ended)
    if ended != wanted:
        raise OpsroomError(text)
    sys.stdout.write(printable(text) + "\n")
    return 0
