"""``hold``, ``release``, ``freeze``, ``thaw`` and ``queue``: what stops and what goes on, by a person.

All but ``hold`` and ``queue ls`` need neither worker nor feed: a kill switch must not strand what is held.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from opsroom.cli.deeds import ask, intent_for, setting
from opsroom.cli.door import OpenDoor, opened
from opsroom.cli.looking import find, whole_picture
from opsroom.cli.options import settings_for
from opsroom.config.settings import Settings
from opsroom.delivery import queue_facts, shared
from opsroom.delivery.act import exit_code, run_deed
from opsroom.delivery.release_all import Held, Unread, held_targets, release_all
from opsroom.domain.deed import Deed, DeedState, Target, Verb
from opsroom.domain.queue import QueueState
from opsroom.errors import JournalError, NotPermitted, OpsroomError, UsageError
from opsroom.view import effects, freeze_words, queue_page, queue_words

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
            return await _released_all(door, held, arguments)
        target = _named(held, arguments.name)
        if not arguments.yes:
            ask(f"release {_key(target)}: it goes on at once, past the queue")
        return await _release_everything(door, Held(targets=(target,)), arguments.reason)


async def _released_all(door: OpenDoor, held: Held, arguments: argparse.Namespace) -> int:
    if not (held.targets or held.unread):
        sys.stdout.write("Nothing is held.\n")
        return 0
    if held.targets and not arguments.yes:
        ask(f"release {len(held.targets)} held rollouts: {', '.join(_key(one) for one in held.targets)}")
    return await _release_everything(door, held, arguments.reason)


def _named(held: Held, name: str) -> Target:
    found = [one for one in held.targets if name in (one.name, _key(one))]
    if not found and held.unread:
        _say_unread(held.unread)
        raise type(held.unread[0].error)(f"{name} is not held, as far as could be seen", "See above")
    if not found:
        raise OpsroomError(f"{name} is not held", "opsroom queue ls shows what is")
    if len(found) > 1:
        raise UsageError(f"{name} is the name of several", f"Say which: {', '.join(_key(one) for one in found)}")
    return found[0]


def _key(target: Target) -> str:
    return f"{target.namespace}/{target.name}"


async def _release_everything(door: OpenDoor, held: Held, reason: str) -> int:
    """0 when everything went on; else the exit code of the first that did not. One failure stops nothing."""
    code = _say_unread(held.unread)
    failed = 0
    async for deed in release_all(door.hands, door.user, held.targets, reason):
        _say(deed)
        failed += exit_code(deed) != 0
        code = code or exit_code(deed)
    if failed:
        fix = "opsroom queue ls shows what is still held"
        sys.stderr.write(f"opsroom: {failed} of {len(held.targets)} are not known to go on. {fix}\n")
    return code


def _say_unread(unread: Sequence[Unread]) -> int:
    """Name every place that could not be looked at; the exit code of the first, 0 where there is none."""
    for one in unread:
        where = f"in {one.namespace}" if one.namespace else "in any namespace"
        sys.stderr.write(
            f"opsroom: {one.plural} {where} could not be looked at, what is held there stays: {one.error}\n"
        )
    return unread[0].error.exit_code if unread else 0


async def _freeze(arguments: argparse.Namespace, settings: Settings) -> int:
    async with opened(settings) as door:
        if arguments.command == "freeze":
            said = await _frozen(door, arguments.reason)
        elif await shared.thaw(door.writer):
            _note(door, "thawed")
            said = "Thawed: automatic deeds go on."
        else:
            said = "Nothing was frozen."
    sys.stdout.write(said + "\n")
    return 0


async def _frozen(door: OpenDoor, reason: str) -> str:
    """Freeze, or add to the freeze that stands; where nobody may look, freezing comes before keeping."""
    try:
        standing = await shared.read_freeze(door.hands.reader)
    except NotPermitted:
        standing = None
    if standing is None:
        await shared.freeze(door.writer, door.user, reason, time.time)
    else:
        await shared.freeze_too(door.writer, standing, door.user, reason)
    _note(door, f"frozen ({reason})" if reason else "frozen")
    if standing is None:
        return "Frozen: no automatic deed for anybody, until opsroom thaw."
    return freeze_words.already(standing.by, standing.since, time.time(), bool(reason))


def _switch(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.what == "off" and not arguments.yes:
        ask("switch the queue off: everything that is held goes on, and nothing is held any more")
    return asyncio.run(_switched(arguments.what, settings))


async def _switched(what: str, settings: Settings) -> int:
    async with opened(settings) as door:
        if what == "off":
            return await _off(door, settings.namespaces)
        state = STATES.get(what, QueueState.RUNNING)
        await queue_facts.write_state(door.writer, state, door.user)
        if what == "on":
            await shared.queue_on(door.writer)
        _note(door, f"queue_{state.value}")
        nobody = await _takes_part_nowhere(door)
    if nobody:
        sys.stdout.write(f"The queue is {state.value}, {queue_words.NOBODY}.\n{queue_words.TAKE_PART}\n")
    else:
        sys.stdout.write(f"The queue is {queue_words.STATE[state]}.\n")
    return 0


async def _takes_part_nowhere(door: OpenDoor) -> bool:
    """Whether no namespace takes part; not so where nobody would say."""
    try:
        return not await queue_facts.enabled_namespaces(door.hands.reader)
    except OpsroomError:
        return False


async def _off(door: OpenDoor, namespaces: Sequence[str]) -> int:
    """First the switch, so that nothing new is held; then everything that is, also where the switch is not ours."""
    code = 0
    try:
        was_on = await shared.queue_off(door.writer)
        await queue_facts.write_state(door.writer, QueueState.OFF, door.user)
        sys.stdout.write("The queue is off: nothing is held any more.\n" if was_on else "The queue was off already.\n")
        sys.stdout.flush()
        _note(door, "queue_off")
    except OpsroomError as error:
        sys.stderr.write(f"opsroom: the queue could not be switched off, and may hold what comes: {error}\n")
        code = error.exit_code
    held = await held_targets(door.hands.reader)
    if held.unread and namespaces:
        # The switch is for all, so all are looked for first; whoever may not look everywhere names where they may.
        own = await held_targets(door.hands.reader, namespaces)
        known = {one.uid for one in held.targets}
        held = Held(targets=(*held.targets, *(one for one in own.targets if one.uid not in known)), unread=held.unread)
    return await _release_everything(door, held, "queue off") or code


def _note(door: OpenDoor, text: str) -> None:
    """A line in the journal. What it speaks of has happened: a full disk must not look as if it had not."""
    try:
        door.note(text)
    except JournalError as error:
        sys.stderr.write(f"opsroom: not journalled: {error}\n")


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
    """How a deed ended, also where nobody knows how; what it went through on the way is of no use in a script."""
    if deed.state.settled or deed.state is DeedState.UNKNOWN:
        sys.stdout.write(effects.deed(deed, deed.at, typed=True) + "\n")
        sys.stdout.flush()
