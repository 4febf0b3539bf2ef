"""Objects in any order become rollouts, and only what changed is made anew."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from opsroom.domain.rollout import Rollout, Shape, Uid
from opsroom.sources.happenings import EACH, Happenings
from opsroom.sources.index import Index

STATUS = {"phase": "Paused", "observedGeneration": "1", "currentPodHash": "new", "stableRS": "old"}
HOOKS = {"workloadRef": {"kind": "Deployment", "name": "hooks-base"}}
CHECKOUT = Uid("uid-checkout")


def world(objects: Any) -> list[tuple[str, Any]]:
    notes = {"annotations": {"opsroom.dev/canary-of": "cart"}}
    return [
        ("argo_changed", objects.rollout(status=STATUS, spec={"strategy": {"canary": {}}})),
        ("replica_set_changed", objects.replica_set("old", argo=True)),
        ("replica_set_changed", objects.replica_set("new", "reg/app:v2", argo=True)),
        ("pod_changed", objects.pod("p1", "checkout-new", restarts=1)),
        ("pod_changed", objects.pod("p2", "checkout-new", restarts=2)),
        ("deployment_changed", objects.deployment("cart")),
        ("deployment_changed", objects.deployment("cart-canary", "reg/app:v2", **notes)),
        ("replica_set_changed", objects.replica_set("a", owner="cart")),
        ("replica_set_changed", objects.replica_set("b", "reg/app:v2", owner="cart-canary")),
        ("deployment_changed", objects.deployment("mail")),
        ("argo_changed", objects.rollout("hooks", spec=HOOKS)),
        ("deployment_changed", objects.deployment("hooks-base")),
    ]


def fed(news: list[tuple[str, Any]]) -> Index:
    index = Index()
    for method, item in news:
        getattr(index, method)(None, item)
    return index


def by_name(index: Index) -> dict[str, Rollout]:
    return {rollout.name: rollout for rollout in index.rollouts()}


def test_the_order_of_arrival_makes_no_difference(objects: Any) -> None:
    news = world(objects)
    expected = by_name(fed(news))
    assert set(expected) == {"checkout", "cart-canary", "mail", "hooks"}
    assert expected["cart-canary"].shape is Shape.PAIR
    assert expected["checkout"].canary is not None
    assert expected["checkout"].canary.restarts == 3
    for seed in range(20):
        random.Random(seed).shuffle(news)  # noqa: S311
        index = Index()
        for method, item in news:
            getattr(index, method)(None, item)
            index.rollouts()
        assert by_name(index) == expected


def test_only_what_changed_is_made_anew(objects: Any) -> None:
    index = fed(world(objects))
    before = {rollout.uid: rollout for rollout in index.rollouts()}
    old, new = objects.pod("p1", "checkout-new", restarts=1), objects.pod("p1", "checkout-new", restarts=5)
    index.pod_changed(old, new)
    index.pod_changed(new, msgspec.structs.replace(new))
    after = {rollout.uid: rollout for rollout in index.rollouts()}
    assert [uid for uid in after if after[uid] is not before[uid]] == [CHECKOUT]


def test_what_goes_takes_its_rollout_along(objects: Any) -> None:
    news = world(objects)
    index = fed(news)
    index.rollouts()
    for method, item in news:
        getattr(index, method)(item, None)
    assert index.rollouts() == []


def test_a_pair_parts_when_its_mark_goes(objects: Any) -> None:
    index = fed(world(objects))
    index.rollouts()
    marked = objects.deployment("cart-canary", "reg/app:v2", annotations={"opsroom.dev/canary-of": "cart"})
    index.deployment_changed(marked, objects.deployment("cart-canary", "reg/app:v2"))
    found = by_name(index)
    assert found["cart"].shape is found["cart-canary"].shape is Shape.ROLLING


def test_the_stable_side_of_a_pair_is_news_for_the_pair(objects: Any) -> None:
    index = fed(world(objects))
    index.rollouts()
    old = objects.replica_set("a", owner="cart")
    index.replica_set_changed(old, objects.replica_set("a", owner="cart", available=1))
    stable = by_name(index)["cart-canary"].stable
    assert stable is not None
    assert stable.ready == 1


def test_a_deployment_that_a_rollout_refers_to_is_not_shown_twice(objects: Any) -> None:
    index = fed(world(objects))
    assert "hooks-base" not in by_name(index)
    index.argo_changed(objects.rollout("hooks", spec=HOOKS), None)
    assert "hooks-base" in by_name(index)


def test_marks_and_services_are_found_by_uid(objects: Any) -> None:
    index = Index()
    canary = {"canary": {"stableService": "s", "canaryService": "c"}}
    index.argo_changed(
        None, objects.rollout(spec={"strategy": canary}, annotations={"opsroom.dev/queue": "held"}, status=STATUS)
    )
    assert index.marks(CHECKOUT).held
    assert not index.marks(Uid("uid-nobody")).held
    assert index.services(CHECKOUT) == ("s", "c")
    assert index.services(Uid("uid-nobody")) == ("", "")


def test_happenings_are_few_and_newest_first(objects: Any) -> None:
    news = Happenings()
    for second in range(40):
        news.event_changed(None, objects.event(f"e{second}", "uid-a", f"2026-01-02T03:04:{second:02}Z", f"n{second}"))
    news.event_changed(None, objects.event("e30", "uid-a", "2026-01-02T03:05:00Z", "counted up", type="Warning"))
    news.event_changed(None, objects.event("x", "uid-b", "2026-01-02T03:04:39Z", "elsewhere"))
    found = news.of(["uid-a"])
    assert len(found) == EACH
    assert found[0].text == "RolloutStepCompleted: counted up"
    assert found[0].warning
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert sum("n30" in one.text for one in found) == 0


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ({"lastTimestamp": None, "eventTime": "2026-01-02T03:04:06.000000Z"}, 1.0),
        ({"lastTimestamp": None}, 0.0),
        ({"series": {"lastObservedTime": "2026-01-02T03:04:09.000000Z"}}, 4.0),
    ],
)
def test_the_time_of_an_event_stands_in_one_of_four_places(
    objects: Any, stamps: dict[str, Any], expected: float
) -> None:
    news = Happenings()
    news.event_changed(None, objects.event("e", "uid-a", "2026-01-02T03:04:05Z", **stamps))
    assert news.of(["uid-a"])[0].at == objects.created + expected


def test_namespaces_that_come_and_go_leave_nothing_behind(objects: Any) -> None:
    index = Index()
    news = [
        ("deployment_changed", objects.deployment("cart")),
        ("replica_set_changed", objects.replica_set("a", owner="cart")),
        ("pod_changed", objects.pod("p1", "cart-a")),
    ]
    for method, item in news:
        getattr(index, method)(None, item)
    assert index.rollouts()
    for method, item in reversed(news):
        getattr(index, method)(item, None)
    assert index.rollouts() == []
    kept = {name: len(value) for name, value in vars(index).items() if isinstance(value, dict | set) and value}
    assert kept == {}
