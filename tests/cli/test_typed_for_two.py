"""``opsroom promote`` where two people have to want it: the same rule as the board's key, in the same words."""

from __future__ import annotations

import msgspec

from opsroom.cli.deeds import intent_for, what
from opsroom.domain.approval import Approval
from opsroom.domain.board import Row
from opsroom.domain.deed import Verb
from opsroom.feed.frames import Picture
from tests.ui.scenes import NOW, all_rows, room

PICTURE = Picture(seq=1, room=room(NOW))


def checkout(first: Approval | None) -> Row:
    row = next(row for row in all_rows(NOW) if row.rollout.name == "checkout-api")
    return msgspec.structs.replace(row, two_people=True, approval=first)


def test_it_says_that_it_is_the_first_of_two_and_the_intent_says_so_too() -> None:
    said = what(PICTURE, checkout(None), Verb.PROMOTE, force=False, now=NOW)
    assert "approves it, as the first of two people" in said
    assert intent_for(checkout(None), Verb.PROMOTE, reason="", force=False, now=NOW).two_people


def test_it_says_who_was_the_first() -> None:
    first = Approval(by="ada", at=NOW - 60, hash="7d4f9b6c5d", step=3)
    said = what(PICTURE, checkout(first), Verb.PROMOTE, force=False, now=NOW)
    assert "ada approved at" in said
    assert "approves it, as the first" not in said


def test_a_roll_back_says_nothing_of_two() -> None:
    assert "people" not in what(PICTURE, checkout(None), Verb.ROLL_BACK, force=False, now=NOW)
