"""What is said of a deed that ended half-done: what stands, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

import opsroom.delivery.engines as engines
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.view import effects, left_over, words
from tests.ui.scenes import NOW, all_rows

TARGET = Target(uid=Uid("u"), engine=Engine.DEPLOYMENT, shape=Shape.PAIR, namespace="shop", name="pay-canary")
INTENT = Intent(id="i", verb=Verb.PROMOTE, target=TARGET, precondition=Precondition(), actor="ada", at=0.0)


def test_every_code_that_an_engine_can_leave_behind_has_its_sentence() -> None:
    folder = Path(engines.__file__).parent
    used = {code for path in folder.glob("*.py") for code in re.findall(r'stands="(\w+)"', path.read_text())}
    assert used == set(left_over.STANDS)


def test_a_half_done_deed_says_what_stands_and_what_to_do() -> None:
    deed = Deed(intent=INTENT, state=DeedState.FAILED, at=1.0, detail="half_done:both_new:the quota is used up")
    said = effects.deed(deed, 1.0)
    assert said.startswith("Failed: promote pay-canary. Half-done: stable runs the new version")
    assert "p once more" in said
    assert said.endswith("(the quota is used up).")
    flagged = all_rows(NOW)[0]
    flag = Flag(reason=FlagReason.ACTION_FAILED, since=NOW, detail=deed.detail)
    assert "p once more" in words.flag(msgspec.structs.replace(flagged, flag=flag))


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("taken_back:forbidden: no", "was taken back"),
        ("half_done:mark:not_decider", "the next one goes on with it"),
        ("half_done:newfangled:why", "half-done (why)"),
        ("ProgressDeadlineExceeded", ""),
    ],
)
def test_other_ends_are_said_as_they_are(detail: str, said: str) -> None:
    found = left_over.sentence(detail, "pay")
    assert said in found if said else found == ""
