"""Whatever people do to a Rollout, in any order: controllers settle, capacity stays, and it can end well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.simulator.controllers.objects import Obj
from tests.simulator.controllers.rollout_lab import NS, Lab, template

DEEDS: dict[str, Callable[[Lab], None]] = {
    "deploy 2": lambda lab: lab.spec({"template": template("app:2")}),
    "deploy 3": lambda lab: lab.spec({"template": template("app:3")}),
    "undo": lambda lab: lab.spec({"template": template("app:1")}),
    "promote": lambda lab: lab.patch_status({"pauseConditions": None}),
    "skip": lambda lab: lab.patch_status(
        {"pauseConditions": None, "currentStepIndex": min(lab.status["currentStepIndex"] + 1, 6)}
    ),
    "full": lambda lab: lab.patch_status({"promoteFull": True}),
    "abort": lambda lab: lab.patch_status({"abort": True}),
    "retry": lambda lab: lab.patch_status({"abort": False}),
    "pause": lambda lab: lab.spec({"paused": True}),
    "unpause": lambda lab: lab.spec({"paused": False}),
    "up": lambda lab: lab.spec({"replicas": 7}),
    "down": lambda lab: lab.spec({"replicas": 3}),
    "wait": lambda lab: lab.cluster.pass_time(6),
    "wait long": lambda lab: lab.cluster.pass_time(45),
}


def available(lab: Lab) -> int:
    return sum(
        any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))
        for pod in lab.cluster.store.list("pods", NS)
    )


def errors(lab: Lab) -> list[Obj]:
    return [one for one in lab.cluster.store.list("events", NS) if one["reason"] == "ReconciliationError"]


@pytest.mark.parametrize("routed", [True, False])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(names=st.lists(st.sampled_from(sorted(DEEDS)), max_size=14))
def test_a_rollout_settles_keeps_its_capacity_and_can_be_brought_home(routed: bool, names: list[str]) -> None:
    lab = Lab(routed=routed)
    for name in names:
        DEEDS[name](lab)
        lab.cluster.pass_time(1)
        assert available(lab) >= 3
        index = lab.status["currentStepIndex"]
        assert 0 <= index <= 6
        if lab.status.get("controllerPause"):
            assert lab.status["pauseConditions"]
    lab.spec({"paused": False, "replicas": 5})
    lab.patch_status({"abort": False})
    lab.cluster.pass_time(15)
    lab.patch_status({"promoteFull": True})
    lab.cluster.pass_time(90)
    assert lab.status["phase"] == "Healthy"
    assert lab.status["stableRS"] == lab.status["currentPodHash"]
    image = lab.rollout["spec"]["template"]["spec"]["containers"][0]["image"]
    assert lab.sizes() == {image: 5}
    assert errors(lab) == []
