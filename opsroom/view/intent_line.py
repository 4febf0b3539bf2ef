"""The line above the keys: blank until a key is armed, then what is about to happen, to what, and how to stop it."""

from __future__ import annotations

import math

from opsroom.domain.deed import Deed
from opsroom.domain.intent import Armed
from opsroom.view import effects, marks, words
from opsroom.view.line import Ground, Line, Piece, Role, cut, line, padded


def armed_line(armed: Armed, context: str, left: float, cells: int, approving: bool = False) -> Line:
    """``ROLL BACK checkout-api in prod-eu/payments to v2.30.4 in 1 s    esc stops it``.

    ``approving``: it is the first of two people who have to want it.
    """
    what = _what(armed, context, approving)
    seconds = math.ceil(max(0.0, left))
    when = f" in {seconds} s" if seconds else " now"
    pieces = line(Piece(what, Role.ARMED), Piece(when, Role.ARMED), Piece("    esc stops it ", Role.ARMED))
    if pieces.width > cells:
        room = cells - len(when) - len("  esc stops it ")
        pieces = line(*cut(line(Piece(what, Role.ARMED)), room).pieces, Piece(f"{when}  esc stops it ", Role.ARMED))
    return padded(pieces.on(Ground.ARMED), cells)


def _what(armed: Armed, context: str, approving: bool) -> str:
    rollout = armed.row.rollout
    where = f"{context}/{rollout.namespace}" if context else rollout.namespace
    verb = words.VERB[armed.verb].upper()
    head = f" APPROVE (1 of 2 people): {verb}" if approving else f" {verb}"
    return f"{head} {rollout.name} in {where} {effects.target(armed.offer, rollout)}"


def deed_line(deed: Deed, now: float, cells: int) -> Line:
    """How far the deed has come, as a sentence."""
    role = marks.DEED_ROLE.get(deed.state, Role.TEXT)
    return padded(cut(line(" ", Piece(effects.deed(deed, now), role)), cells), cells)


def said_line(text: str, cells: int, bad: bool = False) -> Line:
    """A refusal or a note."""
    return padded(cut(line(" ", Piece(text, Role.FLAGGED if bad else Role.TEXT)), cells), cells)


def second_key_line(armed: Armed, context: str, cells: int, approving: bool = False) -> Line:
    """The same in ``second-key`` mode: no countdown, another key."""
    what = _what(armed, context, approving)
    end = "  Y does it, esc stops it "
    head = cut(line(Piece(what, Role.ARMED)), cells - len(end))
    return padded(line(*head.pieces, Piece(end, Role.ARMED), ground=Ground.ARMED), cells)
