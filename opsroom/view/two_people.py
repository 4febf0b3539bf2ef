"""Words about promotions that two people have to want: what a key would do, and what is left for the second person."""

from __future__ import annotations

from opsroom.domain.board import Row
from opsroom.domain.deed import Deed, Verb
from opsroom.domain.offer import Offer
from opsroom.view import effects, numbers


def effect(row: Row, wish: Offer) -> str:
    """What ``wish`` would do on ``row``, for whoever presses its key next."""
    text = effects.effect(wish, row.rollout)
    if not row.two_people or wish.verb is Verb.ROLL_BACK or wish.effect is None:
        return text
    first = row.approval
    if first is None or first.verb is not wish.verb:
        return f"approves it, as the first of two people; the p of the second {text}"
    return f"{first.by} approved at {numbers.clock(first.at)}; the p of a second person {text}"


def first_of_two(row: Row, verb: Verb, told: Deed) -> bool:
    """Whether ``verb`` will only be an approval: as the child has found, else as far as the picture tells."""
    if told.intent.verb is Verb.APPROVE:
        return True
    if not row.two_people or verb is Verb.ROLL_BACK or told.intent.approved_by:
        return False
    return row.approval is None or row.approval.verb is not verb
