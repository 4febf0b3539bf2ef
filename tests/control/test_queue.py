"""Admission: limits, lanes, ageing, supersede, windows, states and what is said about each that waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsroom.control.entrant import Admission
from opsroom.domain.queue import Lane, QueueState, WaitReason
from opsroom.domain.queue_policy import LaneRule, Limit, QueuePolicy
from opsroom.domain.rollout import Revision, Uid
from opsroom.domain.window import Window
from tests.control.conftest import NOW
from tests.control.queue_door import Door, one


def test_without_limits_everything_goes_at_once() -> None:
    door = Door()
    door.put(*(one(f"s{n}") for n in range(5)))
    assert len(door.look().release) == 5


def test_the_global_limit_holds_and_the_next_one_goes_when_a_slot_is_free() -> None:
    door = Door(QueuePolicy(slots=2))
    for n in range(4):
        door.put(one(f"s{n}"))
        released = door.look(1.0).release
        door.go(Admission(release=released))
    running = [entry.uid for entry in door.queue.entries if entry.running]
    assert running == ["s0", "s1"]
    waits = door.entry("s2")
    assert (waits.position, waits.why, waits.waits_for, waits.held_by) == (0, WaitReason.SLOT, "global", "s0")
    door.end("s0")
    assert door.look(10.0).release == ("s2",)


def test_a_service_is_never_rolled_out_twice_at_once() -> None:
    door = Door()
    labels = {"app.kubernetes.io/name": "cart"}
    door.put(one("cart-a", held=False, labels=labels), one("cart-b", labels=labels))
    assert door.look().release == ()
    assert door.entry("cart-b").waits_for == "service"


def test_limits_by_label_have_slots_for_each_value() -> None:
    door = Door(QueuePolicy(limits=(Limit(name="team", by="team", slots=1),)))
    for uid, team in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        door.put(one(uid, labels={"team": team}))
    assert door.look().release == ("a1", "b1")
    assert door.entry("a2").held_by == "a1"


def test_a_limit_counts_only_for_what_it_selects() -> None:
    door = Door(QueuePolicy(limits=(Limit(name="tier-0", match={"tier": "0"}, slots=1),)))
    door.put(one("a", labels={"tier": "0"}), one("b", labels={"tier": "0"}), one("c", labels={"tier": "1"}))
    assert door.look().release == ("a", "c")


def test_who_waits_for_a_crowded_limit_lets_others_by_and_keeps_its_place() -> None:
    door = Door(QueuePolicy(slots=2, limits=(Limit(name="tier-0", match={"tier": "0"}, slots=1),)))
    door.put(one("a", held=False, labels={"tier": "0"}))
    door.look()
    door.put(one("b", labels={"tier": "0"}))
    door.look(1.0)
    door.put(one("c"))
    admission = door.look(1.0)
    assert admission.release == ("c",)
    door.go(admission)
    door.put(one("d", labels={"tier": "0"}))
    door.look(1.0)
    door.end("a")
    assert door.look(1.0).release == ("b",)


def test_lanes_go_in_order_and_a_roll_back_never_waits() -> None:
    door = Door(QueuePolicy(slots=1, lanes=(LaneRule(match={"kind": "deps"}, lane="batch"),)))
    door.put(one("run", held=False))
    door.look()
    door.put(one("batch", labels={"kind": "deps"}))
    door.put(one("normal"))
    door.put(one("fix"), lane=Lane.HOTFIX, may_hotfix=True)
    door.put(one("back", version="old"))
    assert door.look().release == ("back", "fix")
    assert [(door.entry(uid).lane, door.entry(uid).position) for uid in ("normal", "batch")] == [
        (Lane.NORMAL, 0),
        (Lane.BATCH, 1),
    ]


def test_the_hotfix_lane_is_a_right_not_a_wish() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("run", held=False))
    door.look()
    door.put(one("wish"), lane=Lane.HOTFIX)
    assert door.look().release == ()
    assert door.entry("wish").lane is Lane.NORMAL


def test_the_hotfix_lane_has_its_own_slots() -> None:
    door = Door(QueuePolicy(slots=1, hotfix_slots=1))
    door.put(one("run", held=False))
    door.look()
    door.put(one("fix1"), one("fix2"), lane=Lane.HOTFIX, may_hotfix=True)
    assert door.look().release == ("fix1",)
    assert door.entry("fix2").waits_for == "hotfix"


def test_ageing_brings_a_batch_change_before_fresh_ones() -> None:
    door = Door(QueuePolicy(slots=1, head_start=100.0, adaptive=False))
    door.put(one("run", held=False))
    door.look()
    door.put(one("batch"), lane=Lane.BATCH)
    door.look()
    door.put(one("fresh"))
    door.look(99.0)
    assert door.entry("fresh").position == 0
    door.put(one("fresher"))
    door.look(2.0)
    assert [door.entry(uid).position for uid in ("fresh", "batch", "fresher")] == [0, 1, 2]


def test_a_newer_version_takes_the_place_and_the_age() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("run", held=False))
    door.look()
    door.put(one("a", version="v1"))
    door.look(1.0)
    door.put(one("b"))
    door.look(5.0)
    since = door.entry("a").since
    door.put(one("a", version="v2"))
    door.look(5.0)
    entry = door.entry("a")
    assert (entry.since, entry.superseded, entry.position) == (since, "v1", 0)


def test_a_new_push_while_the_service_runs_is_a_new_wish() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("a", held=False, version="v1"))
    door.look()
    door.put(one("a", version="v2"))
    door.look(50.0)
    assert door.now - door.memory.places[Uid("a")].since == 0.0


def test_a_window_holds_and_ends_by_itself() -> None:
    start, end = (datetime.fromtimestamp(NOW + seconds, UTC) for seconds in (-10.0, 100.0))
    window = Window(name="launch", starts=start, ends=end, match={"tier": "0"})
    door = Door(QueuePolicy(windows=(window,)))
    door.put(one("a", labels={"tier": "0"}), one("b"))
    admission = door.look()
    assert admission.release == ("b",)
    door.go(admission)
    entry = door.entry("a")
    assert (entry.why, entry.waits_for, entry.until) == (WaitReason.WINDOW, "launch", NOW + 100.0)
    assert entry.eta_p50 == NOW + 100.0
    assert door.queue.windows == ("launch",)
    assert door.look(101.0).release == ("a",)


@pytest.mark.parametrize("passes", [True, False])
def test_a_hotfix_passes_a_window_that_lets_it(passes: bool) -> None:
    start, end = (datetime.fromtimestamp(NOW + seconds, UTC) for seconds in (-10.0, 100.0))
    door = Door(QueuePolicy(windows=(Window(name="w", starts=start, ends=end, hotfix=passes),)))
    door.put(one("fix"), lane=Lane.HOTFIX, may_hotfix=True)
    assert bool(door.look().release) is passes


@pytest.mark.parametrize("state", [QueueState.PAUSED, QueueState.DRAINING, QueueState.FROZEN])
def test_a_queue_that_does_not_run_admits_roll_backs_only(state: QueueState) -> None:
    door = Door(state=state)
    door.put(one("a"), one("back", version="old"), one("run", held=False))
    assert door.look().release == ("back",)
    entry = door.entry("a")
    assert (entry.why, entry.waits_for, entry.eta_p50) == (WaitReason.STATE, state.value, None)


def test_a_queue_that_is_off_lets_everything_go() -> None:
    door = Door(QueuePolicy(slots=1), state=QueueState.OFF)
    door.put(*(one(f"s{n}") for n in range(4)))
    assert len(door.look().release) == 4


def test_a_quarantined_version_waits_for_a_person() -> None:
    door = Door()
    door.put(one("a"), quarantined=True)
    assert door.look().release == ()
    assert door.entry("a").why is WaitReason.QUARANTINE


def test_a_release_is_asked_for_once_and_again_when_it_shows_no_effect() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("a"))
    assert door.look().release == ("a",)
    assert door.look(5.0).release == ()
    assert door.look(26.0).release == ("a",)


def test_a_released_one_keeps_its_slot_before_the_cluster_shows_it() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("a"), one("b"))
    assert door.look().release == ("a",)
    assert door.look(1.0).release == ()


def test_the_adaptive_limit_halves_on_a_roll_back_and_comes_back_slowly() -> None:
    door = Door(QueuePolicy(slots=8, recover_seconds=100.0, halve_pause=10.0))
    door.look()
    door.look(1.0, rolled_back=1)
    assert door.queue.limit == 4
    door.look(1.0, rolled_back=3)
    assert door.queue.limit == 4
    door.look(20.0, rolled_back=1)
    assert door.queue.limit == 2
    door.look(100.0)
    assert (door.queue.limit, door.queue.full_limit) == (3, 8)
    door.look(1000.0)
    assert door.queue.limit == 8


def test_the_adaptive_limit_stops_at_its_floor() -> None:
    door = Door(QueuePolicy(slots=4, floor=2, halve_pause=0.0))
    for _ in range(6):
        door.look(1.0, rolled_back=1)
    assert door.queue.limit == 2


def test_without_admission_policy_a_newcomer_without_slot_is_held_late_and_says_so() -> None:
    door = Door(QueuePolicy(slots=1), late=True)
    door.put(one("old", held=False))
    door.look()
    door.put(one("new", held=False, canary=Revision(hash="v2", replicas=2)))
    admission = door.look(40.0)
    assert admission.hold == ("new",)
    door.go(admission)
    door.look(1.0)
    entry = door.entry("new")
    assert (entry.running, entry.late_pods) == (False, 2)
    door.end("old")
    assert door.look(1.0).release == ("new",)


def test_what_runs_when_the_worker_begins_is_never_held() -> None:
    door = Door(QueuePolicy(slots=1), late=True)
    door.put(*(one(f"s{n}", held=False) for n in range(3)))
    assert door.look().hold == ()
    assert door.look(100.0).hold == ()


def test_a_late_hold_never_holds_a_roll_back() -> None:
    door = Door(QueuePolicy(slots=1), late=True)
    door.put(one("old", held=False))
    door.look()
    door.put(one("back", held=False), lane=Lane.ROLLBACK)
    assert door.look(40.0).hold == ()


def test_what_a_person_holds_waits_for_a_person_and_lets_others_by() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("mine"), kept=True)
    door.put(one("other"))
    assert door.look().release == ("other",)
    assert door.entry("mine").why is WaitReason.PERSON
    door.state = QueueState.OFF
    assert door.look(100.0).release == ("other",)


def test_a_worker_that_does_not_decide_shows_the_same_queue_and_releases_nothing() -> None:
    door = Door(QueuePolicy(slots=1), may_release=False)
    door.put(one("a"), since=NOW - 2)
    door.put(one("b"), since=NOW - 1)
    assert door.look().release == ()
    assert (door.entry("a").why, door.entry("a").position) == (WaitReason.DECIDER, 0)
    assert (door.entry("b").why, door.entry("b").waits_for) == (WaitReason.SLOT, "global")
    assert (door.queue.waiting, door.queue.running) == (2, 0)
    door.may_release = True
    assert door.look(1.0).release == ("a",)


def test_only_what_nothing_holds_at_admission_is_held_late() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("old", held=False))
    door.look()
    door.put(one("new", held=False))
    assert door.look(40.0).hold == ()


def test_what_waits_for_a_person_gives_its_slot_back_but_not_its_services() -> None:
    door = Door(QueuePolicy(slots=1, person_seconds=60.0))
    door.put(one("asks", held=False), asked=NOW)
    door.put(one("next"), since=NOW + 1)
    same = {"app.kubernetes.io/name": "asks"}
    door.put(one("same", labels=same), since=NOW + 2)
    assert door.look(1.0).release == ()
    assert door.entry("next").until == NOW + 60.0
    assert door.entry("next").eta_p50 == NOW + 60.0
    assert door.look(60.0).release == ("next",)
    door.end("next")
    door.look(1.0)
    assert door.entry("same").waits_for == "service"
