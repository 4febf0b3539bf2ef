"""The patch types: merge, JSON, strategic."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.simulator.kube.patches import PatchFailed, json_patch, merge_patch
from opsroom.simulator.kube.strategic import strategic_merge

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc", max_size=3)
documents = st.dictionaries(
    st.text("xyz", min_size=1, max_size=2),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", max_size=2), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def difference(old: Any, new: Any) -> Any:
    """A merge patch that turns `old` into `new` (which must hold no null)."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch = {key: None for key in old if key not in new}
    return patch | {key: difference(old.get(key), value) for key, value in new.items() if old.get(key) != value}


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(below) for key, below in value.items() if below is not None}
    return value


@given(documents, documents)
def test_a_merge_patch_made_of_a_difference_makes_the_difference(old: Any, new: Any) -> None:
    before, after = without_nulls(old), without_nulls(new)
    kept = copy.deepcopy(before)
    assert merge_patch(before, difference(before, after)) == after
    assert before == kept


@pytest.mark.parametrize(
    ("target", "patch", "outcome"),
    [
        ({"a": 1, "b": {"c": 2}}, {"b": {"c": None}}, {"a": 1, "b": {}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"b": {"c": None, "d": 1}}, {"a": 1, "b": {"d": 1}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
    ],
)
def test_merge_patch_examples(target: Any, patch: Any, outcome: Any) -> None:
    assert merge_patch(target, patch) == outcome


@pytest.mark.parametrize(
    ("operations", "outcome"),
    [
        ([{"op": "add", "path": "/spec/paused", "value": True}], {"spec": {"items": [1, 2], "paused": True}}),
        ([{"op": "add", "path": "/spec/items/1", "value": 9}], {"spec": {"items": [1, 9, 2]}}),
        ([{"op": "add", "path": "/spec/items/-", "value": 9}], {"spec": {"items": [1, 2, 9]}}),
        ([{"op": "replace", "path": "/spec/items/0", "value": 9}], {"spec": {"items": [9, 2]}}),
        ([{"op": "remove", "path": "/spec/items/0"}], {"spec": {"items": [2]}}),
        ([{"op": "copy", "from": "/spec/items", "path": "/more"}], {"spec": {"items": [1, 2]}, "more": [1, 2]}),
        ([{"op": "move", "from": "/spec/items/0", "path": "/first"}], {"spec": {"items": [2]}, "first": 1}),
        ([{"op": "add", "path": "/a~1b~0c", "value": 1}], {"spec": {"items": [1, 2]}, "a/b~c": 1}),
        ([{"op": "test", "path": "/spec/items/1", "value": 2}], {"spec": {"items": [1, 2]}}),
    ],
)
def test_json_patch_examples(operations: list[Any], outcome: Any) -> None:
    target = {"spec": {"items": [1, 2]}}
    assert json_patch(target, operations) == outcome
    assert target == {"spec": {"items": [1, 2]}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/paused", "value": False},
        {"op": "replace", "path": "/spec/nope", "value": 1},
        {"op": "remove", "path": "/spec/nope"},
        {"op": "add", "path": "/nope/deeper", "value": 1},
        {"op": "add", "path": "/list/7", "value": 1},
        {"op": "replace", "path": "/list/-", "value": 1},
        {"op": "frobnicate", "path": "/spec"},
        {"op": "add", "path": "spec", "value": 1},
        "no operation",
    ],
)
def test_a_json_patch_that_does_not_apply_fails_as_a_whole(operation: Any) -> None:
    first = {"op": "add", "path": "/done", "value": True}
    target = {"spec": {"paused": True}, "list": [1]}
    with pytest.raises(PatchFailed):
        json_patch(target, [first, operation])
    assert "done" not in target


POD = {"containers": [{"name": "main", "image": "a:1", "env": [{"name": "X", "value": "1"}]}, {"name": "side"}]}


def test_strategic_merge_knows_containers_by_name() -> None:
    merged = strategic_merge(POD, {"containers": [{"name": "main", "image": "a:2"}]})
    assert merged["containers"][0] == {"name": "main", "image": "a:2", "env": [{"name": "X", "value": "1"}]}
    assert merged["containers"][1] == {"name": "side"}


def test_strategic_merge_deletes_an_item_by_directive() -> None:
    patch = {"containers": [{"name": "side", "$patch": "delete"}]}
    assert [one["name"] for one in strategic_merge(POD, patch)["containers"]] == ["main"]


def test_strategic_merge_adds_and_orders_as_told() -> None:
    patch = {
        "$setElementOrder/containers": [{"name": "side"}, {"name": "new"}, {"name": "main"}],
        "containers": [{"name": "new", "image": "n"}],
    }
    merged = strategic_merge(POD, patch)
    assert [one["name"] for one in merged["containers"]] == ["side", "new", "main"]
    assert not any(key.startswith("$") for key in merged)


def test_strategic_merge_replaces_on_demand_and_drops_fields_by_null() -> None:
    patch = {"containers": [{"$patch": "replace"}, {"name": "only"}]}
    assert strategic_merge(POD, patch) == {"containers": [{"name": "only"}]}
    assert strategic_merge({"spec": {"paused": True}}, {"spec": {"paused": None}}) == {"spec": {}}
    retained = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategic_merge({"strategy": {"type": "X", "rollingUpdate": {}}}, retained) == {
        "strategy": {"type": "Recreate"}
    }


def test_strategic_merge_treats_primitive_lists_by_their_kind() -> None:
    assert strategic_merge({"finalizers": ["a"]}, {"finalizers": ["b"]})["finalizers"] == ["a", "b"]
    dropped = strategic_merge({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]})
    assert dropped == {"finalizers": ["b"]}
    assert strategic_merge({"args": ["a"]}, {"args": ["b"]}) == {"args": ["b"]}
