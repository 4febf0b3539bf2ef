"""Field ownership and server-side apply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.simulator.kube import applying, fields
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.resources import BY_PLURAL
from opsroom.simulator.kube.versions import Obj

ROLLOUTS, DEPLOYMENTS = BY_PLURAL["rollouts"], BY_PLURAL["deployments"]


def members(owned: fields.FieldSet, path: str = "") -> set[str]:
    """A field set as the plain set of its members."""
    if not owned:
        return {path}
    found: set[str] = set()
    for key, below in owned.items():
        found |= {path} if key == "." else members(below, f"{path}/{key}")
    return found


def built(paths: set[str]) -> fields.FieldSet:
    """The field set with these members."""
    root: fields.FieldSet = {}
    for path in sorted(paths):
        node = root
        for part in path.strip("/").split("/"):
            node = node.setdefault(part, {})
    return marked(root, "", paths)


def marked(node: fields.FieldSet, path: str, paths: set[str]) -> fields.FieldSet:
    below = {key: marked(value, f"{path}/{key}", paths) for key, value in node.items()}
    return {".": {}, **below} if below and path in paths else below


field_sets = st.sets(
    st.lists(st.sampled_from(["f:a", "f:b", "f:c"]), min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    min_size=1,
    max_size=6,
)


@given(field_sets, field_sets)
def test_union_and_difference_are_those_of_sets(left: set[str], right: set[str]) -> None:
    assert members(built(left)) == left
    assert members(fields.union(built(left), built(right))) == left | right
    rest = fields.difference(built(left), built(right))
    assert (members(rest) if rest is not None else set()) == left - right


def rollout(**spec: Any) -> Obj:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "x"}, "spec": spec}


def owners(obj: Obj) -> dict[str, set[str]]:
    return {entry["manager"]: members(entry["fieldsV1"]) for entry in obj["metadata"].get("managedFields", ())}


def test_an_update_takes_what_it_changed_from_everybody() -> None:
    first = fields.record_update(ROLLOUTS, None, rollout(replicas=1, paused=False), "one", None, "T1")
    changed = {**first, "spec": {"replicas": 1, "paused": True}}
    second = fields.record_update(ROLLOUTS, first, changed, "two", None, "T2")
    assert owners(second) == {"one": {"/f:spec", "/f:spec/f:replicas"}, "two": {"/f:spec/f:paused"}}


def test_what_is_gone_is_owned_by_nobody() -> None:
    first = fields.record_update(ROLLOUTS, None, rollout(replicas=1, paused=False), "one", None, "T1")
    second = fields.record_update(ROLLOUTS, first, {**first, "spec": {"replicas": 1}}, "two", None, "T2")
    assert owners(second) == {"one": {"/f:spec", "/f:spec/f:replicas"}}


def apply(live: Obj | None, declared: Obj, manager: str, *, force: bool = False) -> Obj:
    merged, entries = applying.apply(
        DEPLOYMENTS if declared["kind"] == "Deployment" else ROLLOUTS,
        live,
        declared,
        manager=manager,
        force=force,
        subresource=None,
        time="T",
    )
    return {**merged, "metadata": {**merged["metadata"], "managedFields": entries}}


def test_the_same_value_from_two_managers_is_shared() -> None:
    both = apply(apply(None, rollout(replicas=3), "one"), rollout(replicas=3), "two")
    assert owners(both) == {"one": {"/f:spec/f:replicas"}, "two": {"/f:spec/f:replicas"}}


def test_another_value_is_a_conflict_that_names_the_owner() -> None:
    live = apply(None, rollout(replicas=3), "one")
    with pytest.raises(ApiError) as refused:
        apply(live, rollout(replicas=4), "two")
    assert refused.value.code == 409
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'


def test_a_conflict_with_an_update_says_so() -> None:
    live = fields.record_update(ROLLOUTS, None, rollout(replicas=3), "kubectl-edit", None, "T")
    with pytest.raises(ApiError, match=r'conflict with "kubectl-edit" using argoproj\.io/v1alpha1: \.spec\.replicas'):
        apply(live, rollout(replicas=4), "two")


def test_force_takes_the_field_over() -> None:
    live = apply(None, rollout(replicas=3, paused=True), "one")
    forced = apply(live, rollout(replicas=4), "two", force=True)
    assert forced["spec"]["replicas"] == 4
    assert owners(forced) == {"one": {"/f:spec/f:paused"}, "two": {"/f:spec/f:replicas"}}


def test_a_field_left_out_of_the_next_apply_goes_away_unless_shared() -> None:
    live = apply(None, rollout(replicas=3, paused=True), "one")
    assert "paused" not in apply(live, rollout(replicas=3), "one")["spec"]
    shared = apply(live, rollout(paused=True), "two")
    assert apply(shared, rollout(replicas=3), "one")["spec"]["paused"] is True


def test_an_empty_field_may_grow_and_shrink_again() -> None:
    empty = apply(None, rollout(), "one")
    grown = apply(empty, rollout(replicas=1), "one")
    assert grown["spec"] == {"replicas": 1}
    assert apply(grown, rollout(), "one")["spec"] == {}


def deployment(*containers: dict[str, Any]) -> Obj:
    spec = {"template": {"spec": {"containers": list(containers)}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def test_containers_are_merged_and_owned_by_name() -> None:
    live = apply(None, deployment({"name": "main", "image": "a:1"}), "one")
    both = apply(live, deployment({"name": "side", "image": "s:1"}), "two")
    assert [one["name"] for one in both["spec"]["template"]["spec"]["containers"]] == ["main", "side"]
    with pytest.raises(ApiError, match=r'\.spec\.template\.spec\.containers\[name="main"\]\.image'):
        apply(both, deployment({"name": "main", "image": "a:2"}), "two")
    alone = apply(both, deployment(), "two")
    assert [one["name"] for one in alone["spec"]["template"]["spec"]["containers"]] == ["main"]
