"""The guard: each condition alone refuses, all together arm, and the countdown can be trusted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.board import Right, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Refusal, Verb
from opsroom.domain.freshness import SourceState
from opsroom.domain.intent import STALL, Armed, Press, Refused, arm, look, score_doubt, still_true
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import Verdict, VerdictState

ROLLOUT = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PAUSED,
    stable=Revision(hash="aaa"),
    canary=Revision(hash="bbb"),
    step=1,
    pause=Pause(step=True),
)
ROW = Row(rollout=ROLLOUT, flag=Flag(reason=FlagReason.INCONCLUSIVE, since=0.0))
GOOD: dict[str, Any] = {
    "row": ROW,
    "verb": Verb.PROMOTE,
    "now": 100.0,
    "read_only": False,
    "feed_stale": False,
    "score_doubt": None,
    "settled_for": 5.0,
    "focused_for": 60.0,
    "recent_keys": 1,
    "busy": False,
}
FAULTS: list[tuple[dict[str, Any], Refusal]] = [
    ({"read_only": True}, Refusal.READ_ONLY),
    ({"recent_keys": 4}, Refusal.TOO_FAST),
    ({"focused_for": 0.1}, Refusal.UNFOCUSED),
    ({"busy": True}, Refusal.BUSY),
    ({"row": msgspec.structs.replace(ROW, flag=None)}, Refusal.NOT_FLAGGED),
    ({"settled_for": 0.2}, Refusal.JUST_MOVED),
    ({"feed_stale": True}, Refusal.STALE_FEED),
    ({"score_doubt": Refusal.PARTIAL_SCORE}, Refusal.PARTIAL_SCORE),
    ({"row": msgspec.structs.replace(ROW, may_promote=Right(allowed=False, missing="patch x"))}, Refusal.NO_RIGHT),
]


def press(**changes: Any) -> Press:
    return Press(**{**GOOD, **changes})


def armed(**changes: Any) -> Armed:
    got = arm(press(**changes))
    assert isinstance(got, Armed)
    return got


def test_all_conditions_together_arm() -> None:
    assert armed().fires == 103.0
    assert armed(verb=Verb.ROLL_BACK).fires == 101.0


@pytest.mark.parametrize(("changes", "refusal"), FAULTS, ids=lambda value: str(value) if isinstance(value, str) else "")
def test_one_fault_refuses(changes: dict[str, Any], refusal: Refusal) -> None:
    got = arm(press(**changes))
    assert isinstance(got, Refused)
    assert got.refusal is refusal


@pytest.mark.parametrize("fault", [{"feed_stale": True}, {"score_doubt": Refusal.STALE_SCORE}])
def test_roll_back_works_on_an_old_picture(fault: dict[str, Any]) -> None:
    assert armed(verb=Verb.ROLL_BACK, **fault).verb is Verb.ROLL_BACK


SCORE = Verdict(uid=ROLLOUT.uid, at=100.0, state=VerdictState.HEALTHY, score=0.1)
NO_SCORE = Verdict(uid=ROLLOUT.uid, at=100.0, state=VerdictState.UNKNOWN)
EVERY_TEN = SourceState(name="prometheus", interval=10.0, at=100.0)
HALF = SourceState(name="prometheus", interval=10.0, at=100.0, error="Partial answer")


@pytest.mark.parametrize(
    ("verdict", "sources", "age", "doubt"),
    [
        (SCORE, (EVERY_TEN,), 54.0, None),
        (SCORE, (EVERY_TEN,), 56.0, Refusal.STALE_SCORE),
        (SCORE, (SourceState(name="prometheus", interval=60.0),), 240.0, None),
        (SCORE, (), 61.0, Refusal.STALE_SCORE),
        (SCORE, (HALF,), 1.0, Refusal.PARTIAL_SCORE),
        (SCORE, (HALF,), 56.0, Refusal.STALE_SCORE),
        (SCORE, (EVERY_TEN, SourceState(name="kube", interval=10.0, error="away")), 1.0, None),
        (NO_SCORE, (HALF,), 1.0, None),
        (None, (HALF,), 1.0, None),
    ],
)
def test_a_score_that_is_old_or_rests_on_half_an_answer_is_doubted(
    verdict: Verdict | None, sources: tuple[SourceState, ...], age: float, doubt: Refusal | None
) -> None:
    assert score_doubt(msgspec.structs.replace(ROW, verdict=verdict), sources, 100.0 + age) is doubt


@given(st.lists(st.floats(0.0, 2.0), max_size=30))
def test_it_fires_only_after_the_countdown_and_never_after_a_stall(gaps: list[float]) -> None:
    state: Armed | Refused | None = armed()
    now = 100.0
    for gap in gaps:
        assert isinstance(state, Armed)
        now += gap
        state = look(state, now)
        if gap > STALL:
            assert isinstance(state, Refused)
            assert state.refusal is Refusal.STALLED
        if state is None:
            assert now >= 103.0
        if not isinstance(state, Armed):
            return


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"step": 2}, Refusal.CHANGED),
        ({"canary": Revision(hash="ccc")}, Refusal.CHANGED),
        ({"uid": Uid("other")}, Refusal.CHANGED),
        ({"pause": None, "phase": Phase.PROGRESSING}, Refusal.NOTHING_TO_PROMOTE),
        ({}, None),
    ],
)
def test_the_rollout_must_still_be_the_one_on_screen(changes: dict[str, Any], refusal: Refusal | None) -> None:
    row = msgspec.structs.replace(ROW, rollout=msgspec.structs.replace(ROLLOUT, **changes))
    assert still_true(armed(), row) is refusal


def test_a_rollout_that_is_gone_is_gone() -> None:
    assert still_true(armed(), None) is Refusal.GONE
