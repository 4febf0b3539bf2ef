"""``promote``, ``rollback``, ``flag`` and ``act``: deeds by a person, on one code path with the board's keys.

The rollout is found in the feed, the same guard refuses with the same words, and the deed itself is
``delivery.act.run_deed`` with the operator's own credentials, journalled under the operator's name.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import stat
import sys
import time
import uuid
from pathlib import Path

import msgspec

from opsroom.cli.door import hands_at
from opsroom.cli.looking import find, whole_picture
from opsroom.cli.options import settings_for
from opsroom.config.settings import Settings
from opsroom.delivery.act import Emit, Setting, act, run_deed
from opsroom.delivery.hands import ENDLESS, PATIENCE, Hands
from opsroom.domain.board import Row
from opsroom.domain.clean import printable
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb, target_of
from opsroom.domain.freshness import Freshness, freshness
from opsroom.domain.intent import Press, Refused, arm, score_age, score_doubt
from opsroom.domain.offer import Offer, offer, seen
from opsroom.errors import NotPermitted, OpsroomError, UsageError
from opsroom.feed.frames import Picture
from opsroom.kube.connection import connect
from opsroom.view import effects, two_people, words

INPUT_LIMIT = 256 * 1024
"""Bytes read of a file on standard input; an intent and its word take a few hundred."""

VERBS = {"promote": Verb.PROMOTE, "rollback": Verb.ROLL_BACK, "flag": Verb.FLAG}


def run(arguments: argparse.Namespace) -> int:
    """Do one deed and say what came of it."""
    settings = settings_for(arguments)
    if settings.read_only:
        raise NotPermitted("this is read-only", "Leave --read-only out to act")
    if arguments.command == "act":
        return asyncio.run(_act(settings, arguments.journal))
    verb = Verb.PROMOTE_FULLY if getattr(arguments, "full", False) else VERBS[arguments.command]
    picture = whole_picture(arguments)
    row = find(picture.rows, arguments.name)
    sentence = what(picture, row, verb, force=arguments.force, now=time.time())
    if not arguments.yes:
        ask(sentence)
        # Nobody knows how long that took: what was fresh then may be too old now.
        what(picture, row, verb, force=arguments.force, now=time.time())
    intent = intent_for(row, verb, reason=arguments.reason, force=arguments.force, now=time.time())
    return asyncio.run(run_deed(intent, setting(settings, None, _say)))


def what(picture: Picture, row: Row, verb: Verb, *, force: bool, now: float) -> str:
    """What the deed would do, as a sentence. ``now`` (epoch seconds): all ages are measured from here.

    Raises:
        OpsroomError: the guard refuses, in the board's words.
    """
    name = f"{words.VERB[verb]} {row.rollout.key}"
    if verb is Verb.FLAG:
        no = offer(row.rollout, verb).refusal
        if no is not None:
            raise OpsroomError(words.refusal(no, verb, row.rollout, typed=True).rstrip("."))
        return f"{name}: automatic promotion of it stops until a person decides"
    answer = arm(_press(picture, row, verb, now))
    if isinstance(answer, Refused):
        if force and answer.refusal is Refusal.OWNED:
            return f"{name}, although {row.rollout.owner} would put it back"
        if force and answer.refusal is Refusal.NO_GATE:
            skipped = Offer(verb=verb, effect=Effect.SKIP_ANALYSIS)
            return f"{name}: {effects.effect(skipped, row.rollout)}"
        kind = NotPermitted if answer.refusal in (Refusal.NO_RIGHT, Refusal.READ_ONLY) else OpsroomError
        raise kind(words.refusal(answer.refusal, verb, row.rollout, answer.detail, typed=True).rstrip("."))
    return f"{name}: {two_people.effect(row, answer.offer)}"


def _press(picture: Picture, row: Row, verb: Verb, now: float) -> Press:
    """The conditions of a key press that apply to a typed command: no cursor, no focus, no burst of keys.

    A picture may be older than it says (a worker that hangs, a recording), so ages are those of now; never less than
    the picture's own, where this clock is behind.
    """
    room = picture.room
    at = max(now, room.at)
    kube = [source for source in room.sources if source.name.startswith("kube")]
    return Press(
        row=row,
        verb=verb,
        now=0.0,
        read_only=False,
        feed_stale=any(freshness(source, at) in (Freshness.STALE, Freshness.NEVER) for source in kube),
        score_doubt=score_doubt(row, room.sources, at),
        settled_for=60.0,
        focused_for=60.0,
        recent_keys=1,
        busy=busy(row.deed, at),
    )


def busy(deed: Deed | None, now: float) -> bool:
    """Whether somebody is still at work on ``deed`` at ``now`` (epoch seconds).

    A process that was killed never writes its last line, and must not lock the rollout for everybody after it.
    """
    if deed is None or deed.state.settled or deed.state is DeedState.UNKNOWN:
        return False
    return now - deed.at < (ENDLESS if deed.state is DeedState.SEEN else PATIENCE)


def ask(deed: str) -> None:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is nobody to ask, or the answer is not yes.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to confirm: {deed}", "Add --yes")
    sys.stderr.write(f"{printable(deed)}\nType yes to do it: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise OpsroomError("not confirmed; nothing was sent")


def intent_for(row: Row, verb: Verb, *, reason: str, force: bool, now: float) -> Intent:
    """The intent of a typed command, with what the feed showed as its precondition."""
    rollout, verdict = row.rollout, row.verdict
    return Intent(
        id=uuid.uuid4().hex,
        verb=verb,
        target=target_of(rollout),
        precondition=seen(rollout, verb),
        actor=getpass.getuser(),
        at=now,
        reason=reason,
        score=verdict.score if verdict else None,
        score_age=score_age(verdict, now),
        force=force,
        two_people=row.two_people,
    )


async def _act(settings: Settings, journal: str | None) -> int:
    """The intent comes on standard input, the states of the deed go out as JSON lines."""
    return await act(await _standard_input(), setting(settings, journal, _tell))


async def _standard_input() -> asyncio.StreamReader:
    """Standard input as a stream; a file or /dev/null, which no event loop can wait for, is read at once."""
    stdin = asyncio.StreamReader()
    kind = os.fstat(sys.stdin.fileno()).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or sys.stdin.isatty():
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    else:
        stdin.feed_data(await asyncio.to_thread(sys.stdin.buffer.read, INPUT_LIMIT))
        stdin.feed_eof()
    return stdin


def setting(settings: Settings, journal: str | None, emit: Emit) -> Setting:
    """A deed of this operator's; ``journal`` names another file than the operator's own."""

    async def connected() -> Hands:
        connection = await connect(settings.kubeconfig or None, settings.context or None)
        return await hands_at(connection, Path(journal) if journal else None)

    return Setting(connect=connected, emit=emit)


def _tell(deed: Deed) -> None:
    try:
        sys.stdout.write(msgspec.json.encode(deed).decode() + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The board was left meanwhile; a deed that was sent is finished and journalled all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(deed: Deed) -> None:
    if deed.state is DeedState.JOURNALLED:
        return  # nothing counts down here: it is sent at once
    sys.stdout.write(effects.deed(deed, deed.at, typed=True) + "\n")
    sys.stdout.flush()
