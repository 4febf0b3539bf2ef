"""``opsroom ls`` and ``opsroom show``: the board's rows once, from the same feed, for scripts and screen readers."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from opsroom.cli.feed_token import feed_token
from opsroom.cli.options import settings_for
from opsroom.cli.own_worker import address, wait_for
from opsroom.cli.parser import MARKS
from opsroom.domain.board import Room, Row
from opsroom.domain.freshness import Cause, Freshness, SourceState, freshness
from opsroom.errors import (
    ConfigError,
    NotPermitted,
    OpsroomError,
    Unauthorized,
    Unreachable,
    UsageError,
    WaitingError,
)
from opsroom.feed.client import fetch_picture
from opsroom.feed.frames import Picture

_ERRORS: dict[Cause | None, type[OpsroomError]] = {
    Cause.CONFIGURATION: ConfigError,
    Cause.CREDENTIALS: Unauthorized,
    None: Unreachable,
}

FILL_SECONDS = 20.0
"""Until a worker that was just started has read its cluster."""


def run(arguments: argparse.Namespace) -> int:
    """Print rows; exits 3 where ``--flagged`` finds any."""
    picture = whole_picture(arguments)
    if arguments.command == "show" and (arguments.logs or arguments.manifest):
        from opsroom.cli.inside import show_inside

        return show_inside(arguments, find(picture.rows, arguments.name).rollout)
    if arguments.command == "show":
        _show(picture, find(picture.rows, arguments.name), arguments.output)
        return 0
    rows = [row for row in picture.rows if row.flag is not None or not arguments.flagged]
    _list(picture, rows, arguments.output)
    return WaitingError.exit_code if arguments.flagged and rows else 0


def whole_picture(arguments: argparse.Namespace) -> Picture:
    """A picture in which the cluster has been read.

    Raises:
        Unreachable: no worker answers, or the cluster does not answer the worker.
        ConfigError, Unauthorized: what the worker was told about the cluster is wrong, or the cluster knows nobody.
        NotPermitted: the cluster lets it read nothing; no rows then say nothing about what waits for a person.
    """
    settings = settings_for(arguments)
    where = address(arguments, settings)
    wait_for(where)
    # A board of several contexts asks for one of them: what opens all feeds is not shown to this one either.
    token = feed_token(where, settings, alone=not vars(arguments).get("beside_others"))
    end = time.monotonic() + FILL_SECONDS
    while True:
        picture = asyncio.run(fetch_picture(where, token, namespaces=settings.namespaces))
        kube = cluster_source(picture.room)
        if kube is None or freshness(kube, picture.room.at) is not Freshness.NEVER:
            if kube is not None and kube.error and not picture.rows:
                raise NotPermitted(kube.error)
            return picture
        if kube.error:
            raise said_by(kube)
        if time.monotonic() > end:
            raise Unreachable("the worker has not read the cluster yet", "Try again")
        time.sleep(0.2)


def cluster_source(room: Room) -> SourceState | None:
    """The first source that is read from the cluster; None where the worker has none."""
    return next((source for source in room.sources if source.name.startswith("kube")), None)


def said_by(source: SourceState) -> OpsroomError:
    """What a source that does not answer says of itself, as the error that ends a command."""
    return _ERRORS[source.cause](source.error)


def find(rows: Sequence[Row], name: str) -> Row:
    """The one row called ``name`` (``NAME`` or ``NAMESPACE/NAME``).

    Raises:
        OpsroomError: there is none. UsageError: several namespaces have one.
    """
    found = [row for row in rows if name in (row.rollout.name, row.rollout.key)]
    if not found:
        raise OpsroomError(f"there is no rollout {name}", "opsroom ls shows their names")
    if len(found) > 1:
        keys = ", ".join(row.rollout.key for row in found)
        raise UsageError(f"{name} is the name of several rollouts", f"Say which: {keys}")
    return found[0]


def _list(picture: Picture, rows: Sequence[Row], output: str) -> None:
    if output == "json":
        _json({"room": picture.room, "rows": rows})
        return
    from opsroom.view.plain import plain_board

    print(plain_board(picture.room, rows, picture.room.at, wide=output == "wide"))  # noqa: T201
    if sys.stdout.isatty():
        print(f"\n{MARKS}")  # noqa: T201


def _show(picture: Picture, row: Row, output: str) -> None:
    if output == "json":
        _json({"room": picture.room, "row": row})
        return
    from opsroom.view.plain import plain_row

    print(plain_row(picture.room, row, picture.room.at))  # noqa: T201


def _json(data: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
