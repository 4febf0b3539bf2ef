"""The soak's own parts: schedules repeat, and each invariant can fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsroom.delivery.journal import Entry
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from tests.faults import invariants
from tests.faults.growth import FILES, GROWTH, Growth
from tests.faults.record import Call
from tests.faults.weather import CALM, Kind, Side, Weather, schedule

ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/opsroom/leases/opsroom-decider"


def call(method: str, path: str, at: float, body: Any = None, answer: Any = None, client: str = "one") -> Call:
    made = Call(client, Side.KUBE, method, path, at, body=json.dumps(body).encode())
    made.passed, made.done, made.upstream, made.told = at + 0.1, at + 0.1, 200, 200
    made.answer = json.dumps(answer or {}).encode()
    return made


def look(at: float, version: str = "7", client: str = "one") -> Call:
    return call("GET", ROLLOUT, at, answer={"metadata": {"resourceVersion": version}}, client=client)


def promote(at: float, version: str = "7", step: int = 1, client: str = "one") -> Call:
    body = {"metadata": {"resourceVersion": version}, "status": {"pauseConditions": None}}
    answer = {"metadata": {}, "status": {"currentPodHash": "abc", "currentStepIndex": step}}
    return call("PATCH", ROLLOUT + "/status", at, body, answer, client)


def lease(at: float, holder: str, client: str = "one") -> Call:
    return call("PUT", LEASE, at, {"spec": {"holderIdentity": holder}}, client=client)


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another_one() -> None:
    assert schedule(5, 300) == schedule(5, 300)
    assert schedule(5, 300) != schedule(6, 300)


@pytest.mark.parametrize("seed", range(20))
def test_every_storm_is_followed_by_calm(seed: int) -> None:
    plan = schedule(seed, 80)
    storms = sorted({(one.begin, one.end) for one in plan.faults})
    ends = [*(begin for begin, _ in storms[1:]), plan.seconds]
    assert all(after - end >= CALM - 0.01 for (_, end), after in zip(storms, ends, strict=True))


def test_the_weather_hits_only_while_it_lasts_and_only_its_side() -> None:
    now = [0.0]
    weather = Weather(schedule(1, 0), clock=lambda: now[0])
    weather.start()
    weather.add(Kind.REFUSE, Side.KUBE, seconds=5.0, only="pods")
    assert weather.hit(Kind.REFUSE, Side.KUBE, "/api/v1/pods")
    assert not weather.hit(Kind.REFUSE, Side.KUBE, "/api/v1/events")
    assert not weather.hit(Kind.REFUSE, Side.PROMETHEUS, "/api/v1/pods")
    now[0] = 5.0
    assert not weather.hit(Kind.REFUSE, Side.KUBE, "/api/v1/pods")


def test_a_deed_that_is_stored_twice_is_found() -> None:
    assert invariants.deeds_twice(invariants.acts([promote(1.0), promote(2.0, step=2)])) == []
    assert invariants.deeds_twice(invariants.acts([promote(1.0), promote(9.0, client="two")])) != []


def test_a_deed_without_a_fresh_look_is_found() -> None:
    calls = [look(1.0), promote(2.0)]
    assert invariants.without_look(invariants.acts(calls), calls) == []
    for bad in ([look(1.0), promote(30.0)], [look(1.0, "6"), promote(2.0)], [look(1.0, client="two"), promote(2.0)]):
        assert invariants.without_look(invariants.acts(bad), bad) != []


def test_a_deed_without_the_lease_is_found() -> None:
    calls = [lease(1.0, "one_1"), promote(5.0)]
    assert invariants.without_lease(invariants.acts(calls), calls) == []
    for bad in (
        [promote(5.0)],
        [lease(1.0, "one_1"), promote(16.0)],
        [lease(1.0, "one_1"), lease(3.0, ""), lease(4.0, "two_2", "two"), promote(6.0)],
    ):
        assert invariants.without_lease(invariants.acts(bad), bad) != []


def test_a_lease_that_is_taken_too_early_is_found() -> None:
    assert invariants.overlapping([lease(1.0, "a"), lease(17.0, "b", "two")]) == []
    assert invariants.overlapping([lease(1.0, "a"), lease(2.0, ""), lease(3.0, "b", "two")]) == []
    assert invariants.overlapping([lease(1.0, "a"), lease(10.0, "b", "two")]) != []


def test_a_promotion_in_a_drought_is_found() -> None:
    found = invariants.acts([promote(100.0)])
    assert invariants.in_a_drought(found, {"one": [95.0]}, 2.0) == []
    assert invariants.in_a_drought(found, {"one": [40.0, 101.0]}, 2.0) != []
    assert invariants.in_a_drought(found, {}, 2.0) != []


def test_a_deed_that_no_journal_knew_before_is_found() -> None:
    found = invariants.acts([promote(100.0)])
    target = Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
    intent = Intent(id="1", verb=Verb.PROMOTE, target=target, precondition=Precondition(), actor="me", at=99.0)

    def line(at: float, state: DeedState = DeedState.JOURNALLED) -> Entry:
        return Entry(at=at, writer="me", deed=Deed(intent=intent, state=state, at=at))

    assert invariants.without_journal(found, "one", [line(99.0)]) == []
    assert invariants.without_journal(found, "two", []) == []
    for bad in ([], [line(101.0)], [line(99.0, DeedState.REFUSED)]):
        assert invariants.without_journal(found, "one", bad) != []


def test_a_worker_that_grows_or_opens_too_much_is_found() -> None:
    growth = Growth([], [], 600.0)
    for number in range(10):
        growth.note("one:7", number * 2.0, 80.0 + number)
        growth.note("two:8", number * 2.0, 80.0 + number * GROWTH / 8)
    growth.files = {"one": FILES, "two": FILES + 1}
    assert growth.memory["one:7"] == [80.0, 89.0, 1800.0]
    assert [told.split()[0] for told in growth.wrong()] == ["two", "two:8"]
