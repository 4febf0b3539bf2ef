"""The object store: identity, versions, halves, owners, history."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.history import HISTORY_PER_KIND, KEPT_SECONDS
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Event, Obj

NOW = 1_800_000_000.0


def new_store() -> Store:
    return Store(lambda: NOW, seed=1)


def rollout(name: str = "checkout", **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"replicas": 1, **spec}}


def test_a_new_object_gets_its_identity() -> None:
    store = new_store()
    made = store.create("rollouts", rollout(), namespace="shop")
    assert made["apiVersion"] == "argoproj.io/v1alpha1"
    assert made["metadata"]["namespace"] == "shop"
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert made["metadata"]["resourceVersion"] == str(store.rv)
    assert len(made["metadata"]["uid"]) == 36


def test_identity_cannot_be_brought_along() -> None:
    forged = {"metadata": {"name": "x", "uid": "mine", "resourceVersion": "7", "generation": 9}}
    made = new_store().create("rollouts", forged, namespace="shop")
    assert made["metadata"]["uid"] != "mine"
    assert made["metadata"]["generation"] == 1


def test_the_same_name_twice_is_refused() -> None:
    store = new_store()
    store.create("rollouts", rollout(), namespace="shop")
    store.create("rollouts", rollout(), namespace="other")
    with pytest.raises(ApiError) as refused:
        store.create("rollouts", rollout(), namespace="shop")
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")


def test_a_generated_name_grows_from_its_prefix() -> None:
    store = new_store()
    names = {
        store.create("events", {"metadata": {"generateName": "e-"}}, namespace="shop")["metadata"]["name"]
        for _ in range(20)
    }
    assert len(names) == 20
    assert all(name.startswith("e-") and len(name) == 7 for name in names)


def test_status_and_spec_are_written_through_their_own_doors() -> None:
    store = new_store()
    store.create("rollouts", rollout(), namespace="shop")
    through_main = store.merge("rollouts", "shop", "checkout", {"spec": {"paused": True}, "status": {"abort": True}})
    assert "status" not in through_main
    assert through_main["metadata"]["generation"] == 2
    patch = {"spec": {"paused": False}, "status": {"abort": True}, "metadata": {"labels": {"a": "b"}}}
    through_status = store.merge("rollouts", "shop", "checkout", patch, subresource="status")
    assert through_status["status"] == {"abort": True}
    assert through_status["spec"]["paused"] is True
    assert "labels" not in through_status["metadata"]
    assert through_status["metadata"]["generation"] == 2


def test_kinds_without_a_status_door_take_status_in_the_main_one() -> None:
    store = new_store()
    store.create("analysisruns", {"metadata": {"name": "run"}, "spec": {}}, namespace="shop")
    assert store.merge("analysisruns", "shop", "run", {"status": {"phase": "Running"}})["status"]["phase"] == "Running"


def test_a_write_that_changes_nothing_makes_no_version() -> None:
    store = new_store()
    made = store.create("rollouts", rollout(), namespace="shop", manager="me")
    seen: list[Event] = []
    store.subscribe(seen.append)
    assert store.merge("rollouts", "shop", "checkout", {"spec": {"replicas": 1}}, manager="me") is made
    assert not seen


def test_a_stale_version_is_a_conflict_and_no_version_is_not() -> None:
    store = new_store()
    made = store.create("rollouts", rollout(), namespace="shop")
    store.merge("rollouts", "shop", "checkout", {"spec": {"paused": True}})
    with pytest.raises(ApiError) as refused:
        store.replace("rollouts", {**made, "spec": {"replicas": 3}})
    assert refused.value.code == 409
    blank = {key: value for key, value in made["metadata"].items() if key != "resourceVersion"}
    assert store.replace("rollouts", {**made, "metadata": blank, "spec": {"replicas": 3}})["spec"] == {"replicas": 3}


def test_the_uid_is_a_precondition() -> None:
    store = new_store()
    store.create("rollouts", rollout(), namespace="shop")
    other = {"metadata": {"name": "checkout", "namespace": "shop", "uid": "another"}, "spec": {}}
    with pytest.raises(ApiError, match="UID in precondition: another") as refused:
        store.replace("rollouts", other)
    assert refused.value.code == 409


def test_a_dry_run_answers_and_stores_nothing() -> None:
    store = new_store()
    made = store.create("rollouts", rollout(), namespace="shop")
    changed = store.replace("rollouts", {**made, "spec": {"replicas": 9}}, dry_run=True)
    assert changed["spec"] == {"replicas": 9}
    assert changed["metadata"]["generation"] == 2
    assert store.get("rollouts", "shop", "checkout") is made
    store.delete("rollouts", "shop", "checkout", dry_run=True)
    assert store.get("rollouts", "shop", "checkout") is made


def owned_by(owner: Obj, name: str) -> Obj:
    meta = owner["metadata"]
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {"metadata": {"name": name, "ownerReferences": [{**reference, "controller": True}]}, "spec": {}}


def test_dependents_go_with_their_owner_all_the_way_down() -> None:
    store = new_store()
    deployment = store.create("deployments", {"metadata": {"name": "cart"}, "spec": {}}, namespace="shop")
    replica_set = store.create("replicasets", owned_by(deployment, "cart-1"), namespace="shop")
    store.create("pods", owned_by(replica_set, "cart-1-a"), namespace="shop")
    store.create("pods", {"metadata": {"name": "alone"}, "spec": {}}, namespace="shop")
    store.delete("deployments", "shop", "cart")
    assert [pod["metadata"]["name"] for pod in store.list("pods")] == ["alone"]
    assert store.list("replicasets") == []


def test_orphans_stay_without_their_owner() -> None:
    store = new_store()
    deployment = store.create("deployments", {"metadata": {"name": "cart"}, "spec": {}}, namespace="shop")
    store.create("replicasets", owned_by(deployment, "cart-1"), namespace="shop")
    store.delete("deployments", "shop", "cart", propagation="Orphan")
    (left,) = store.list("replicasets")
    assert not left["metadata"].get("ownerReferences")


def test_a_finalizer_keeps_an_object_until_it_is_removed() -> None:
    store = new_store()
    store.create("rollouts", {"metadata": {"name": "x", "finalizers": ["keep"]}, "spec": {}}, namespace="shop")
    assert "deletionTimestamp" in store.delete("rollouts", "shop", "x")["metadata"]
    assert store.get("rollouts", "shop", "x") is not None
    store.merge("rollouts", "shop", "x", {"metadata": {"finalizers": None}})
    assert store.get("rollouts", "shop", "x") is None


def test_a_namespace_takes_everything_in_it_along() -> None:
    store = new_store()
    store.create("namespaces", {"metadata": {"name": "shop"}})
    deployment = store.create("deployments", {"metadata": {"name": "cart"}, "spec": {}}, namespace="shop")
    store.create("replicasets", owned_by(deployment, "cart-1"), namespace="shop")
    store.create("rollouts", rollout(), namespace="other")
    store.delete("namespaces", None, "shop")
    assert store.list("replicasets") == []
    assert len(store.list("rollouts")) == 1


def test_events_come_in_order_even_when_a_listener_writes() -> None:
    store = new_store()
    seen: list[tuple[str, int]] = []

    def react(event: Event) -> None:
        if event.type == "ADDED" and event.resource == "rollouts":
            store.merge("rollouts", "shop", "checkout", {"status": {"seen": True}}, subresource="status")

    store.subscribe(react)
    end = store.subscribe(lambda event: seen.append((event.type, event.rv)))
    store.create("rollouts", rollout(), namespace="shop")
    assert seen == [("ADDED", store.rv - 1), ("MODIFIED", store.rv)]
    end()
    store.delete("rollouts", "shop", "checkout")
    assert len(seen) == 2


def test_history_is_bounded_and_says_so() -> None:
    store = new_store()
    store.create("leases", {"metadata": {"name": "l"}, "spec": {}}, namespace="shop")
    first = store.rv
    for number in range(HISTORY_PER_KIND):
        store.merge("leases", "shop", "l", {"spec": {"leaseTransitions": number}})
    assert len(store.history("leases", first)) == HISTORY_PER_KIND
    with pytest.raises(ApiError) as refused:
        store.history("leases", first - 1)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def test_old_history_is_forgotten_as_by_etcds_compaction() -> None:
    now = [NOW]
    store = Store(lambda: now[0], seed=1)
    store.create("leases", {"metadata": {"name": "l"}, "spec": {}}, namespace="shop")
    first = store.rv
    for number in range(5):
        now[0] += KEPT_SECONDS / 2
        store.merge("leases", "shop", "l", {"spec": {"leaseTransitions": number}})
    assert len(store.history("leases", first + 2)) == 3
    with pytest.raises(ApiError):
        store.history("leases", first + 1)


writes = st.lists(st.tuples(st.sampled_from(["create", "merge", "delete"]), st.integers(0, 4)), max_size=30)


@given(writes, st.integers(0, 30))
def test_a_past_version_of_a_list_is_what_it_was(deeds: list[tuple[str, int]], stop: int) -> None:
    store = new_store()
    remembered: tuple[int, list[Obj]] = (store.rv, [])
    for number, (deed, which) in enumerate(deeds):
        name = f"r{which}"
        exists = store.get("rollouts", "shop", name) is not None
        if deed == "create" and not exists:
            store.create("rollouts", rollout(name), namespace="shop")
        elif deed == "merge" and exists:
            store.merge("rollouts", "shop", name, {"spec": {"replicas": number}})
        elif deed == "delete" and exists:
            store.delete("rollouts", "shop", name)
        if number == stop:
            remembered = (store.rv, store.list("rollouts", "shop"))
    rv, then = remembered
    assert [version.obj for version in store.versions_at("rollouts", "shop", rv)] == then
