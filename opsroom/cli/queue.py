"""``hold``, ``release``, ``freeze``, ``thaw`` and ``queue``: what stops and what goes on, by a person.

All but ``hold`` and ``queue ls`` need neither worker nor feed: a kill switch must not strand what is held.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import uuid
from collections.abc import Sequence

import msgspec

from opsroom.cli.deeds import ask, intent_for, setting
from opsroom.cli.door import OpenDoor, opened
from opsroom.cli.looking import find, whole_picture
from opsroom.cli.options import settings_for
from opsroom.config.settings import Settings
from opsroom.delivery import queue_facts, shared
from opsroom.delivery.act import exit_code, run_deed
from opsroom.delivery.release_all import held_targets, release_all
from opsroom.domain.deed import Deed, Intent, Precondition, Target, Verb
from opsroom.domain.queue import QueueState
from opsroom.errors import NotPermitted, OpsroomError, UsageError
from opsroom.view import effects, queue_page, queue_words

STATES = {"pause": QueueState.PAUSED, "drain": QueueState.DRAINING, "freeze": QueueState.FROZEN}


def run(arguments: argparse.Namespace) -> int:
    """Do what the command names; 0 when all of it came about."""
    if arguments.command == "queue" and arguments.what == "ls":
        return _list(arguments)
    settings = settings_for(arguments)
    if settings.read_only:
        raise NotPermitted("this is read-only", "Leave --read-only out to act")
    match arguments.command:
        case "hold":
            return _hold(arguments, settings)
        case "release":
            return _release(arguments, settings)
        case "freeze" | "thaw":
            return asyncio.run(_freeze(arguments, settings))
    return _switch(arguments, settings)


def _hold(arguments: argparse.Namespace, settings: Settings) -> int:
    """Found in the feed, like every deed on one rollout: a person must see what is held before holding it."""
    row = find(whole_picture(arguments).rows, arguments.name)
    rollout = row.rollout
    if rollout.held:
        raise OpsroomError(f"{rollout.name} is held already", f"opsroom release {rollout.key} lets it go on")
    if not rollout.under_way:
        raise OpsroomError(f"{rollout.name} has no change under way", "opsroom ls shows what moves")
    if not arguments.yes:
        ask(f"hold {rollout.key}: it stands still until a person releases it")
    intent = intent_for(row, Verb.HOLD, reason=arguments.reason, force=False, now=time.time())
    return asyncio.run(run_deed(intent, setting(settings, None, _say)))


def _release(arguments: argparse.Namespace, settings: Settings) -> int:
    if bool(arguments.name) == bool(arguments.all):
        raise UsageError("opsroom release takes a NAME, or --all", "See opsroom release --help")
    return asyncio.run(_released(arguments, settings))


async def _released(arguments: argparse.Namespace, settings: Settings) -> int:
    async with opened(settings) as door:
        held = await held_targets(door.hands.reader, settings.namespaces)
        if arguments.all:
            if not held:
                sys.stdout.write("Nothing is held.\n")
                return 0
            if not arguments.yes:
                ask(f"release {len(held)} held rollouts: {', '.join(_key(one) for one in held)}")
            return await _release_everything(door, arguments.reason, settings.namespaces)
        target = _named(held, arguments.name)
        if not arguments.yes:
            ask(f"release {_key(target)}: it goes on at once, past the queue")
    intent = Intent(
        id=uuid.uuid4().hex,
        verb=Verb.RELEASE,
        target=target,
        precondition=Precondition(),
        actor="",
        at=time.time(),
        reason=arguments.reason,
    )
    return await run_deed(intent, setting(settings, None, _say))


def _named(held: Sequence[Target], name: str) -> Target:
    found = [one for one in held if name in (one.name, _key(one))]
    if not found:
        raise OpsroomError(f"{name} is not held", "opsroom queue ls shows what is")
    if len(found) > 1:
        raise UsageError(f"{name} is the name of several", f"Say which: {', '.join(_key(one) for one in found)}")
    return found[0]


def _key(target: Target) -> str:
    return f"{target.namespace}/{target.name}"


async def _release_everything(door: OpenDoor, reason: str, namespaces: Sequence[str]) -> int:
    """0 when everything went on; else the exit code of the first that did not."""
    code = 0
    async for deed in release_all(door.hands, door.user, reason, namespaces):
        _say(deed)
        code = code or exit_code(deed)
    return code


async def _freeze(arguments: argparse.Namespace, settings: Settings) -> int:
    async with opened(settings) as door:
        if arguments.command == "freeze":
            await shared.freeze(door.writer, door.user, arguments.reason, time.time)
            door.note(f"frozen ({arguments.reason})" if arguments.reason else "frozen")
            said = "Frozen: no automatic deed for anybody, until opsroom thaw."
        elif await shared.thaw(door.writer):
            door.note("thawed")
            said = "Thawed: automatic deeds go on."
        else:
            said = "Nothing was frozen."
    sys.stdout.write(said + "\n")
    return 0


def _switch(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.what == "off" and not arguments.yes:
        ask("switch the queue off: everything that is held goes on, and nothing is held any more")
    return asyncio.run(_switched(arguments.what, settings))


async def _switched(what: str, settings: Settings) -> int:
    async with opened(settings) as door:
        if what == "off":
            return await _off(door)
        state = STATES.get(what, QueueState.RUNNING)
        await queue_facts.write_state(door.writer, state, door.user)
        if what == "on":
            await shared.queue_on(door.writer)
        door.note(f"queue_{state.value}")
    sys.stdout.write(f"The queue is {queue_words.STATE[state]}.\n")
    return 0


async def _off(door: OpenDoor) -> int:
    """First the switch, so that nothing new is held; then everything that is."""
    was_on = await shared.queue_off(door.writer)
    await queue_facts.write_state(door.writer, QueueState.OFF, door.user)
    door.note("queue_off")
    sys.stdout.write("The queue is off: nothing is held any more.\n" if was_on else "The queue was off already.\n")
    sys.stdout.flush()
    return await _release_everything(door, "queue off", ())


def _list(arguments: argparse.Namespace) -> int:
    picture = whole_picture(arguments)
    if arguments.output == "json":
        entries = [row.queue for row in picture.rows if row.queue is not None]
        data = {"queue": msgspec.structs.replace(picture.room.queue, entries=tuple(entries))}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
        return 0
    sys.stdout.write(queue_page.plain_queue(picture.room, picture.rows, picture.room.at) + "\n")
    return 0


def _say(deed: Deed) -> None:
    if deed.state.settled:
        sys.stdout.write(effects.deed(deed, deed.at) + "\n")
        sys.stdout.flush()
