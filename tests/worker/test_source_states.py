"""What a picture says of its sources: the judge is one of them, and each trouble is named and counted once."""

from __future__ import annotations

from opsroom.domain.board import Mode
from opsroom.domain.freshness import Freshness, SourceState, freshness
from opsroom.worker.outside import Outside
from opsroom.worker.situation import JUDGE, Situation
from opsroom.worker.source_states import SourceStates

NOW, STEP = 1_000_000.0, 10.0


def judge(situation: Situation, clock: float = 0.0) -> SourceState:
    outside = Outside("", "", (), mode=Mode.OBSERVE, read_only=True)
    states = SourceStates(outside, lambda: clock).all(NOW, situation, STEP)
    return next(state for state in states if state.name == JUDGE)


def test_a_judge_that_hangs_grows_old() -> None:
    seen = [freshness(judge(Situation(judged=50.0), 50.0 + late), NOW) for late in (STEP, 3 * STEP, 6 * STEP)]
    assert seen == [Freshness.FRESH, Freshness.DOUBTFUL, Freshness.STALE]


def test_a_judge_that_has_not_looked_has_no_age() -> None:
    assert judge(Situation()).at is None


def test_a_judge_that_stumbles_is_said_once_and_counted_once() -> None:
    situation = Situation(judged=0.0, troubles={JUDGE: "Judging failed", "journal": "The disk is full"})
    states = SourceStates(Outside("", "", (), mode=Mode.OBSERVE, read_only=True))
    for later in (0.0, 2.0):
        told = states.all(NOW + later, situation, STEP)
        assert [(state.name, state.error) for state in told if state.name in (JUDGE, "journal")] == [
            (JUDGE, "Judging failed"),
            ("journal", "The disk is full"),
        ]
    assert situation.tally.source_errors[JUDGE] == situation.tally.source_errors["journal"] == 1
