"""What stands around the steps of a simulated Argo Rollout: pods, services, analysis, deadlines, Events."""

from __future__ import annotations

import pytest

from opsroom.simulator.controllers.objects import Obj
from tests.simulator.controllers.rollout_lab import NS, Lab


@pytest.mark.parametrize(
    ("replicas", "weight", "expected"),
    [(4, 5, {"app:1": 4, "app:2": 1}), (5, 40, {"app:1": 3, "app:2": 2}), (10, 30, {"app:1": 7, "app:2": 3})],
)
def test_without_a_router_the_weight_is_the_share_of_pods(replicas: int, weight: int, expected: dict[str, int]) -> None:
    lab = Lab(routed=False, replicas=replicas, steps=[{"setWeight": weight}, {"pause": {}}])
    lab.deploy("app:2")
    lab.cluster.pass_time(20)
    assert lab.status["phase"] == "Paused"
    assert lab.sizes() == expected
    assert "weights" not in lab.status["canary"]


def test_without_a_router_promotion_and_abort_move_pods() -> None:
    lab = Lab(routed=False, steps=[{"setWeight": 20}, {"pause": {}}])
    lab.deploy("app:2")
    lab.promote()
    lab.cluster.pass_time(40)
    assert (lab.status["phase"], lab.sizes()) == ("Healthy", {"app:2": 5})
    lab.deploy("app:3")
    lab.cluster.pass_time(10)
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(20)
    assert (lab.status["phase"], lab.sizes()) == ("Degraded", {"app:2": 5})


def test_services_follow_the_hashes() -> None:
    lab = Lab()
    lab.deploy("app:2")

    def selected(side: str) -> str:
        service = lab.cluster.store.get("services", NS, f"web-{side}")
        assert service is not None
        return str(service["spec"]["selector"]["rollouts-pod-template-hash"])

    assert (selected("stable"), selected("canary")) == (lab.status["stableRS"], lab.status["currentPodHash"])


def test_pods_that_never_start_miss_the_deadline_and_abort_still_works() -> None:
    lab = Lab(progressDeadlineSeconds=60)
    lab.programs.broken.add("app:2")
    lab.deploy("app:2")
    assert (lab.status["phase"], lab.weight) == ("Progressing", 0)
    lab.cluster.pass_time(70)
    assert lab.status["phase"] == "Degraded"
    assert lab.progressing()[1] == "ProgressDeadlineExceeded"
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(40)
    assert lab.sizes() == {"app:1": 5}


def test_an_analysis_step_waits_for_its_run_and_obeys_it() -> None:
    steps: list[Obj] = [{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}, {"pause": {}}]
    lab = Lab(steps=steps)
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    assert lab.status["canary"]["currentStepAnalysisRunStatus"] == {
        "name": run["metadata"]["name"],
        "status": "Running",
    }
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": "Successful"}})
    lab.cluster.pass_time(2)
    assert (lab.status["currentStepIndex"], lab.status["phase"]) == (2, "Paused")


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_failed_analysis_aborts(phase: str) -> None:
    lab = Lab(steps=[{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}])
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": phase}})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["abort"], lab.weight) == ("Degraded", True, 0)


def test_an_inconclusive_analysis_pauses_for_a_person() -> None:
    lab = Lab(steps=[{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}, {"setWeight": 50}])
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": "Inconclusive"}})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["message"]) == ("Paused", "InconclusiveAnalysisRun")
    lab.patch_status({"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2})
    lab.cluster.pass_time(10)
    assert lab.status["phase"] == "Healthy"


def test_events_tell_the_story_with_the_real_reasons() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(2)
    told = lab.reasons()
    for reason in (
        *("RolloutUpdated", "NewReplicaSetCreated", "RolloutNotCompleted", "ScalingReplicaSet", "SwitchService"),
        *("TrafficWeightUpdated", "RolloutStepCompleted", "RolloutPaused", "RolloutResumed", "RolloutAborted"),
    ):
        assert reason in told, reason


def test_a_strategy_nobody_can_run_is_an_invalid_spec_that_is_observed() -> None:
    lab = Lab()
    lab.spec({"strategy": {"blueGreen": {"activeService": "web-stable"}}})
    lab.cluster.pass_time(2)
    assert lab.status["phase"] == "Degraded"
    assert lab.status["message"].startswith("InvalidSpec: ")
    assert lab.status["observedGeneration"] == str(lab.rollout["metadata"]["generation"])


def test_scaling_a_settled_rollout_scales_its_pods() -> None:
    lab = Lab()
    lab.spec({"replicas": 8})
    lab.cluster.pass_time(10)
    assert (lab.sizes(), lab.status["phase"]) == ({"app:1": 8}, "Healthy")
