"""Label and field selectors."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.resources import BY_PLURAL
from opsroom.simulator.kube.selectors import as_text, field_selector, label_selector, matches

LABELS = {"team": "payments", "tier": "front", "empty": ""}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("team", True),
        ("!team", False),
        ("absent", False),
        ("!absent", True),
        ("team=payments", True),
        ("team==payments,tier!=back", True),
        ("team!=payments", False),
        ("absent!=x", True),
        ("tier in (front, back)", True),
        ("tier notin (front)", False),
        ("absent notin (front)", True),
        ("absent in (x)", False),
        ("empty=", True),
        ("team=payments,tier in (back)", False),
        ("app.kubernetes.io/name!=x", True),
    ],
)
def test_a_label_selector_selects(text: str, selected: bool) -> None:
    assert label_selector(text)(LABELS) is selected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("===", "found '==', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a in b", "found 'b', expected: '('"),
        ("a in (b", "expected: ',', or ')'"),
        ("a b", "expected: in, notin, =, ==, !=, gt, lt"),
    ],
)
def test_a_broken_label_selector_is_refused_in_the_servers_words(text: str, complaint: str) -> None:
    with pytest.raises(ApiError) as refused:
        label_selector(text)
    assert refused.value.code == 400
    assert complaint in refused.value.message


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"team": "payments"}}, True),
        ({"matchLabels": {"team": "search"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["payments"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["payments"]}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_object_selects(selector: Any, selected: bool) -> None:
    assert matches(selector, LABELS) is selected
    if selector:
        assert label_selector(as_text(selector))(LABELS) is selected


POD = {
    "metadata": {"name": "a", "namespace": "shop"},
    "spec": {"nodeName": "n1"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("metadata.name=a", True),
        ("metadata.name!=a", False),
        ("spec.nodeName==n1,status.phase=Running", True),
        ("status.phase!=Running", False),
        ("status.podIP=", True),
    ],
)
def test_a_field_selector_selects(text: str, selected: bool) -> None:
    assert field_selector(BY_PLURAL["pods"], text)(POD) is selected


def test_a_field_nobody_declared_is_refused() -> None:
    with pytest.raises(ApiError, match=r"field label not supported: spec\.paused") as refused:
        field_selector(BY_PLURAL["rollouts"], "spec.paused=true")
    assert refused.value.code == 400
    with pytest.raises(ApiError, match="can't understand"):
        field_selector(BY_PLURAL["pods"], "nonsense")


def test_events_are_found_by_what_they_are_about() -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"uid": "u1", "kind": "Rollout"}, "kind": "Event"}
    assert field_selector(BY_PLURAL["events"], "involvedObject.uid=u1")(event)
    assert field_selector(BY_PLURAL["events"], "regarding.kind=Rollout")(event)
