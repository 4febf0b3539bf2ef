"""How the end of a change is seen."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.decision import Decision, Flag, FlagReason, Outcome
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import Verdict, VerdictState
from opsroom.worker.course import PROMOTED, ROLLED_BACK, Course

OLD = Revision(hash="old", images=("shop:1",))
NEW = Revision(hash="new", images=("shop:2",))
NEWER = Revision(hash="newer", images=("shop:3",))

IDLE = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.HEALTHY,
    stable=OLD,
)


def now_with(phase: Phase, canary: Revision | None, stable: Revision = OLD, shape: Shape = Shape.CANARY) -> Rollout:
    return msgspec.structs.replace(IDLE, phase=phase, canary=canary, stable=stable, shape=shape)


RUNNING = now_with(Phase.PAUSED, NEW)
PAIR = now_with(Phase.PAUSED, NEW, shape=Shape.PAIR)
PAIR_STABLE = Revision(hash="stable-of-pair", images=("shop:2",))


@pytest.mark.parametrize(
    ("story", "result"),
    [
        ([RUNNING, now_with(Phase.HEALTHY, None, NEW)], PROMOTED),
        ([RUNNING, now_with(Phase.ABORTED, NEW)], ROLLED_BACK),
        ([RUNNING, now_with(Phase.HEALTHY, None, OLD)], ROLLED_BACK),
        ([RUNNING, now_with(Phase.DEGRADED, NEW)], ""),
        ([RUNNING, now_with(Phase.DEGRADED, NEW), now_with(Phase.ABORTED, NEW)], ROLLED_BACK),
        ([RUNNING, now_with(Phase.OBSERVING, NEWER)], ""),
        ([RUNNING, now_with(Phase.PROGRESSING, NEWER)], ""),
        ([RUNNING, now_with(Phase.PROGRESSING, NEWER, NEW)], PROMOTED),
        ([RUNNING, now_with(Phase.PROGRESSING, OLD)], ROLLED_BACK),
        ([RUNNING, now_with(Phase.UNKNOWN, None)], ""),
        ([now_with(Phase.OBSERVING, Revision(hash="")), RUNNING], ""),
        ([IDLE, now_with(Phase.HEALTHY, None, NEW)], ""),
        ([PAIR, now_with(Phase.HEALTHY, None, PAIR_STABLE, Shape.PAIR)], PROMOTED),
        (
            [
                PAIR,
                now_with(Phase.PAUSED, NEW, PAIR_STABLE, Shape.PAIR),
                now_with(Phase.HEALTHY, None, PAIR_STABLE, Shape.PAIR),
            ],
            PROMOTED,
        ),
        ([PAIR, now_with(Phase.HEALTHY, None, OLD, Shape.PAIR)], ROLLED_BACK),
    ],
)
def test_the_end_of_a_change_is_seen(story: list[Rollout], result: str) -> None:
    course = Course(IDLE)
    results = [course.see(rollout, float(at)) for at, rollout in enumerate(story)]
    assert results == [""] * (len(story) - 1) + [result]
    if result and not story[-1].under_way:
        assert (course.result, course.finished) == (result, float(len(story) - 1))


def test_the_way_back_is_not_a_change_of_its_own() -> None:
    course = Course(IDLE)
    story = [RUNNING, now_with(Phase.PROGRESSING, OLD), now_with(Phase.HEALTHY, None, OLD)]
    assert [course.see(rollout, 1.0) for rollout in story] == ["", ROLLED_BACK, ""]
    assert course.result == ROLLED_BACK


def test_a_new_change_takes_the_former_result_off_the_board() -> None:
    course = Course(IDLE)
    course.see(RUNNING, 1.0)
    course.see(now_with(Phase.HEALTHY, None, NEW), 2.0)
    course.see(now_with(Phase.PROGRESSING, NEWER, NEW), 3.0)
    assert (course.result, course.finished) == ("", None)


def test_what_was_thought_of_one_canary_is_never_said_of_the_next() -> None:
    course = Course(IDLE)
    course.see(RUNNING, 1.0)
    course.judge(Verdict(uid=Uid("u"), at=1.0, state=VerdictState.HEALTHY, score=0.1), ())
    course.decide(
        Decision(uid=Uid("u"), outcome=Outcome.FLAG, at=1.0, flag=FlagReason.PERSON),
        Flag(reason=FlagReason.PERSON, since=1.0),
    )
    course.see(now_with(Phase.PROGRESSING, NEWER), 2.0)
    assert (course.verdict, course.flag, course.decision, list(course.scores)) == (None, None, None, [])


@pytest.mark.parametrize("next_", [now_with(Phase.OBSERVING, NEW), now_with(Phase.PROGRESSING, NEW)])
def test_a_canary_that_comes_again_is_judged_anew(next_: Rollout) -> None:
    """A retry has the aborted canary's hash, and so has a new version that its controller has not yet seen."""
    course = Course(IDLE)
    course.see(RUNNING, 1.0)
    course.judge(Verdict(uid=Uid("u"), at=1.0, state=VerdictState.HARM, score=0.95), ())
    before = course.change
    course.see(now_with(Phase.ABORTED, NEW), 2.0)
    assert list(course.scores) == [0.95]
    course.see(msgspec.structs.replace(next_, started=1.0), 3.0)
    assert course.verdict is None
    assert not course.scores
    assert course.change > before
    assert course.to_measure.started == 3.0
    course.see(now_with(Phase.PROGRESSING, NEWER), 4.0)
    assert course.to_measure.started is None


def test_what_its_pods_show_while_the_queue_holds_it_without_traffic_acquits_nobody() -> None:
    course = Course(IDLE)
    held = msgspec.structs.replace(RUNNING, held=True, started=1.0)
    course.see(held, 2.0)
    course.judge(Verdict(uid=Uid("u"), at=2.0, state=VerdictState.HEALTHY, score=0.03), ())
    course.see(held, 60.0)
    assert course.verdict is None
    course.see(msgspec.structs.replace(held, held=False, weight=20), 61.0)
    assert course.to_measure.started == 60.0
    course.see(now_with(Phase.PROGRESSING, NEWER), 62.0)
    assert course.to_measure.started is None


def test_a_held_canary_that_serves_is_measured_from_its_start() -> None:
    course = Course(IDLE)
    course.see(msgspec.structs.replace(RUNNING, held=True, weight=20, started=1.0), 60.0)
    assert course.to_measure.started == 1.0


def test_a_canary_that_is_out_of_sight_for_a_moment_keeps_its_verdict() -> None:
    course = Course(IDLE)
    course.see(RUNNING, 1.0)
    course.judge(Verdict(uid=Uid("u"), at=1.0, state=VerdictState.HARM, score=0.95), ())
    course.see(now_with(Phase.UNKNOWN, None), 2.0)
    course.see(RUNNING, 3.0)
    assert course.verdict is not None
    assert course.again is None


def test_one_score_a_step_is_kept_and_the_newest_look_at_a_step_counts() -> None:
    course = Course(RUNNING)
    for at, score in ((1.0, 0.5), (1.0, 0.4), (2.0, 0.3), (3.0, None)):
        state = VerdictState.UNKNOWN if score is None else VerdictState.UNDECIDED
        course.judge(Verdict(uid=Uid("u"), at=at, state=state, score=score), ())
    assert list(course.scores) == [0.4, 0.3, None]


def test_the_same_decision_at_each_look_is_no_news() -> None:
    course = Course(RUNNING)
    first = Decision(uid=Uid("u"), outcome=Outcome.FLAG, at=1.0, flag=FlagReason.NO_DATA)
    again = msgspec.structs.replace(first, at=2.0, score=0.5)
    flag = Flag(reason=FlagReason.NO_DATA, since=1.0)
    assert [course.decide(first, flag), course.decide(again, flag)] == [True, False]
    assert course.decision is first
    assert len(course.news) == 1


def test_a_pair_met_in_the_middle_of_its_promotion_is_promoted() -> None:
    intent = Intent(
        id="i",
        verb=Verb.PROMOTE,
        target=Target(uid=Uid("u"), engine=Engine.DEPLOYMENT, shape=Shape.PAIR, namespace="shop", name="cart"),
        precondition=Precondition(canary_hash="new"),
        actor="worker",
        at=1.0,
    )
    half_way = now_with(Phase.PAUSED, NEW, PAIR_STABLE, Shape.PAIR)
    course = Course(half_way, deed=Deed(intent=intent, state=DeedState.UNKNOWN, at=1.0))
    course.see(half_way, 1.0)
    assert course.see(now_with(Phase.HEALTHY, None, PAIR_STABLE, Shape.PAIR), 2.0) == PROMOTED


def test_a_pair_whose_promotion_is_undone_is_rolled_back_and_an_unchanged_one_stays_promoted() -> None:
    former = Revision(hash="stable-before", images=("shop:1",))
    course = Course(msgspec.structs.replace(IDLE, stable=former, shape=Shape.PAIR))
    course.see(now_with(Phase.PAUSED, NEW, former, Shape.PAIR), 1.0)
    promoted = now_with(Phase.HEALTHY, None, PAIR_STABLE, Shape.PAIR)
    assert course.see(promoted, 2.0) == PROMOTED
    course.see(promoted, 3.0)
    assert (course.result, course.finished) == (PROMOTED, 2.0)
    course.see(now_with(Phase.HEALTHY, None, msgspec.structs.replace(former, hash="back"), Shape.PAIR), 4.0)
    assert (course.result, course.finished) == (ROLLED_BACK, 4.0)


def test_a_release_does_not_hide_how_the_last_move_ended() -> None:
    def deed(verb: Verb, state: DeedState, at: float) -> Deed:
        target = Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
        seen = Precondition(canary_hash="new")
        intent = Intent(id=verb.value, verb=verb, target=target, precondition=seen, actor="w", at=at, automatic=True)
        return Deed(intent=intent, state=state, at=at)

    course = Course(IDLE)
    course.see(RUNNING, 1.0)
    failed, released = deed(Verb.PROMOTE, DeedState.FAILED, 2.0), deed(Verb.RELEASE, DeedState.DONE, 3.0)
    course.act(failed)
    course.act(released)
    assert (course.deed, course.move) == (released, failed)
    assert Course(IDLE, deed=failed).move is failed
    course.see(now_with(Phase.PROGRESSING, NEWER), 4.0)
    assert (course.deed, course.move) == (None, None)


rollouts = st.builds(
    now_with,
    st.sampled_from(Phase),
    st.sampled_from([None, OLD, NEW, NEWER, Revision(hash="")]),
    st.sampled_from([OLD, NEW, NEWER]),
    st.sampled_from([Shape.CANARY, Shape.PAIR]),
)


@given(st.lists(rollouts, max_size=12))
def test_a_change_ends_at_most_once_whatever_comes(story: list[Rollout]) -> None:
    course, begun, ended = Course(IDLE), 0, 0
    for rollout in story:
        before = course.running
        ended += bool(course.see(rollout, 1.0))
        begun += course.running is not None and (before is None or before.canary != course.running.canary)
    assert ended <= begun
