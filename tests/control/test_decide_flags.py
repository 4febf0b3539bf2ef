"""Flags from look to look: who raises one, what lifts it, and what outlives a worker."""

from __future__ import annotations

import msgspec

from opsroom.domain.board import Freeze
from opsroom.domain.decision import Flag, FlagReason, Outcome
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.rollout import Pause, Phase, Revision
from tests.control.conftest import NOW, Decider, deed, rollout, settled_in


def test_a_freeze_flags_what_is_due_and_the_thaw_ends_it(decider: Decider) -> None:
    settled_in(decider)
    decider.freeze = Freeze(by="ada", since=decider.now)
    assert decider.see(0.1).flag is FlagReason.FREEZE
    decider.freeze = None
    assert decider.see(0.1).outcome is Outcome.PROMOTE
    assert decider.flag_of() is None


def test_a_persons_wish_stops_promotion_but_not_the_roll_back(decider: Decider) -> None:
    settled_in(decider)
    asked = Flag(reason=FlagReason.PERSON, since=decider.now, by="ada")
    decision = decider.see(0.1, flag=asked)
    assert (decision.outcome, decision.flag) == (Outcome.FLAG, FlagReason.PERSON)
    assert decider.see(0.95, flag=asked).outcome is Outcome.ROLL_BACK


def test_a_flag_stays_with_its_reason_and_time_until_a_person_acts(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    since = decider.now
    for score in (0.1, None, 0.5):
        decider.pass_time(100.0)
        decision = decider.see(score)
        assert (decision.outcome, decision.flag) == (Outcome.FLAG, FlagReason.INCONCLUSIVE)
    flag = decider.flag_of()
    assert flag is not None
    assert flag.since == since


def test_a_persons_promotion_lifts_the_flag(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    by_hand = deed(rollout(), Verb.PROMOTE, DeedState.DONE, decider.now + 1, automatic=False)
    decider.pass_time(2.0)
    assert decider.see(0.5, rollout(step=3), deed=by_hand).outcome is Outcome.WATCH
    assert decider.flag_of() is None


def test_a_step_that_moved_from_rest_means_that_a_person_acted_elsewhere(decider: Decider) -> None:
    decider.see(0.5)
    decider.pass_time(600.0)
    decider.see(0.5)
    decider.pass_time(2.0)
    assert decider.see(0.5, rollout(step=3)).outcome is Outcome.WATCH


def test_a_timed_pause_that_ends_by_itself_keeps_a_persons_flag(decider: Decider) -> None:
    timed = rollout(pause=Pause(step=True, until=NOW + 10))
    decider.see(0.5, timed, flag=Flag(reason=FlagReason.PERSON, since=NOW, by="ada"))
    decider.pass_time(11.0)
    assert decider.see(0.5, rollout(step=3)).flag is FlagReason.PERSON


def test_a_mark_of_the_former_decider_is_taken_over(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW - 500.0)
    assert decider.see(0.5, flag=mark).flag is FlagReason.NO_DATA
    assert decider.flag_of() == mark


def test_an_old_mark_does_not_bring_a_lifted_flag_back(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW - 500.0)
    decider.see(0.5, flag=mark)
    by_hand = deed(rollout(), Verb.PROMOTE, DeedState.DONE, decider.now, automatic=False)
    for _ in range(3):
        decider.pass_time(1.0)
        assert decider.see(0.5, rollout(step=3), deed=by_hand, flag=mark).outcome is Outcome.WATCH


def test_another_canary_starts_without_the_flag(decider: Decider) -> None:
    decider.see(0.5, flag=Flag(reason=FlagReason.NO_DATA, since=NOW))
    assert decider.see(0.5, rollout(canary=Revision(hash="newer"))).outcome is Outcome.WATCH


def test_an_acknowledgement_is_added_and_lifts_nothing(decider: Decider) -> None:
    mark = Flag(reason=FlagReason.NO_DATA, since=NOW)
    decider.see(0.5, flag=mark)
    seen = msgspec.structs.replace(mark, acknowledged_by="ada", acknowledged_at=NOW + 1)
    decider.see(0.5, flag=seen)
    assert decider.flag_of() == seen


def test_what_is_over_is_flagged_no_more(decider: Decider) -> None:
    decider.see(0.5, flag=Flag(reason=FlagReason.NO_DATA, since=NOW))
    done = rollout(phase=Phase.HEALTHY, canary=None, pause=None)
    assert decider.see(0.5, done).outcome is Outcome.WATCH
    assert decider.flag_of() is None
