"""A worker that may not act leaves due deeds to the one that may."""

from __future__ import annotations

import pytest

from opsroom.control.memory import Memory
from opsroom.domain.board import Decider, Mode
from opsroom.domain.decision import Decision, Flag, FlagReason, Outcome
from opsroom.domain.rollout import Uid
from opsroom.worker.deferring import LEFT, forgotten, left, somebody_will

DUE = Flag(reason=FlagReason.POLICY, since=1.0, detail="promote:mode")
ROW = Flag(reason=FlagReason.POLICY, since=1.0, detail="promote:row")
OTHER = Decider(identity="other")
ME = Decider(identity="me", me=True)
NOBODY = Decider()


@pytest.mark.parametrize(
    ("decider", "mode", "error", "want"),
    [
        (OTHER, Mode.OBSERVE, "", True),
        (OTHER, Mode.AUTO, "", True),
        (NOBODY, Mode.OBSERVE, "", False),
        (NOBODY, Mode.ADVISE, "", False),
        (NOBODY, Mode.AUTO, "", True),
        (NOBODY, Mode.AUTO, "leases may not be written", False),
        (ME, Mode.ADVISE, "", False),
    ],
)
def test_who_will_do_what_is_due(decider: Decider, mode: Mode, error: str, want: bool) -> None:
    assert somebody_will(decider, mode, error) is want


def test_what_is_left_to_the_decider_is_watched_and_never_flagged() -> None:
    memory = Memory(flags={Uid("due"): DUE, Uid("row"): ROW})
    decisions = [
        Decision(uid=Uid("due"), outcome=Outcome.FLAG, at=1.0, flag=FlagReason.POLICY, detail="promote:mode"),
        Decision(uid=Uid("row"), outcome=Outcome.FLAG, at=1.0, flag=FlagReason.POLICY, detail="promote:row"),
    ]
    told, kept = left(decisions, memory)
    assert [(d.outcome, d.flag, d.detail) for d in told] == [
        (Outcome.WATCH, None, LEFT),
        (Outcome.FLAG, FlagReason.POLICY, "promote:row"),
    ]
    assert kept.flags == {"row": ROW}
    assert forgotten(kept) is kept
