"""What a typed deed is refused for."""

from __future__ import annotations

import pytest

from opsroom.cli.deeds import busy
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid

INTENT = Intent(
    id="i",
    verb=Verb.ROLL_BACK,
    target=Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart"),
    precondition=Precondition(canary_hash="new"),
    actor="ada",
    at=0.0,
)


@pytest.mark.parametrize(
    ("state", "age", "locked"),
    [
        (DeedState.JOURNALLED, 5.0, True),
        (DeedState.JOURNALLED, 61.0, False),
        (DeedState.ACCEPTED, 61.0, False),
        (DeedState.SEEN, 61.0, True),
        (DeedState.SEEN, 1801.0, False),
        (DeedState.UNKNOWN, 1.0, False),
        (DeedState.DONE, 1.0, False),
    ],
)
def test_a_deed_whose_process_was_killed_does_not_lock_the_rollout(state: DeedState, age: float, locked: bool) -> None:
    assert busy(Deed(intent=INTENT, state=state, at=100.0), 100.0 + age) is locked
