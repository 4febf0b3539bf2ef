"""The facts of a key press, for the guard: hands, terminal, row and picture at that moment, and again at the deed.

It gathers and decides nothing; ``domain.intent`` judges, ``deeds`` acts.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from opsroom.domain.board import Right, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Refusal, Verb
from opsroom.domain.intent import Armed, Press, score_doubt
from opsroom.ui.actions import ACTING, keys_of
from opsroom.ui.sight import Sight
from opsroom.view.header import picture_is_old


class Hands(msgspec.Struct, frozen=True):
    """What the keyboard and the terminal were doing at the press."""

    recent_keys: int
    focused_for: float
    modal: bool
    late: float = 0.0
    """Seconds that the key has waited for this screen to take it."""


def pressed(sight: Sight, row: Row, verb: Verb, hands: Hands, *, read_only: bool, followed: bool) -> Press:
    """A guarded key on ``row``; ``followed``: a deed on it is on its way."""
    room = sight.feed.board.room
    return Press(
        row=row,
        verb=verb,
        now=sight.clock(),
        read_only=read_only,
        feed_stale=picture_is_old(room, sight.status()),
        score_doubt=score_doubt(row, room.sources if room is not None else (), sight.live_now),
        settled_for=sight.settled_for,
        focused_for=hands.focused_for,
        recent_keys=hands.recent_keys,
        late=hands.late,
        busy=hands.modal or followed,
    )


def marking(press: Press, now: float) -> Press:
    """``press`` for a flag or an acknowledgement, which change no traffic. ``now``: the worker's clock.

    The rights that were asked for are those of promote and roll back; for a mark the cluster answers itself. Neither is
    a step towards risk, and the child looks afresh: an old picture must not stand in their way.
    """
    asked = Flag(reason=FlagReason.PERSON, since=now)
    flag = asked if press.verb is Verb.FLAG else press.row.flag
    marked = msgspec.structs.replace(press.row, flag=flag, may_promote=Right())
    return msgspec.structs.replace(press, row=marked, feed_stale=False, score_doubt=None)


def doubt(sight: Sight, armed: Armed) -> Refusal | None:
    """What has come up during the countdown against promoting on this picture."""
    row = sight.feed.board.rows.get(armed.row.rollout.uid)
    return doubt_about(sight, armed.verb, row)


def doubt_about(sight: Sight, verb: Verb, row: Row | None) -> Refusal | None:
    """What speaks against ``verb`` on ``row``: a picture or a score too old to promote on."""
    if verb is Verb.ROLL_BACK:
        return None
    room = sight.feed.board.room
    if picture_is_old(room, sight.status()):
        return Refusal.STALE_FEED
    return None if room is None or row is None else score_doubt(row, room.sources, sight.live_now)


def sparing(verb: Verb, second_key: bool, keymap: Mapping[str, str]) -> set[str]:
    """Keys that do not stop an armed ``verb`` merely by coming.

    The armed key itself, for it repeats; ``esc`` and ``ctrl+c``, which stop it by themselves; the second key.
    """
    own = {Verb.ROLL_BACK: "rollback", Verb.PROMOTE: "promote"}.get(verb, "")
    ids = {own, "stop"} | ({"confirm"} if second_key else set())
    return {key for action in ACTING if action.id in ids for key in keys_of(action, keymap).split(",")} | {"ctrl+c"}
