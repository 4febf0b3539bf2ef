"""What the picture says about pods in trouble and about the engine's own analysis runs."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.domain.rollout import Analysis, Trouble
from opsroom.sources.argo import argo_rollout
from opsroom.sources.revisions import TROUBLES, troubles


@pytest.mark.parametrize(
    ("restarts", "waiting", "ended", "said"),
    [
        (3, "CrashLoopBackOff", "OOMKilled", "CrashLoopBackOff (OOMKilled)"),
        (3, "CrashLoopBackOff", "Error", "CrashLoopBackOff (exit 137)"),
        (1, "", "OOMKilled", "OOMKilled"),
        (1, "", "", ""),
        (0, "ImagePullBackOff", "", "ImagePullBackOff"),
    ],
)
def test_a_pod_in_trouble_says_why(objects: Any, restarts: int, waiting: str, ended: str, said: str) -> None:
    pod = objects.pod("p", "checkout-new", restarts=restarts, waiting=waiting, ended=ended)
    assert troubles([pod]) == (Trouble(pod="p", reason=said, restarts=restarts, ready=not waiting),)


def test_a_pod_that_only_starts_is_in_no_trouble(objects: Any) -> None:
    assert troubles([objects.pod("p", "s", waiting="ContainerCreating"), objects.pod("q", "s")]) == ()


def test_the_worst_pods_come_first_and_the_list_is_bounded(objects: Any) -> None:
    found = troubles([objects.pod(f"p{at}", "s", restarts=at) for at in range(20)])
    assert [one.restarts for one in found] == [19, 18, 17, 16, 15][:TROUBLES]


def test_the_analysis_runs_of_the_change_under_way_are_seen(objects: Any) -> None:
    status = {
        "currentPodHash": "new",
        "stableRS": "old",
        "canary": {
            "currentStepAnalysisRunStatus": {"name": "checkout-new-2", "status": "Inconclusive", "message": "no\x1b"},
            "currentBackgroundAnalysisRunStatus": {"name": "checkout-new-b", "status": "Running"},
        },
    }
    rollout = objects.rollout(spec={"strategy": {"canary": {"steps": [{"pause": {}}]}}}, status=status)
    assert argo_rollout(rollout, objects.parts()).analyses == (
        Analysis(name="checkout-new-2", status="Inconclusive", message="no", stage="step"),
        Analysis(name="checkout-new-b", status="Running", stage="background"),
    )
    settled = objects.rollout(status={**status, "stableRS": "new"})
    assert argo_rollout(settled, objects.parts()).analyses == ()


def test_a_blue_green_rollout_has_runs_before_and_after_its_switch(objects: Any) -> None:
    status = {
        "currentPodHash": "new",
        "stableRS": "old",
        "blueGreen": {"postPromotionAnalysisRunStatus": {"name": "after", "status": "Failed"}},
    }
    rollout = objects.rollout(spec={"strategy": {"blueGreen": {"activeService": "a"}}}, status=status)
    assert [run.stage for run in argo_rollout(rollout, objects.parts()).analyses] == ["after"]
